"""Writing the comparison to a file, in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from engine.analysis.baseline import with_baseline, with_difference_names
from engine.analysis.columns.definitions import Column, parse_aggregate
from engine.analysis.columns.offered import beside_columns, row_names, shared_names
from engine.analysis.comparison import Row, by_cell, compare_rows
from engine.analysis.export import ENDINGS, rows_content
from engine.analysis.floorrows import with_floors
from engine.analysis.labels.stored import newest_runs, stored_labels
from engine.config import Catalogue
from engine.errors import UserError
from engine.files.named import write_named
from engine.interchange.pack import pack
from engine.progress import OnProgress, untold
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from tui.compare.reading import visible_choice
from tui.shell.text import count


@dataclass(frozen=True)
class Table:
    """Which columns a table has, and in which order its rows stand.

    Attributes:
        names: columns after those that name a row; None for all.
        sort: the column that the rows are sorted by.
        cells: whether it has a row a cell, else one a run.
        baseline: the run or cell that differences are written to, as of `View`; empty for none.
    """

    names: Sequence[str] | None
    sort: Column
    descending: bool
    cells: bool
    baseline: str = ""


def write_table(
    location: StoreLocation,
    path: Path,
    choice: Choice,
    table: Table,
    catalogue: Catalogue | None = None,
) -> str:
    """Write runs or cells in the format of the path's ending, whole or not at all; in words, how
    many.

    Args:
        catalogue: knows what recipes give, which cells are named against.

    Raises:
        UserError: the store can't be read, or the file can't be written.
    """
    with closing(connect_reader(location)) as con:
        choice = visible_choice(con, choice)
        aggregate = parse_aggregate(choice.aggregate)
        beside = beside_columns(aggregate, table.names or ())
        rows: Sequence[Row] = compare_rows(
            con,
            aggregate=aggregate,
            filter=choice.filter,
            sort=table.sort,
            descending=table.descending,
            beside=beside,
            without=choice.without,
        )
        if table.cells:
            counted = counted_runs(con, choice)
            labels = stored_labels(con, newest_runs(counted), catalogue)
            rows = by_cell(rows, counted, labels, shared_names(beside))
        rows = with_floors(con, location, rows, catalogue, cells=table.cells).rows
        if base := table.baseline:
            rows = with_baseline(con, rows, base, aggregate, catalogue, cells=table.cells) or rows
    names = None if table.names is None else row_names(table.names, cells=table.cells)
    if names is not None:
        names = with_difference_names(names, rows)
    write_named(path, rows_content(rows, ENDINGS[path.suffix.lower()], names))
    return count(len(rows), "cell" if table.cells else "run")


def write_archive(
    location: StoreLocation, path: Path, choice: Choice, on_progress: OnProgress = untold
) -> str:
    """Write the runs that have ended as an archive; in words, how many.

    Raises:
        UserError: the store can't be read, the file can't be written, or no run has ended.
    """
    with closing(connect_reader(location)) as con:
        choice = visible_choice(con, choice)
        packed = pack(
            con,
            location,
            path,
            filter=choice.filter,
            aggregate=choice.aggregate,
            without=choice.without,
            on_progress=on_progress,
        )
    if not packed.runs:
        raise UserError("None of these runs has ended: nothing was written.")
    left_out = len(packed.left_out)
    rest = f"; {left_out:,} skipped (queued, running or unreadable)" if left_out else ""
    return f"{count(len(packed.runs), 'run')}{rest}"


def write_report_on(
    location: StoreLocation, path: Path, choice: Choice, catalogue: Catalogue | None
) -> None:
    """Write the report of the runs that match.

    Raises:
        UserError: the store can't be read, or a file can't be written.
    """
    from engine.report.gather import Wanted  # a table needs no numpy, which this loads
    from engine.report.write import make_report, write_report

    with closing(connect_reader(location)) as con:
        choice = visible_choice(con, choice)
        wanted = Wanted(filter=choice.filter, without=choice.without)
        report = make_report(con, location, catalogue, wanted)
    write_report(report, path)

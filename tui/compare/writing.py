"""Writing the comparison to a file, in a thread."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from engine.analysis.baseline import with_baseline
from engine.analysis.comparison import Column, by_cell, compare_rows
from engine.analysis.export import format_rows
from engine.analysis.labels.stored import newest_runs, stored_labels
from engine.config import Catalogue
from engine.errors import UserError
from engine.files.named import write_named
from engine.interchange.pack import pack
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from tui.compare.reading import visible_choice
from tui.shell.text import count


def write_table(
    location: StoreLocation,
    path: Path,
    format_: str,
    choice: Choice,
    sort: tuple[Column, bool],
    catalogue: Catalogue | None = None,
    *,
    cells: bool,
    baseline: str = "",
) -> str:
    """Write a row a run, or a row a cell, whole or not at all; in words, how many.

    Args:
        format_: one of those of `engine.analysis.export`.
        sort: by which column, and whether its highest comes first.
        catalogue: knows what recipes give, which cells are named against.
        baseline: id of the run that differences are written to, or to its cell; empty for none.

    Raises:
        UserError: the store can't be read, or the file can't be written.
    """
    column, descending = sort
    with closing(connect_reader(location)) as con:
        choice = visible_choice(con, choice)
        aggregate, words = choice.aggregate, choice.filter
        rows = compare_rows(
            con, aggregate=aggregate, filter=words, sort=column, descending=descending
        )
        rows = [row for row in rows if row["run"] not in choice.without]
        if cells:
            counted = counted_runs(con, choice)
            rows = by_cell(rows, counted, stored_labels(con, newest_runs(counted), catalogue))
        if baseline:
            rows = with_baseline(con, rows, baseline, aggregate, catalogue, cells=cells) or rows
    write_named(path, format_rows(rows, format_))
    return count(len(rows), "cell" if cells else "run")


def write_archive(location: StoreLocation, path: Path, choice: Choice) -> str:
    """Write the runs that have ended as an archive; in words, how many.

    Raises:
        UserError: the store can't be read, the file can't be written, or no run has ended.
    """
    with closing(connect_reader(location)) as con:
        choice = visible_choice(con, choice)
        aggregate, without = choice.aggregate, choice.without
        packed = pack(
            con, location, path, filter=choice.filter, aggregate=aggregate, without=without
        )
    if not packed.runs:
        raise UserError("No run of these has ended: nothing was written.")
    left_out = len(packed.left_out)
    rest = f", without {left_out:,} that are not to be had or may change" if left_out else ""
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

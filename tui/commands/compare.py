"""``seqbench compare``: runs side by side, for people and for programs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import UserError
from tui.commands.session import Session, note, pass_session

if TYPE_CHECKING:
    from engine.analysis import comparison

SHOWN = 5
"""Sentences of one kind."""


@click.command()
@click.option(
    "--format",
    "format_",
    default="table",
    show_default=True,
    metavar="table|csv|md|json",
    help="With --pivot also latex (booktabs) and xlsx.",
)
@click.option(
    "--aggregate",
    default="best",
    show_default=True,
    metavar="best|max|min|last|mean",
    help="How a run's epochs become one figure.",
)
@click.option("--sort", metavar="COL[:asc|desc]", help="[default: NDCG@10/test:desc]")
@click.option(
    "--filter",
    "filter_",
    default="",
    metavar="TEXT",
    help="Such as 'model:sasrec ndcg>0.16': see docs/queries.md.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The first so many runs.")
@click.option("--by-cell", is_flag=True, help="Mean and deviation over seeds of what is done.")
@click.option(
    "--pivot", is_flag=True, help="The reference table's form: rows Model › Dataset › Length."
)
@click.option(
    "--pairs",
    is_flag=True,
    help="Every two cells of a data set: the difference, its interval, and whether it is one.",
)
@click.option(
    "--imported", is_flag=True, help="Cells of imported runs too, with --by-cell and --pivot."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write to a file instead of stdout."
)
@pass_session
def compare(
    session: Session,
    format_: str,
    aggregate: str,
    sort: str | None,
    filter_: str,
    limit: int | None,
    by_cell: bool,
    pivot: bool,
    pairs: bool,
    imported: bool,
    output: Path | None,
) -> None:
    """Compare runs under the reference table's column names.

    A test figure is that of the epoch chosen on validation, unless --aggregate says otherwise.
    """
    from engine.analysis import comparison, export, pivot_text
    from engine.errors import UsageError, did_you_mean

    formats: tuple[str, ...] = pivot_text.FORMATS if pivot else export.FORMATS
    if format_ not in formats:
        raise UsageError(f"there is no format {format_!r}: {did_you_mean(format_, formats)}")
    if imported and not (by_cell or pivot):
        raise UsageError("--imported is for --by-cell and --pivot: else every run is shown.")
    if by_cell + pivot + pairs > 1:
        raise UsageError("--by-cell, --pivot and --pairs are three tables: ask for one.")
    if pairs:
        _put_pairs(session, filter_, sort or comparison.SORT, format_, output)
        return
    if pivot and (limit is not None or sort is not None):
        raise UsageError("--pivot has its own order and cells: leave --sort and --limit.")
    if format_ == "xlsx" and output is None:
        raise UsageError("a sheet needs a file: add -o pivot.xlsx.")
    chosen = comparison.parse_aggregate(aggregate)
    name, descending = _order(sort or comparison.SORT)
    comparison.column(name, chosen)
    rows: list[comparison.Row] = []
    if session.has_store:
        with session.reader() as connection:
            rows = comparison.compare_rows(
                connection,
                aggregate=chosen,
                filter=filter_,
                sort=name,
                descending=descending,
                limit=limit,
            )
    if pivot or by_cell:
        _tell_apart(rows, imported)
    if pivot:
        _put_pivot(rows, format_, output, imported)
        return
    if by_cell:
        rows = comparison.by_cell(rows, imported=imported)
    else:
        _tell_marks(rows)
    if not rows:
        note("No run matches." if filter_ else "There are no runs yet: see `seqbench run`.")
    if chosen != "best":
        note(f"Every figure is the {chosen}: {comparison.AGGREGATE_MEANING[chosen]}.")
    if not rows and format_ in ("table", "md") and output is None:
        return
    on_screen = output is None and sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if on_screen else None
    _put(export.format_rows(rows, format_, width=width), output)


def _tell_apart(rows: list[comparison.Row], imported: bool) -> None:
    """What of the runs makes no cell, and what doesn't go into one."""
    from engine.analysis.apart import why_apart
    from engine.analysis.comparison import by_cell, counts

    left_out = sum(row["state"] == "done" and bool(row["origin"]) for row in rows)
    if left_out and not imported:
        note(f"{_runs_are(left_out)} imported and left out: --imported makes cells of them.")
    if marked := sum(counts(row, imported=imported) and bool(row["marks"]) for row in rows):
        note(f"{_runs_are(marked)} marked: `seqbench compare --filter mark:*` says why.")
    sentences = why_apart(by_cell(rows, imported=imported))
    for sentence in sentences[:SHOWN]:
        note(sentence)
    if len(sentences) > SHOWN:
        note(f"… and {len(sentences) - SHOWN} more cells stand in rows of their own.")


def _tell_marks(rows: list[comparison.Row]) -> None:
    from engine.marks import MEANING

    for mark, meaning in MEANING.items():
        if found := sum(mark in str(row["marks"] or "").split() for row in rows):
            note(f"{_runs_are(found)} marked {mark}: {meaning}.")


def _runs_are(number: int) -> str:
    return "1 run is" if number == 1 else f"{number:,} runs are"


def _put_pivot(
    rows: list[comparison.Row], format_: str, output: Path | None, imported: bool
) -> None:
    from engine.analysis.comparison import AGGREGATE_MEANING, parse_aggregate
    from engine.analysis.pivot import pivot
    from engine.analysis.pivot_text import format_pivot

    cells = pivot(rows, imported=imported)
    if not cells:
        note("No run is done: see `seqbench run`.")
        if format_ in ("table", "md", "latex") and output is None:
            return
    else:
        aggregate = parse_aggregate(str(rows[0]["aggregate"]))
        extremes = {"max": "the maximum", "min": "the minimum"}
        over = extremes.get(aggregate, "the mean ± deviation")
        note(f"{aggregate}: {AGGREGATE_MEANING[aggregate]}; {over} over seeds; totals are maxima.")
    _put(format_pivot(cells, format_), output)


def _put_pairs(
    session: Session, filter_: str, metric: str, format_: str, output: Path | None
) -> None:
    from engine.analysis import pairs_text
    from engine.analysis.cells import pairs, ranked_cells
    from engine.analysis.comparison import compare_rows

    chosen, masked = pairs_text.ranked_metric(metric)
    rows: list[comparison.Row] = []
    if session.has_store:
        with session.reader() as connection:
            rows = compare_rows(connection, filter=filter_, sort="run", descending=False)
    if left_out := sum(bool(row["origin"]) for row in rows):
        note(f"{_runs_are(left_out)} imported, without ranks of users: no test can hold them.")
    cells, problems = ranked_cells(session.location, rows)
    for problem in problems:
        note(problem)
    found = pairs(cells, chosen, masked=masked)
    if not found:
        note("No two cells of one data set, protocol and checksum have runs that are done.")
        if format_ in ("table", "md") and output is None:
            return
    _put(pairs_text.format_pairs(found, chosen, format_, masked=masked), output)
    for sentence in pairs_text.caveats(found):
        note(sentence)


def _order(sort: str) -> tuple[str, bool]:
    """The column, and whether the highest comes first."""
    name, colon, direction = sort.rpartition(":")
    if colon and direction.lower() in ("asc", "desc"):
        return name, direction.lower() == "desc"
    return sort, True


def _put(text: str | bytes, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    from engine.atomic import write_atomically

    try:
        write_atomically(output, text)
    except OSError as error:
        raise UserError(f"{output} can't be written: {error.strerror}.") from None
    note(f"Written to {output}.")

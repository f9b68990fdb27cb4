"""``seqbench compare``: runs side by side, for people and for programs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from engine.analysis import comparison, export
from engine.analysis.labels.stored import newest_runs, stored_labels
from engine.analysis.pivot import text as pivot_text
from engine.analysis.quality import parse_quality, with_time_to_quality
from engine.errors import UsageError, did_you_mean
from engine.store.compare.grouping import Choice, counted_runs
from tui.cli.results.tables import (
    put,
    put_inflation,
    put_pairs,
    put_pivot,
    tell_cells,
    tell_marks,
    tell_none,
)
from tui.cli.session import Session, aggregate_option, filter_option, note, pass_session


@click.command()
@click.option(
    "--format",
    "format_",
    default="table",
    show_default=True,
    metavar="table|csv|md|json",
    help="With --pivot also latex (booktabs) and xlsx.",
)
@aggregate_option
@click.option("--sort", metavar="COL[:asc|desc]", help="[default: NDCG@10/test:desc]")
@filter_option
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Show at most this many runs."
)
@click.option(
    "--quality",
    is_flag=False,
    flag_value="ndcg@10=95%",
    metavar="METRIC=VALUE",
    help="A column with the seconds of training until validation reaches this: recall@10=.13, "
    "say, or a share of the best: ndcg@10=95% (if no value is given).",
)
@click.option(
    "--by-cell",
    is_flag=True,
    help="Group by cell: mean and deviation over the seeds that are done.",
)
@click.option(
    "--pivot", is_flag=True, help="The reference table's form: rows Model › Dataset › Length."
)
@click.option(
    "--pairs",
    is_flag=True,
    help="Every pair of cells of a data set: the difference, its interval, and whether it is "
    "shown.",
)
@click.option(
    "--metric", metavar="COL", help="With --pairs: a test metric's column.  [default: NDCG@10/test]"
)
@click.option(
    "--inflation",
    is_flag=True,
    help="How much choosing the epoch by the test metric inflates it, for each cell.",
)
@click.option(
    "--reference",
    is_flag=True,
    help="With --pivot: published results below ours, with the difference.",
)
@click.option(
    "--imported", is_flag=True, help="With --by-cell and --pivot: include cells of imported runs."
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
    quality: str | None,
    by_cell: bool,
    pivot: bool,
    pairs: bool,
    metric: str | None,
    inflation: bool,
    reference: bool,
    imported: bool,
    output: Path | None,
) -> None:
    """Compare runs under the reference table's column names.
    Test metrics are those of the epoch chosen on validation, unless --aggregate says otherwise.
    """
    formats: tuple[str, ...] = pivot_text.FORMATS if pivot else export.FORMATS
    if format_ not in formats:
        raise UsageError(f"there is no format {format_!r}: {did_you_mean(format_, formats)}")
    if imported and not (by_cell or pivot):
        raise UsageError(
            "--imported is for --by-cell and --pivot: without them every run is shown."
        )
    if by_cell + pivot + pairs + inflation > 1:
        raise UsageError("--by-cell, --pivot, --pairs and --inflation are four tables: choose one.")
    if reference and not pivot:
        raise UsageError("--reference is part of the pivot: add --pivot.")
    if quality is not None and (pivot or pairs or inflation):
        raise UsageError("--quality is a column of the runs or of --by-cell.")
    if metric is not None and not pairs:
        raise UsageError("--metric is what --pairs compares: --sort orders the runs.")
    wanted = parse_quality(quality) if quality is not None else None
    if pairs:
        put_pairs(session, filter_, metric or sort or comparison.SORT, format_, output)
        return
    if (pivot or inflation) and (limit is not None or sort is not None):
        table = "--pivot" if pivot else "--inflation"
        raise UsageError(f"{table} has its own order and cells: leave out --sort and --limit.")
    if inflation:
        if comparison.parse_aggregate(aggregate) != "best":
            raise UsageError(
                "--inflation compares the maximum with the best: leave out --aggregate."
            )
        put_inflation(session, filter_, format_, output)
        return
    if format_ == "xlsx" and output is None:
        raise UsageError("a spreadsheet needs a file: add -o pivot.xlsx.")
    chosen = comparison.parse_aggregate(aggregate)
    if pivot:
        put_pivot(session, filter_, chosen, format_, output, reference=reference, imported=imported)
        return
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
            if wanted is not None:
                rows = with_time_to_quality(connection, rows, wanted)
            if by_cell:
                counted = counted_runs(connection, Choice(filter_, imported=imported))
                labels = stored_labels(connection, newest_runs(counted), session.catalogue_if_valid)
                cells = comparison.by_cell(rows, counted, labels)
                tell_cells(rows, counted, cells)
                rows = cells
    if not by_cell:
        tell_marks(rows)
    if not rows:
        tell_none(session, filter_, done=by_cell)
    if chosen != "best":
        note(f"Every value is the {chosen}: {comparison.epochs_words(chosen)}.")
    if wanted is not None and rows:
        note(f"TimeToQuality: seconds of training until {wanted.title}.")
    if not rows and format_ in ("table", "md") and output is None:
        return
    on_screen = output is None and sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if on_screen else None
    put(export.format_rows(rows, format_, width=width), output)


def _order(sort: str) -> tuple[str, bool]:
    """The column, and whether the highest comes first."""
    name, colon, direction = sort.rpartition(":")
    if colon and direction.lower() in ("asc", "desc"):
        return name, direction.lower() == "desc"
    return sort, True

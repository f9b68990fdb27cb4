"""``seqbench compare``: runs side by side, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from engine.analysis import export
from engine.analysis.baseline import with_difference_names
from engine.analysis.columns.definitions import (
    ENERGY_TO_QUALITY,
    SORT,
    TIME_TO_QUALITY,
    epochs_words,
    parse_aggregate,
)
from engine.analysis.columns.offered import beside_columns, shared_names, sort_column
from engine.analysis.comparison import Row, compare_rows
from engine.analysis.floor import COLUMN_STANDING, ONE_SEED, SIGN
from engine.analysis.floorrows import with_floors
from engine.analysis.protocols.inrows import with_evaluations
from engine.analysis.quality import DEFAULT, parse_quality, with_costs_to_quality
from engine.errors import UsageError, did_you_mean
from engine.store.compare.grouping import Choice
from tui.cli import completion
from tui.cli.output import terminal_width
from tui.cli.progress import progress
from tui.cli.results.protocols import put_protocols
from tui.cli.results.rows import columns_of, pivot_columns_of, put_rows
from tui.cli.results.tables import (
    PivotForm,
    cells_of,
    put_inflation,
    put_pairs,
    put_pivot,
    put_published,
    tell_floors,
    tell_marks,
    tell_none,
)
from tui.cli.results.viewed import Viewed, beside_baseline, viewed
from tui.cli.session import (
    Listed,
    Session,
    aggregate_option,
    filter_option,
    flat,
    note,
    pass_session,
)


@click.command()
@click.option(
    "--format",
    "format_",
    default="table",
    show_default=True,
    metavar="table|csv|md|json|latex|xlsx",
    help="latex is for booktabs; xlsx wants a file, -o.",
)
@click.option(
    "--columns",
    "columns_",
    type=Listed("NAMES"),
    multiple=True,
    shell_complete=completion.columns,
    help="Columns of runs, --by-cell or --pivot, such as ndcg,recall@50,lr, or a preset: quality, "
    "cost, training, cutoffs, items, all. csv, json and xlsx of runs have all without it.",
)
@click.option("--wide", is_flag=True, help="All columns, however wide the terminal is.")
@click.option(
    "--view",
    metavar="NAME",
    shell_complete=completion.views,
    help="A view saved on Compare or in configs/views: its filter, order, columns, grouping and "
    "baseline. Other options win.",
)
@click.option(
    "--baseline",
    default="",
    metavar="RUN",
    shell_complete=completion.runs(),
    help="Differences to a run, with --by-cell to its cell.",
)
@aggregate_option
@click.option(
    "--sort",
    metavar="COL[:asc|desc]",
    shell_complete=completion.columns,
    help="[default: NDCG@10/test:desc]",
)
@filter_option
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Show at most this many runs or cells."
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
    "--protocols",
    is_flag=True,
    help="Cells ranked under each rule of targets that they were measured under, and how far the "
    "rules agree (Kendall's τ).",
)
@click.option(
    "--metric",
    metavar="COL",
    shell_complete=completion.columns,
    help="With --pairs, --protocols and --published: a test metric's column, such as recall@50."
    "  [default: NDCG@10/test]",
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
    "--published",
    is_flag=True,
    help="For each cell the published results: which are comparable, and in what the others "
    "differ. The table has --metric; csv and json have all.",
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
    columns_: tuple[tuple[str, ...], ...],
    wide: bool,
    view: str | None,
    baseline: str,
    aggregate: str,
    sort: str | None,
    filter_: str,
    limit: int | None,
    quality: str | None,
    by_cell: bool,
    pivot: bool,
    pairs: bool,
    protocols: bool,
    metric: str | None,
    inflation: bool,
    reference: bool,
    published: bool,
    imported: bool,
    output: Path | None,
) -> None:
    """Compare runs by metrics, times and settings.

    A table on a terminal is as wide as that; elsewhere it has its usual columns. Test metrics are
    those of the epoch chosen on validation, unless --aggregate says otherwise.
    """
    others = pivot + pairs + protocols + inflation + published
    asked = Viewed(filter_, aggregate, sort, by_cell, imported, baseline)
    if view is not None:
        asked = viewed(session, view, asked, alone=not others)
    filter_, aggregate, sort = asked.filter, asked.aggregate, asked.sort
    by_cell, imported = asked.by_cell, asked.imported
    of_cells = others > pivot
    formats = (*export.FORMATS, *(() if of_cells else ("xlsx",)))
    if format_ not in formats:
        raise UsageError(f"there is no format {format_!r}: {did_you_mean(format_, formats)}")
    if columns_ and of_cells:
        raise UsageError("--columns chooses columns of runs, of --by-cell and of --pivot.")
    if baseline and (pivot or of_cells):
        raise UsageError("--baseline is for runs and --by-cell.")
    if columns_ and wide:
        raise UsageError("--wide shows all columns: leave it, or leave --columns.")
    if imported and not (by_cell or pivot or published):
        raise UsageError(
            "--imported is for --by-cell, --pivot and --published: without them every run is shown."
        )
    if by_cell + others > 1:
        raise UsageError(
            "--by-cell, --pivot, --pairs, --protocols, --inflation and --published are six tables: "
            "choose one."
        )
    if reference and not pivot:
        raise UsageError("--reference is part of the pivot: add --pivot.")
    if quality is not None and (pivot or of_cells):
        raise UsageError(
            "--quality is for runs and --by-cell; the pivot has --columns EnergyToQuality."
        )
    if metric is not None and not (pairs or protocols or published):
        raise UsageError(
            "--metric is for --pairs, --protocols and --published: --sort orders the runs."
        )
    wanted = parse_quality(quality) if quality is not None else None
    chosen = parse_aggregate(aggregate)
    words = flat(columns_)
    names = columns_of(words, format_, wide=wide) if asked.columns is None else [*asked.columns]
    width = terminal_width() if output is None and not wide else None
    if pairs:
        put_pairs(session, filter_, metric or sort or SORT, format_, output, width)
        return
    if protocols:
        put_protocols(session, filter_, metric or sort or SORT, format_, output, width)
        return
    if (pivot or inflation or published) and (limit is not None or sort is not None):
        table = "--pivot" if pivot else "--inflation" if inflation else "--published"
        raise UsageError(f"{table} has its own order and cells: leave out --sort and --limit.")
    if published:
        put_published(session, filter_, metric, format_, output, width, imported=imported)
        return
    if inflation:
        if chosen != "best":
            raise UsageError(
                "--inflation compares the maximum with the best: leave out --aggregate."
            )
        put_inflation(session, filter_, format_, output, width)
        return
    if format_ == "xlsx" and output is None:
        raise UsageError("a sheet needs a file: add -o runs.xlsx.")
    if pivot:
        form = PivotForm(
            format_, width, reference=reference, imported=imported, names=pivot_columns_of(words)
        )
        put_pivot(session, filter_, chosen, form, output)
        return
    order, descending = sort_column(sort or SORT, chosen)
    beside = beside_columns(chosen, names or () if wanted is None else ())
    rows: Sequence[Row] = []
    if session.has_store:
        with session.reader() as connection, progress("Reading runs"):
            rows = compare_rows(
                connection,
                aggregate=chosen,
                filter=filter_,
                sort=order,
                descending=descending,
                limit=None if by_cell else limit,
                beside=beside,
            )
            if format_ == "json" and names is None and not by_cell:
                rows = with_evaluations(connection, rows)
            if wanted is not None:
                rows = with_costs_to_quality(connection, rows, wanted)
            if by_cell:
                choice = Choice(filter_, imported=imported)
                rows = cells_of(session, connection, rows, choice, shared_names(beside))[:limit]
            catalogue = session.catalogue_if_valid
            floored = with_floors(connection, session.location, rows, catalogue, cells=by_cell)
            rows = floored.rows
            tell_floors(floored.floors)
            if names is not None and not words and floored.floors:
                names.insert(1, COLUMN_STANDING)
                if any(row[COLUMN_STANDING] in SIGN for row in rows):
                    note(ONE_SEED)
            if asked.baseline:
                rows = beside_baseline(
                    session,
                    connection,
                    rows,
                    asked.baseline,
                    chosen,
                    cells=by_cell,
                    strict=asked.baseline == baseline,
                )
    if not by_cell:
        tell_marks(rows)
    if not rows:
        tell_none(session, filter_, done=by_cell)
    if chosen != "best":
        note(f"Every value is the {chosen}: {epochs_words(chosen)}.")
    if rows and (wanted or not {TIME_TO_QUALITY, ENERGY_TO_QUALITY}.isdisjoint(names or ())):
        until = (wanted or parse_quality(DEFAULT)).title
        note(f"TimeToQuality, EnergyToQuality: seconds and joules of training until {until}.")
    if not rows and format_ in ("table", "md", "latex") and output is None:
        return
    if names is not None and wanted is not None:
        known = any(row[ENERGY_TO_QUALITY] is not None for row in rows)
        first = [TIME_TO_QUALITY, *([ENERGY_TO_QUALITY] if known else [])]
        names = list(dict.fromkeys([*first, *names]))
    if names is not None:
        names = with_difference_names(names, rows)
    put_rows(rows, format_, names, words, output, width)

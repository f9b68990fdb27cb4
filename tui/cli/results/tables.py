"""The tables of ``seqbench compare`` that have cells for rows: pivot, pairs, inflation."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import click

from engine.analysis.apart import why_apart
from engine.analysis.columns.definitions import SORT, Aggregate, epochs_words
from engine.analysis.columns.offered import column_named
from engine.analysis.comparison import Row, by_cell, column_of, compare_rows
from engine.analysis.export import FOR_PROGRAMS
from engine.analysis.floor import LEGEND, SIGN, Floor, floor_line
from engine.analysis.inflation.measured import CellInflation, inflation
from engine.analysis.inflation.text import format_inflation, inflation_sentences
from engine.analysis.labels.stored import newest_runs, stored_labels
from engine.analysis.literature.stored import PublishedAbout, published_about
from engine.analysis.literature.text import format_about
from engine.analysis.pivot.arranged import COLUMNS, apart_sentences, mark_sentences
from engine.analysis.pivot.stored import StoredPivot, stored_pivot
from engine.analysis.pivot.text import format_pivot
from engine.analysis.published import caveats
from engine.analysis.run.relaunch import launches_of
from engine.cell import Cell
from engine.files.named import write_named
from engine.marks import MEANING
from engine.store.compare.grouping import Choice, counted_runs, imported_left_out
from engine.store.queries import state_counts
from tui.cli.output import terminal_width
from tui.cli.progress import progress
from tui.cli.session import Session, note

SHOWN = 5
"""Sentences of one kind that are said; the rest is counted."""


def tell_none(session: Session, filter_: str, *, done: bool) -> None:
    """Say why a table has no row.

    Args:
        done: whether it has runs that are done only.
    """
    which = "No run that is done" if done else "No run"
    counts: Mapping[str, int] = {}
    if session.has_store:
        with session.reader() as connection:
            counts = state_counts(connection)
    if not counts:
        note("There are no runs yet: see `seqbench run`.")
    elif filter_:
        note(f"{which} matches.")
    else:
        note("No run is done yet: see `seqbench ls`.")


@dataclass(frozen=True)
class PivotForm:
    """How the pivot is put out.

    Attributes:
        format: one of `engine.analysis.pivot.text.FORMATS`.
        width: cells of the terminal that a table must fit, if any.
        reference: whether published results stand below ours.
        imported: whether cells are made of imported runs too.
        names: the columns, of figures.
    """

    format: str
    width: int | None = None
    reference: bool = False
    imported: bool = False
    names: Sequence[str] = COLUMNS


def put_pivot(
    session: Session,
    filter_: str,
    aggregate: Aggregate,
    form: PivotForm,
    output: Path | None,
) -> None:
    """Put out the reference table's form."""
    found = StoredPivot()
    choice = Choice(filter_, aggregate, imported=form.imported)
    tables = session.whole_catalogue.published.values() if form.reference else ()
    catalogue = session.catalogue_if_valid
    if session.has_store:
        with session.reader() as connection:
            with progress("Reading cells"):
                found = stored_pivot(
                    connection, choice, aggregate, tables, catalogue, session.location, form.names
                )
            _tell_left_out(imported_left_out(connection, choice))
    if not found.rows:
        tell_none(session, filter_, done=True)
        if form.format in ("table", "md", "latex") and output is None:
            return
    else:
        over = {"max": "the maximum", "min": "the minimum"}.get(aggregate, "the mean ± deviation")
        note(f"{aggregate}: {epochs_words(aggregate)}; {over} over seeds; totals are maxima.")
    for sentence in dict.fromkeys(
        (*apart_sentences(found.rows), *mark_sentences(found.rows), *caveats(found.published))
    ):
        note(sentence)
    tell_floors(found.floors)
    if any(row.vs_floor for row in found.rows):
        note(LEGEND)
    if form.reference and found.rows and not found.published:
        note("No results are published for these cells.")
    put(format_pivot(found.rows, form.format, form.names, width=form.width), output)


def put_inflation(
    session: Session, filter_: str, format_: str, output: Path | None, width: int | None
) -> None:
    """Put out what choosing the epoch by the test metric adds to it, cell by cell."""
    cells: list[CellInflation] = []
    if session.has_store:
        with session.reader() as connection, progress("Reading cells"):
            cells = inflation(connection, Choice(filter_), session.catalogue_if_valid)
    if not cells:
        tell_none(session, filter_, done=True)
        if format_ in ("table", "md", "latex") and output is None:
            return
    put(format_inflation(cells, format_, width=width), output)
    for sentence in inflation_sentences(cells):
        note(sentence)


def put_published(
    session: Session,
    filter_: str,
    metric: str | None,
    format_: str,
    output: Path | None,
    width: int | None,
    *,
    imported: bool,
) -> None:
    """Put out which published results are comparable with each cell, and in what the others differ.

    Args:
        metric: a column of test; by default every figure for programs, for people NDCG@10.
    """
    wanted = ""
    if metric is not None or format_ not in FOR_PROGRAMS:
        wanted = column_named(metric or SORT).name.partition("/")[0]
    found: list[PublishedAbout] = []
    if session.has_store:
        with session.reader() as connection, progress("Reading cells"):
            choice = Choice(filter_, imported=imported)
            found = published_about(connection, choice, session.whole_catalogue)
    found = [each for each in found if not wanted or each.compared.figure.name == wanted]
    if found or format_ in FOR_PROGRAMS or output is not None:
        put(format_about(found, format_, width=width), output)
    elif session.has_store:
        note(f"No {wanted} is published for the models and data sets of these cells.")
    else:
        tell_none(session, filter_, done=True)
    if any(each.difference is not None for each in found):
        note("Ours is the mean ± deviation over seeds, measured as the published result is.")


def put_pairs(
    session: Session,
    filter_: str,
    metric: str,
    format_: str,
    output: Path | None,
    width: int | None,
) -> None:
    """Put out every two cells of a data set, and whether a test tells them apart."""
    from engine.analysis.pairs import text as pairs_text  # numpy
    from engine.analysis.pairs.cells import ranked_cells
    from engine.analysis.pairs.floored import THE_FLOOR, FlooredPairs, floored_pairs

    chosen = pairs_text.ranked_metric(metric)
    found = FlooredPairs()
    problems: list[str] = []
    left_out = 0
    if session.has_store:
        catalogue = session.catalogue_if_valid
        with session.reader() as connection, progress("Comparing cells"):
            rows = compare_rows(connection, filter=filter_, sort="run", descending=False)
            left_out = sum(bool(row["origin"]) for row in rows)
            counted = counted_runs(connection, Choice(filter_))
            launches = launches_of(connection, list(counted), catalogue)
            labels = stored_labels(connection, newest_runs(counted), catalogue)
            cells, problems = ranked_cells(session.location, rows, counted, launches, labels)
            found = floored_pairs(
                connection,
                session.location,
                cells,
                chosen.metric,
                masked=chosen.masked,
                k=chosen.k,
                catalogue=catalogue,
            )
    if left_out:
        note(f"{_runs_are(left_out)} imported, without ranks of users: they can't be tested.")
    for problem in problems:
        note(problem)
    if not found.pairs:
        note("No two cells of one data set, split, protocol and checksum have runs that are done.")
        if format_ in ("table", "md", "latex") and output is None:
            return
    tell_floors(found.floors)
    if any(mark != THE_FLOOR and SIGN[mark] for mark in found.marks.values()):
        note(LEGEND)
    table = pairs_text.format_pairs(
        found.pairs,
        chosen.metric,
        format_,
        masked=chosen.masked,
        k=chosen.k,
        marks=found.marks,
        width=width,
    )
    put(table, output)
    for sentence in pairs_text.caveats(found.pairs):
        note(sentence)


def cells_of(
    session: Session,
    con: sqlite3.Connection,
    rows: Sequence[Row],
    choice: Choice,
    beside: Sequence[str],
) -> list[Row]:
    """Average runs over seeds; says which make no cell or are marked, and which cells stand apart.

    Args:
        beside: as for `engine.analysis.comparison.by_cell`.
    """
    counted = counted_runs(con, choice)
    labels = stored_labels(con, newest_runs(counted), session.catalogue_if_valid)
    cells = by_cell(rows, counted, labels, beside)
    _tell_cells(rows, counted, cells)
    return cells


def _tell_cells(rows: Sequence[Row], counted: Mapping[str, Cell], cells: Sequence[Row]) -> None:
    done = [row for row in rows if row["state"] == "done"]
    _tell_left_out(sum(bool(row["origin"]) and row["run"] not in counted for row in done))
    if marked := sum(row["run"] in counted and bool(row["marks"]) for row in done):
        note(f"{_runs_are(marked)} marked: `seqbench compare --filter 'mark:*'` says why.")
    sentences = why_apart(cells)
    for sentence in sentences[:SHOWN]:
        note(sentence)
    if len(sentences) > SHOWN:
        note(f"… and {len(sentences) - SHOWN} more cells have several rows.")


def tell_floors(floors: Sequence[Floor]) -> None:
    """Name the floors of the rows."""
    for floor in floors[:SHOWN]:
        note(f"{floor_line(floor)}.")
    if len(floors) > SHOWN:
        note(f"… and {len(floors) - SHOWN} more floors.")


def tell_marks(rows: Sequence[Row]) -> None:
    """Say how many of the runs have which mark, and what that means."""
    stored = column_of(rows, "marks")
    marked = Counter(mark for marks in stored for mark in str(marks or "").split())
    for mark, meaning in MEANING.items():
        if found := marked[mark]:
            each = "each because" if found > 1 else "because"
            note(f"{_runs_are(found)} marked {mark}, {each} {meaning}.")


def _tell_left_out(number: int) -> None:
    if number:
        note(f"{_runs_are(number)} imported and left out: --imported makes cells of them.")


def _runs_are(number: int) -> str:
    return "1 run is" if number == 1 else f"{number:,} runs are"


def put(content: str | bytes | Iterable[str | bytes], output: Path | None) -> None:
    """Write a content, or its pieces, to stdout or a whole file.

    Raises:
        UserError: it can't be written.
    """
    # On a terminal the rows themselves tell how far it is.
    shown = output is None and terminal_width() is not None
    with nullcontext() if shown else progress("Writing rows"):
        if output is not None:
            write_named(output, content)
        else:
            for piece in [content] if isinstance(content, str | bytes) else content:
                click.echo(piece, nl=False)
    if output is not None:
        note(f"Written to {output}.")

"""The rows that stay above the comparison: the baseline, and the floors of its data sets."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.analysis.baseline import compares, run_of_baseline
from engine.analysis.columns.definitions import Value
from engine.analysis.floor import Floor, floors
from engine.analysis.labels.stored import cell_of_run, cells_of_runs, labels_at
from engine.analysis.provenance import provenance_of
from engine.cell import Cell
from engine.store.compare.comparison import matching_datasets, runs_by_id
from engine.store.compare.grouping import Choice, cell_figures, cells_marked, runs_of_cell
from engine.store.location import StoreLocation
from tui.compare.page import CompareRow, Page

if TYPE_CHECKING:
    from engine.analysis.pairs.standings import Standings
    from engine.config import Catalogue

MOST_FLOORS = 3
"""The most floors that stay in sight at once; of more data sets only marks are shown."""


@dataclass
class KnownFloors:
    """What is known of floors from page to page.

    Attributes:
        version: of the store that ``floors`` and ``standings`` are of.
        floors: of all its data sets.
        standings: None where there are no floors.
        matched: which runs ``datasets`` are of.
    """

    version: object = None
    floors: Sequence[Floor] = ()
    standings: Standings | None = None
    matched: object = None
    datasets: Collection[str] = ()


def with_floors(
    con: sqlite3.Connection,
    location: StoreLocation,
    known: KnownFloors,
    page: Page,
    choice: Choice,
    catalogue: Catalogue | None,
) -> Page:
    """Read the floors of a page's data sets, and where its rows stand against them."""
    version = page.request.version, catalogue is None
    if known.version != version:
        known.floors, known.version = floors(con, catalogue), version
        known.standings = _standings(con, location, known) if known.floors else None
    if known.standings is None:
        return page
    cells = cells_of_runs(con, [row.key for row in page.rows if _counts(row)])
    cells |= {row.key: Cell.named(row.cell) for row in page.rows if row.run is None}
    found = known.standings.of(con, cells.values())
    page = replace(
        page, standings={key: found[cell][1] for key, cell in cells.items() if cell in found}
    )
    if known.matched != page.request.matched:
        known.datasets = matching_datasets(con, choice.filter, choice.without)
        known.matched = page.request.matched
    shown = [floor for floor in known.floors if floor.cell.dataset in known.datasets]
    if not 0 < len(shown) <= MOST_FLOORS:
        return page
    sources = page.request.view.sources
    if page.request.view.by_cell:
        every = replace(choice, filter="")
        rows = [_row_of(con, every, floor.cell) for floor in shown]
        page = _with_cells(con, page, every, [floor.cell for floor in shown], catalogue)
    else:
        runs = read_runs(con, sources, [floor.run for floor in shown])
        rows = [CompareRow(run, runs[run]) for floor in shown if (run := floor.run) in runs]
    return replace(page, floors=tuple(rows))


def _standings(con: sqlite3.Connection, location: StoreLocation, known: KnownFloors) -> Standings:
    from engine.analysis.pairs.standings import Standings  # loads numpy: few stores need it

    before = known.standings
    return Standings(con, location, known.floors, before.kept if before else None)


def _counts(row: CompareRow) -> bool:
    return row.run is not None and row.run["state"] == "done" and not row.run.get("origin")


def _row_of(con: sqlite3.Connection, choice: Choice, cell: Cell) -> CompareRow:
    """Make the row of a cell, whatever the page shows."""
    return CompareRow(cell.name, None, cell.name, len(runs_of_cell(con, choice, cell.name)))


def _with_cells(
    con: sqlite3.Connection,
    page: Page,
    choice: Choice,
    cells: Sequence[Cell],
    catalogue: Catalogue | None,
) -> Page:
    """Read what rows of cells need that stand above the others."""
    names = [cell.name for cell in cells]
    marks = cells_marked(con, choice)
    labels = labels_at(con, choice, {cell.place for cell in cells}, catalogue)
    return replace(
        page,
        figures={**page.figures, **cell_figures(con, choice, names, page.request.view.sources)},
        marks={**page.marks, **{cell: marks.get(cell, ()) for cell in cells}},
        labels={**labels, **page.labels},
    )


def with_baseline(
    con: sqlite3.Connection,
    known: Sequence[Floor],
    page: Page,
    choice: Choice,
    catalogue: Catalogue | None,
) -> Page:
    """Read the baseline of a page, whether it matches or not, and which rows compare with it."""
    view = page.request.view
    run = run_of_baseline(con, view.baseline, choice.without) if view.baseline else None
    cell = cell_of_run(con, run) if run is not None else None
    if run is None or cell is None:
        return page
    if view.by_cell:
        every = replace(choice, filter="", imported=True)
        pinned = _row_of(con, choice, cell)
        of = choice if pinned.seeds else every
        if not pinned.seeds:
            pinned = _row_of(con, every, cell)
        if not pinned.seeds:
            return page
        page = _with_cells(con, page, of, [cell], catalogue)
    else:
        found = read_runs(con, view.sources, [run])
        pinned = CompareRow(run, found[run])
    rows = (*page.rows, *page.floors)
    newest = {row.key: row.key for row in rows if row.run is not None}
    newest |= {floor.cell.name: floor.run for floor in known}
    newest |= {each.name: run for each, run in page.newest.items()}
    origins = provenance_of(con, list({*newest.values(), run}))

    def conditions(row: CompareRow, run: str) -> dict[str, object]:
        return {**origins.get(run, {}), "dataset": row.place[1]}

    own = conditions(pinned, run)
    alike = {row.key for row in rows if compares(conditions(row, newest.get(row.key, "")), own)}
    return replace(page, pinned=pinned, comparable=frozenset(alike - {pinned.key}))


def read_runs(
    con: sqlite3.Connection, sources: Sequence[str], ids: Sequence[str]
) -> dict[str, Mapping[str, Value]]:
    """Read columns of runs, by id."""
    return {
        str(run): dict(zip(sources, values, strict=True))
        for run, *values in runs_by_id(con, ["id", *sources], ids)
    }

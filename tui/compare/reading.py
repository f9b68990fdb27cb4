"""Reading the comparison, in a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from engine.analysis.apart import Conditions, what_differs
from engine.analysis.columns.definitions import Aggregate, Column, Value
from engine.analysis.labels.stored import (
    label_of_run,
    stored_labels,
)
from engine.analysis.leaders import cell_leaders, leaders
from engine.analysis.literature.differences import Compared, elsewhere
from engine.analysis.literature.figures import Setup
from engine.analysis.literature.stored import setups_of
from engine.analysis.provenance import provenance_of
from engine.analysis.reference import ReferenceOfCell, references_of
from engine.analysis.run.relaunch import relaunch_command
from engine.analysis.scatter import Scatter, scatter
from engine.cell import Cell
from engine.spread import Spread
from engine.store.compare.comparison import (
    comparison,
    comparison_count,
    runs_by_id,
)
from engine.store.compare.grouping import (
    Choice,
    cell_figures,
    cell_table,
    cells_marked,
    cells_of_places,
    imported_left_out,
)
from engine.store.compare.lines import cell_lines
from engine.store.compare.ordering import Ordering
from engine.store.connect import KeptReader, connect_reader
from engine.store.costs.runs import Spent, spent_on
from engine.store.database import StoreConnection, fetch
from engine.store.location import StoreLocation
from engine.store.queries import run_spec
from engine.store.tags import parse_tags
from tui.compare.page import CompareRow, Leaders, Page, PageRequest
from tui.compare.pinned import KnownFloors, read_runs, with_baseline, with_floors

if TYPE_CHECKING:
    from engine.config import Catalogue, PublishedTable

__all__ = ["Aggregate", "Choice", "Column", "PageReader", "Scatter", "Written"]


@dataclass
class _Known:
    """What is known of the store from one connection.

    Attributes:
        asked: the order that was asked for last.
        ordered: what ``ordering`` is of.
        led: what ``leaders`` are of.
    """

    con: StoreConnection
    ordering: Ordering
    asked: object = None
    ordered: object = None
    led: object = None
    leaders: Leaders = field(default_factory=dict)
    floors: KnownFloors = field(default_factory=KnownFloors)


class PageReader:
    """Reads pages on one connection, which it keeps from page to page.

    Whoever asks for a second page in the same order is about to scroll: then the whole order is
    kept, as sorting 100,000 runs again for each page would be felt.
    """

    def __init__(self, location: StoreLocation) -> None:
        self._store = KeptReader(location)
        self._known: _Known | None = None

    def read(
        self, request: PageRequest, before: Page | None, catalogue: Catalogue | None = None
    ) -> Page:
        """Count what matches, and read the rows that are asked for.

        Args:
            before: the page that was read last; what it knows isn't asked for again.
            catalogue: knows what recipes give, which cells are named against.

        Raises:
            UserError, sqlite3.Error: the store can't be read, or the filter means nothing.
        """
        with self._store.reading() as con:
            known = self._known
            if known is None or known.con is not con:
                known = self._known = _Known(con, Ordering(con))
            if before is not None and before.request.matched != request.matched:
                before = None
            choice = visible_choice(con, request.choice)
            if request.view.by_cell:
                page = _read_cells(con, request, choice, before, catalogue)
            else:
                ordering = _ordering_of(known, request, choice)
                page = _read_runs(con, request, choice, before, ordering)
            page = with_floors(con, self._store.location, known.floors, page, choice, catalogue)
            page = with_baseline(con, known.floors.floors, page, choice, catalogue)
            return replace(page, leaders=_leaders_of(known, request))

    def close(self) -> None:
        """Let go of the store, once a read that goes on has ended."""
        self._store.close()


def _ordering_of(known: _Known, request: PageRequest, choice: Choice) -> Ordering | None:
    """What was put in order before, or is now; None where a page is quick without."""
    view = request.view
    wanted = (request.version, choice, view.sort.source, view.descending)
    if wanted != known.ordered:
        if wanted != known.asked:
            known.asked = wanted
            return None
        known.ordering.make(choice, view.sort.source, view.descending)
        known.ordered = wanted
    return known.ordering


def _leaders_of(known: _Known, request: PageRequest) -> Leaders:
    """The best figures of the store, or of the cells that match; imported ones lead in nothing."""
    columns = request.view.columns
    own = replace(request.choice, imported=False) if request.view.by_cell else None
    wanted = (request.version, columns, own)
    if wanted != known.led:
        con = known.con
        known.leaders = cell_leaders(con, columns, own) if own else leaders(con, columns)
        known.led = wanted
    return known.leaders


def visible_choice(con: sqlite3.Connection, choice: Choice) -> Choice:
    """Leave out the runs that the supervisor is asked to delete, as they are shown no more."""
    gone = {run for (run,) in fetch(con, "SELECT run FROM requests WHERE action = 'delete'")}
    return replace(choice, without=tuple(sorted({*choice.without, *gone})))


def _read_runs(
    con: sqlite3.Connection,
    request: PageRequest,
    choice: Choice,
    before: Page | None,
    ordering: Ordering | None,
) -> Page:
    view, (aggregate, without) = request.view, (choice.aggregate, choice.without)
    sources = view.sources
    if before is not None:
        total = before.total
    else:
        total = comparison_count(con, choice.filter, aggregate=aggregate, without=without)
    start = max(0, min(request.start, total - 1))
    if ordering is not None:
        rows = ordering.page(sources, start, request.count)
    else:
        rows = comparison(
            con,
            sources,
            view.sort.source,
            view.descending,
            choice.filter,
            request.count,
            start,
            aggregate=aggregate,
            without=without,
        )
    runs = (dict(zip(sources, row, strict=True)) for row in rows)
    found = tuple(CompareRow(str(run["id"]), run) for run in runs)
    return Page(replace(request, start=start), total, found)


def _read_cells(
    con: sqlite3.Connection,
    request: PageRequest,
    choice: Choice,
    before: Page | None,
    catalogue: Catalogue | None,
) -> Page:
    view, start = request.view, request.start
    order = (view.sort.source, view.descending, view.expanded, request.count)
    total, lines = cell_lines(con, choice, *order, start)
    if not lines and total:
        start = max(0, total - request.count)
        total, lines = cell_lines(con, choice, *order, start)
    runs = read_runs(con, view.sources, [line.run for line in lines if line.run is not None])
    cells = [line.cell for line in lines if line.run is None]
    figures: dict[str, Mapping[str, Spread]] = {}
    if before is not None and set(view.sources) <= set(before.request.view.sources):
        figures |= before.figures
    unknown = [cell for cell in cells if cell not in figures]
    figures |= cell_figures(con, choice, unknown, view.sources)
    newest = dict(before.newest) if before else {}
    labels = {cell: before.labels[cell] for cell in newest} if before else {}
    places = {Cell.named(cell).place for cell in cells} - {cell.place for cell in newest}
    if places:
        more = cells_of_places(con, choice, places)
        newest |= more
        labels |= stored_labels(con, more, catalogue)
    found = tuple(
        CompareRow(line.cell, None, line.cell, line.seeds)
        if line.run is None
        else CompareRow(line.run, runs[line.run], line.cell)
        for line in lines
        if line.run is None or line.run in runs
    )
    return Page(
        replace(request, start=start),
        total,
        found,
        figures,
        marks=before.marks if before else cells_marked(con, choice),
        left_out=before.left_out if before else imported_left_out(con, choice),
        settings=_settings(con, choice, cells, view.columns),
        labels=labels,
        newest=newest,
        apart=_apart(con, choice, cells),
    )


def _settings(
    con: sqlite3.Connection, choice: Choice, cells: Sequence[str], shown: Sequence[Column]
) -> dict[str, Mapping[str, Value]]:
    """Settings of cells that are texts, and so have no mean, by the cell's name."""
    sources = [column.source for column in shown if column.setting and column.kind == "text"]
    if not sources or not cells:
        return {}
    newest = {row.run: row.cell.name for row in cell_table(con, choice, [], cells)}
    return {newest[run]: values for run, values in read_runs(con, sources, list(newest)).items()}


def _apart(con: sqlite3.Connection, choice: Choice, names: Sequence[str]) -> str:
    """In what cells of one place and profile differ, the gravest first; empty where none do."""
    places: dict[tuple[object, ...], list[Cell]] = {}
    for cell in map(Cell.named, names):
        places.setdefault((*cell.place, cell.profile), []).append(cell)
    several = [alike for alike in places.values() if len(alike) > 1]
    shared = [cell.name for alike in several for cell in alike]
    if not shared:
        return ""
    newest = {row.cell: row.run for row in cell_table(con, choice, [], shared)}
    origins = provenance_of(con, list(newest.values()))

    def conditions(cell: Cell) -> Conditions:
        origin = origins.get(newest.get(cell, ""), {})
        digests = (cell.profile, cell.settings, cell.checksum)
        return Conditions(*digests, origin.get("split"), origin.get("protocol"))

    differs = {name for alike in several for name in what_differs([*map(conditions, alike)])}
    return next((name for name in ("data", "split", "protocol", "settings") if name in differs), "")


@dataclass(frozen=True)
class Written:
    """What people wrote about a run."""

    run: str
    note: str
    tags: tuple[str, ...]


def read_written(location: StoreLocation, runs: Sequence[str]) -> list[Written]:
    """Read what people wrote about some runs, in no order.

    Raises:
        StoreError: a store that can't be read.
    """
    with closing(connect_reader(location)) as con:
        found = runs_by_id(con, ["id", "note", "tags"], runs)
    return [Written(run, str(note), parse_tags(tags)) for run, note, tags in found]


def read_command(location: StoreLocation, run: str, catalogue: Catalogue | None) -> str:
    """Write the command that launches a run again.

    Raises:
        UsageError: there is no such run, or it was imported.
        StoreError: a store that can't be read.
    """
    with closing(connect_reader(location)) as con:
        spec = run_spec(con, run)
    return relaunch_command(spec.model_dump(mode="json"), catalogue)


@dataclass(frozen=True)
class PublishedForRun:
    """What is published for a run's model and data set.

    Attributes:
        references: what stands beside the run, table by table.
        others: of other sources, the most comparable first.
    """

    run: str
    references: Sequence[ReferenceOfCell]
    others: Sequence[Compared]


def read_published(
    location: StoreLocation,
    run: str,
    place: tuple[str, str, int],
    tables: Sequence[PublishedTable],
) -> PublishedForRun:
    """Read what is published for a run's model and data set.

    Raises:
        StoreError: a store that can't be read.
    """
    with closing(connect_reader(location)) as con:
        own = setups_of(con, [run]).get(run, Setup(length=place[2]))
    references = references_of(tables, *place, own)
    return PublishedForRun(run, references, elsewhere(tables, *place[:2], own, references))


def read_points(
    location: StoreLocation, choice: Choice, x: Column, y: Column, dots: tuple[int, int]
) -> Scatter:
    """Read the points of the scatter plot; ``dots`` across and down can be told apart.

    Raises:
        UserError: the store can't be read, or the filter means nothing.
    """
    with closing(connect_reader(location)) as con:
        return scatter(con, visible_choice(con, choice), x, y, *dots)


def read_spent(location: StoreLocation, runs: Sequence[str]) -> Spent:
    """Read what was put into runs. Raises `UserError` if the store can't be read."""
    with closing(connect_reader(location)) as con:
        return spent_on(con, runs)


def read_label(
    location: StoreLocation, choice: Choice, run: str, catalogue: Catalogue | None
) -> str:
    """Say what tells a run's cell from others of its model, data set and length.

    Raises:
        UserError: the store can't be read, or the filter means nothing.
    """
    with closing(connect_reader(location)) as con:
        return label_of_run(con, choice, run, catalogue)

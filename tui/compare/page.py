"""Reading a page of the comparison, and drawing its rows. No widget here; read in a thread."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine import marks
from engine.analysis.comparison import Column, Value, figure, short_spread_text
from engine.cell import FIELDS
from engine.cell import Cell as CellName
from engine.spread import Spread
from engine.store.compare.grouping import (
    Choice,
    cell_figures,
    cell_lines,
    imported_left_out,
)
from engine.store.compare.ordering import Ordering
from engine.store.tags import parse_tags
from tui.compare.columns import HELD, QUIET, screen_columns, table_columns
from tui.shell.states import IMPORTED, MARKED, glyph
from tui.shell.text import ago, plain
from tui.widgets.table_cells import WIDEST, Cell, TableRow

__all__ = ["Leaders", "Line", "Page", "Request", "read_page", "screen_columns", "table_columns"]

Leaders = Mapping[tuple[str, str], float]
"""The best figure among the runs that are done, by data set and the store's column."""

Figures = Mapping[str, Mapping[str, Spread]]
"""Of cells, by name and the store's column."""


@dataclass(frozen=True)
class Request:
    """What to read: which runs, in which order, which of them."""

    sources: tuple[str, ...]
    sort: str
    descending: bool
    choice: Choice
    start: int
    count: int
    grouped: bool = False
    expanded: frozenset[str] = frozenset()
    version: int = 0
    """Of the store: what is known of another one isn't used."""


@dataclass(frozen=True)
class Line:
    """One line of the table: a run, or a cell."""

    key: str
    run: Mapping[str, Value] | None
    """Its figures by the store's column names; None for a cell."""
    cell: str = ""
    """The cell's name; of a run the cell's below which it stands, if any."""
    seeds: int = 0

    @property
    def of_cell(self) -> tuple[str, str, int]:
        """Model, data set and length."""
        if self.run is None:
            return CellName.named(self.cell).place
        return str(self.run["model"]), str(self.run["dataset"]), int(self.run["length"] or 0)


@dataclass(frozen=True)
class Page:
    """What was read."""

    request: Request
    total: int
    lines: tuple[Line, ...]
    figures: Figures = field(default_factory=dict)
    left_out: int = 0
    """Imported runs that match and make no cell."""

    def line(self, key: str | None) -> Line | None:
        """The line of that key, if it was read."""
        return next((line for line in self.lines if line.key == key), None)


def read_page(
    con: sqlite3.Connection,
    request: Request,
    before: Page | None = None,
    ordering: Ordering | None = None,
) -> Page:
    """Count what matches, and read the asked lines.

    Args:
        before: the last page that was read: what it knows isn't asked for again.
        ordering: what matches, in the asked order, if that was made.

    Raises:
        UsageError: a filter that means nothing.
    """
    if before is not None and not _same_runs(before.request, request):
        before = None
    choice = visible_choice(con, request.choice)
    if request.grouped:
        return _read_cells(con, request, choice, before)
    return _read_runs(con, request, choice, before, ordering)


def visible_choice(con: sqlite3.Connection, choice: Choice) -> Choice:
    """Without the runs that the supervisor is asked to delete, as they are shown no more."""
    from engine.store.database import fetch

    gone = {row[0] for row in fetch(con, "SELECT run FROM requests WHERE action = 'delete'")}
    return replace(choice, without=tuple(sorted({*choice.without, *gone})))


def _same_runs(one: Request, other: Request) -> bool:
    return (one.version, one.choice, one.grouped) == (other.version, other.choice, other.grouped)


def _read_runs(
    con: sqlite3.Connection,
    request: Request,
    choice: Choice,
    before: Page | None,
    ordering: Ordering | None,
) -> Page:
    from engine.store import queries

    total = (
        before.total
        if before is not None
        else queries.comparison_count(
            con, choice.filter, aggregate=choice.aggregate, without=choice.without
        )
    )
    start = max(0, min(request.start, total - 1))
    if ordering is not None:
        rows = ordering.page(request.sources, start, request.count)
    else:
        rows = queries.comparison(
            con,
            request.sources,
            request.sort,
            request.descending,
            choice.filter,
            request.count,
            start,
            aggregate=choice.aggregate,
            without=choice.without,
        )
    runs = (dict(zip(request.sources, row, strict=True)) for row in rows)
    lines = tuple(Line(str(run["id"]), run) for run in runs)
    return Page(replace(request, start=start), total, lines)


def _read_cells(
    con: sqlite3.Connection, request: Request, choice: Choice, before: Page | None
) -> Page:
    start = request.start
    order = (request.sort, request.descending, request.expanded, request.count)
    total, lines = cell_lines(con, choice, *order, start)
    if not lines and total:
        start = max(0, total - request.count)
        total, lines = cell_lines(con, choice, *order, start)
    ids = [line.run for line in lines if line.run is not None]
    runs = _runs(con, request.sources, ids)
    cells = [line.cell for line in lines if line.run is None]
    figures: dict[str, Mapping[str, Spread]] = {}
    if before is not None and set(request.sources) <= set(before.request.sources):
        figures |= before.figures
    figures |= cell_figures(
        con, choice, [cell for cell in cells if cell not in figures], request.sources
    )
    found = tuple(
        Line(line.cell, None, line.cell, line.seeds)
        if line.run is None
        else Line(line.run, runs[line.run], line.cell)
        for line in lines
        if line.run is None or line.run in runs
    )
    left_out = before.left_out if before is not None else imported_left_out(con, choice)
    return Page(replace(request, start=start), total, found, figures, left_out)


def _runs(
    con: sqlite3.Connection, sources: Sequence[str], ids: Sequence[str]
) -> dict[str, Mapping[str, Value]]:
    from engine.store.compare.comparison import runs_by_id

    return {
        str(row[0]): dict(zip(sources, row[1:], strict=True))
        for row in runs_by_id(con, ["id", *sources], ids)
    }


AGE_SECONDS = 5.0
"""An age on the screen is at most so much too young."""


@dataclass
class Drawn:
    """Rows as they were drawn last: who pages past a run draws it once."""

    looks: tuple[Sequence[Column], Leaders, int] | None = None
    """Columns, best figures, and about when, where a column tells ages."""
    rows: dict[str, tuple[Line, tuple[Cell, ...]]] = field(default_factory=dict)
    """Of runs, by their ids."""


def table_rows(
    page: Page,
    shown: Sequence[Column],
    leaders: Leaders,
    marked: Collection[str] = (),
    before: Drawn | None = None,
) -> list[TableRow]:
    """The table's rows, keyed by run id or the cell's name.

    Args:
        before: what was drawn the last time, which becomes what is drawn now.
    """
    drawn = before or Drawn()
    ages = any(column.name == "queued" for column in shown)
    looks = (shown, leaders, int(time.time() / AGE_SECONDS) if ages else 0)
    known = drawn.rows if drawn.looks == looks else {}
    drawn.looks, drawn.rows = looks, {}
    rows = []
    for line in page.lines:
        if line.run is None:
            cells = _cell_row(line, page, shown, leaders)
        else:
            same = known.get(line.key)
            cells = same[1] if same and same[0] == line else _run_row(line, shown, leaders)
            drawn.rows[line.key] = (line, cells)
        rows.append(TableRow(line.key, cells, line.key in marked))
    return rows


def _run_row(line: Line, shown: Sequence[Column], leaders: Leaders) -> tuple[Cell, ...]:
    assert line.run is not None
    below = "muted" if line.cell else ""
    return tuple(_cell(line.run, column, leaders, below) for column in shown)


def _cell_row(
    line: Line, page: Page, shown: Sequence[Column], leaders: Leaders
) -> tuple[Cell, ...]:
    facts = CellName.named(line.cell)
    spreads = page.figures.get(line.cell, {})
    open_ = line.key in page.request.expanded
    return tuple(_of_cell(line, facts, spreads, open_, column, leaders) for column in shown)


def _of_cell(
    line: Line,
    facts: CellName,
    spreads: Mapping[str, Spread],
    open_: bool,
    column: Column,
    leaders: Leaders,
) -> Cell:
    match column.name:
        case "state":
            return Cell("▾" if open_ else "▸", "state-done")
        case "seed":
            sign = IMPORTED if facts.profile == marks.IMPORTED else ""
            return Cell(f"{sign}×{line.seeds}", "muted" if line.seeds == 1 else "")
        case "run":
            return Cell(plain(str(facts.settings), WIDEST), "muted")
    if column.source in FIELDS:
        return Cell(
            plain(str(getattr(facts, column.source)), WIDEST),
            "muted" if column.name in QUIET else "",
        )
    spread = spreads.get(column.source)
    if spread is None:
        return Cell("–", "muted")
    best = leaders.get((facts.dataset, column.source)) if column.better else None
    return Cell(short_spread_text(spread, column.kind), "best" if best == spread.mean else "")


_DISTURBED = frozenset({"EpochTime", "TotalTime", "GPU/Memory(MiB)", "GPU/Utilization(%)"})
"""What another process or a slow clock changes."""


def _cell(run: Mapping[str, Value], column: Column, leaders: Leaders, tone: str = "") -> Cell:
    value = run[column.source]
    state = str(run["state"])
    if column.name == "state":
        return Cell(IMPORTED if run.get("origin") else glyph(state), f"state-{state}")
    if column.name in HELD:
        return Cell(
            plain(figure(value, column.kind), WIDEST), "" if column.name == "seed" else tone
        )
    text = cell_text(value, column)
    if not text:
        return Cell("–", "muted")
    if column.kind == "text":
        return Cell(text, "muted" if column.name in QUIET else "")
    if run.get("marks") and column.name in _DISTURBED:
        return Cell(f"{MARKED}{text}", "state-paused")
    if state == "done" and column.better and not tone:
        best = leaders.get((str(run["dataset"]), column.source))
        if best is not None and value == best:
            return Cell(text, "best")
    return Cell(text)


def cell_text(value: Value, column: Column) -> str:
    """A value of a run as the table shows it; empty for none."""
    if value is None or value == "":
        return ""
    match column.name:
        case "tags":
            return plain(" ".join(parse_tags(value)), WIDEST)
        case "queued":
            return ago(value) if isinstance(value, int | float) else ""
    text = figure(value, column.kind)
    return plain(text, WIDEST) if isinstance(value, str) else text

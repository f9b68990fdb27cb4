"""The comparison as rows of a table: how runs and cells look. No widget here."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from engine import marks
from engine.analysis.baseline import difference_text, has_difference
from engine.analysis.columns.definitions import COSTS, Column, Value
from engine.analysis.columns.offered import HELD, QUIET
from engine.analysis.columns.text import figure, spread_text, told
from engine.analysis.floor import SIGN, with_sign
from engine.cell import FIELDS
from engine.cell import Cell as CellName
from engine.store.tags import is_annotated, parse_tags
from tui.compare.page import CompareRow, Leaders, Page
from tui.shell.states import ANNOTATED, IMPORTED, MARKED, glyph
from tui.shell.text import ago, plain
from tui.widgets.table_cells import WIDEST, Cell, TableRow

BASELINE = "="
"""The sign in place of the baseline's state."""

FLOOR = "_"
"""The sign in place of a floor's state."""

REFIT = "refit"
"""What stands after the model of a run that was trained again with validation included."""

AGE_SECONDS = 5.0
"""Seconds by which an age on the screen may be out of date."""


@dataclass
class Drawn:
    """Rows as they were drawn last: who pages past a run draws it once.

    Attributes:
        looks: columns, best figures, the baseline, and about when, where a column tells ages.
        rows: those of runs, by their ids.
    """

    looks: tuple[object, ...] | None = None
    rows: dict[str, tuple[CompareRow, tuple[Cell, ...]]] = field(default_factory=dict)


def table_rows(
    page: Page,
    shown: Sequence[Column],
    marked: Collection[str] = (),
    before: Drawn | None = None,
) -> list[TableRow]:
    """Draw the rows of a page, keyed by run id or the cell's name.

    Args:
        before: what was drawn the last time, which becomes what is drawn now.
    """
    drawn = before or Drawn()
    ages = any(column.name == "age" for column in shown)
    looks = (
        shown,
        page.leaders,
        page.pinned,
        page.comparable,
        int(time.time() / AGE_SECONDS) if ages else 0,
    )
    known = drawn.rows if drawn.looks == looks else {}
    drawn.looks, drawn.rows = looks, {}
    rows = []
    for row in page.rows:
        if row.run is None:
            name = CellName.named(row.cell)
            cells = tuple(_of_cell(row, name, page, column) for column in shown)
            cells = _with_differences(row, cells, page, shown)
        else:
            same = known.get(row.key)
            if same and same[0] == row:
                cells = same[1]
            else:
                below = "muted" if row.cell else ""
                cells = tuple(_cell(row.run, column, page.leaders, below) for column in shown)
                cells = _with_differences(row, cells, page, shown)
            drawn.rows[row.key] = (row, cells)
        rows.append(TableRow(row.key, _with_standing(row, cells, page, shown), row.key in marked))
    return rows


def pinned_rows(page: Page, shown: Sequence[Column]) -> list[TableRow]:
    """Draw the baseline, and below it the floors."""
    found = [(BASELINE, page.pinned)] if page.pinned else []
    found += [(FLOOR, row) for row in page.floors if not found or row.key != found[0][1].key]
    return [
        TableRow(row.key, (Cell(sign, "strong"), *_pinned_cells(row, page, shown)[1:]))
        for sign, row in found
    ]


def _pinned_cells(row: CompareRow, page: Page, shown: Sequence[Column]) -> tuple[Cell, ...]:
    if row.run is None:
        name = CellName.named(row.cell)
        cells = tuple(_of_cell(row, name, page, column) for column in shown)
    else:
        cells = tuple(_cell(row.run, column, page.leaders) for column in shown)
    return _with_differences(row, cells, page, shown)


def _with_standing(
    row: CompareRow, cells: tuple[Cell, ...], page: Page, shown: Sequence[Column]
) -> tuple[Cell, ...]:
    """Put after the model's name where the row stands against its floor."""
    where = page.standings.get(row.key)
    if where is None or not SIGN[where]:
        return cells
    place = next(n for n, column in enumerate(shown) if column.name == "model")
    named = Cell(with_sign(cells[place].text, where), cells[place].tone)
    return (*cells[:place], named, *cells[place + 1 :])


def _with_differences(
    row: CompareRow, cells: Sequence[Cell], page: Page, shown: Sequence[Column]
) -> tuple[Cell, ...]:
    """Put after each figure its difference to the baseline, where there is one."""
    if page.pinned is None:
        return tuple(cells)
    found = []
    for column, cell in zip(shown, cells, strict=True):
        found.append(cell)
        if has_difference(column):
            known = page.difference(row, column)
            # Quiet, whichever way it points: whether it is one, the paired test says.
            found.append(Cell(difference_text(column, known), "muted"))
    return tuple(found)


def exact_text(row: CompareRow, page: Page, column: Column) -> str:
    """Write a value for the clipboard: a run's with every digit, a cell's as the table shows it."""
    if row.run is None:
        if column.name == "seed":
            return str(row.seeds)
        return _of_cell(row, CellName.named(row.cell), page, column).text
    value = told(row.run[column.source], column.kind)
    if column.name in ("tags", "age"):
        return cell_text(value, column)
    return plain("" if value is None else str(value))


def _of_cell(row: CompareRow, name: CellName, page: Page, column: Column) -> Cell:
    match column.name:
        case "state":
            return Cell("▾" if row.key in page.request.view.expanded else "▸", "state-done")
        case "seed":
            sign = IMPORTED if name.profile == marks.IMPORTED else ""
            return Cell(f"{sign}×{row.seeds}", "muted" if row.seeds == 1 else "")
        case "model":
            return Cell(plain(f"{name.model} {page.labels.get(name, '')}".rstrip(), WIDEST))
        case "run":
            return Cell("–", "muted")
        case "marks":
            return Cell(page.marks_of(row) or "–", "muted")
    if column.source in FIELDS:
        return Cell(
            plain(str(getattr(name, column.source)), WIDEST),
            "muted" if column.name in QUIET else "",
        )
    if column.setting and column.kind == "text":
        value = page.settings.get(row.cell, {}).get(column.source)
        return Cell(cell_text(value, column)) if value is not None else Cell("–", "muted")
    spread = page.figures.get(row.cell, {}).get(column.source)
    if spread is None:
        return Cell("–", "muted")
    if column.name == "age":
        return Cell(cell_text(spread.mean, column))  # a moment has no deviation worth a column
    text = spread_text(spread, column.kind)
    if _is_marked(page.marks_of(row), column):
        return Cell(f"{MARKED}{text}", "state-marked")
    best = page.leaders.get((name.dataset, column.source)) if column.better else None
    return Cell(text, "best" if best == spread.mean else "")


def _cell(run: Mapping[str, Value], column: Column, leaders: Leaders, tone: str = "") -> Cell:
    value = run[column.source]
    state = str(run["state"])
    if column.name == "state":
        return Cell(IMPORTED if run.get("origin") else glyph(state), f"state-{state}")
    if column.name in HELD:
        text = plain(figure(value, column.kind), WIDEST)
        if column.name == "model" and run.get("refits"):
            text = f"{text} {REFIT}"
        if column.name == "model" and is_annotated(run.get("note"), run.get("tags")):
            text = f"{text} {ANNOTATED}"
        return Cell(text, "" if column.name == "seed" else tone)
    text = cell_text(value, column)
    if not text:
        return Cell("–", "muted")
    if column.kind == "text":
        return Cell(text, "muted" if column.name in QUIET else "")
    if _is_marked(run.get("marks"), column):
        return Cell(f"{MARKED}{text}", "state-marked")
    if state == "done" and column.better and not tone:
        best = leaders.get((str(run["dataset"]), column.source))
        if best is not None and value == best:
            return Cell(text, "best")
    return Cell(text)


def _is_marked(given: Value, column: Column) -> bool:
    """Whether a mark says that a figure in this column isn't comparable."""
    if column.name in COSTS:
        return bool(marks.of_times(given))
    return column.kind == "metric" and bool(marks.of_metrics(given))


def cell_text(value: Value, column: Column) -> str:
    """A run's value as the table shows it; empty for none."""
    if value is None or value == "":
        return ""
    match column.name:
        case "tags":
            return plain(" ".join(parse_tags(value)), WIDEST)
        case "age":
            return ago(value) if isinstance(value, int | float) else ""
    text = figure(value, column.kind)
    return plain(text, WIDEST) if isinstance(value, str) else text

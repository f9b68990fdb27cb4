"""The pivot as rows of a table: which are in sight, and how they look. No widget here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal

from engine.analysis.columns.definitions import Value
from engine.analysis.columns.offered import choosable, of_figures
from engine.analysis.columns.text import split_heading
from engine.analysis.pivot.arranged import BESIDE, COLUMNS, PivotRow, places_shown
from engine.analysis.pivot.text import HEADING, exact_figures, pivot_texts
from tui.dialogs.offer import Offer
from tui.shell.text import plain
from tui.widgets.table_cells import WIDEST, Cell, TableColumn, TableRow

Fold = tuple[str, str]
"""A model, and a data set or nothing."""

Leaders = Mapping[tuple[str, int], Value]
"""The best figure of any cell, by data set and the column's place."""

FOLDS = ("every cell", "data sets", "models")
"""What may be in sight at once."""

MOST_FLOORS = 3
"""The most floors that stay in sight at once."""

LABEL, SEEDS = "label", "seeds"
_INDENT = {"model": 0, "dataset": 2, "length": 6, "total": 0}
_BESIDE_INDENT = 8
_VERDICTS = {"better": "state-done", "worse": "state-failed"}


def table_columns(shown: Iterable[str] = COLUMNS) -> list[TableColumn]:
    """Return the table's columns: labels and seeds stay at the left, the figures scroll."""
    columns = [
        TableColumn(LABEL, ("", HEADING), len("Grand Total (Max)"), fixed=True),
        TableColumn(SEEDS, ("", SEEDS), len(SEEDS), right=True, fixed=True),
    ]
    for name in shown:
        first, second = split_heading(name)
        columns.append(TableColumn(name, (first, second), max(len(first), len(second)), right=True))
    return columns


def columns_offer() -> Offer:
    """Return the columns that the user may choose; the choice is for all stores."""
    held = "the row labels and the number of seeds stay at the left"
    return Offer(of_figures(choosable()), COLUMNS, held, "pivot")


def in_sight(
    rows: Iterable[PivotRow], folded: Collection[Fold], *, reference: bool
) -> list[PivotRow]:
    """Leave out the rows that are folded away, and published figures unless ``reference``."""
    return [
        row
        for row in rows
        if row.level in ("model", "total")
        or (
            (row.model, "") not in folded
            and (row.level == "dataset" or (row.model, row.dataset) not in folded)
            and (reference or row.level not in BESIDE)
        )
    ]


def folds_at(rows: Iterable[PivotRow], depth: int) -> set[Fold]:
    """Return what is folded for `FOLDS[depth]`."""
    if depth == 0:
        return set()
    level = "dataset" if depth == 1 else "model"
    return {fold for row in rows if row.level == level and (fold := fold_of(row))}


def fold_of(row: PivotRow) -> Fold | None:
    """Return what folds with a row: a model or data set itself, its data set if it is below."""
    return None if row.level == "total" else (row.model, row.dataset)


def row_key(row: PivotRow) -> str:
    """Return what tells a row from the others, whatever its figures."""
    return "\x1f".join((row.level, row.model, row.dataset, str(row.length), row.cell, row.label))


def columns_shown(rows: Sequence[PivotRow], names: Sequence[str]) -> tuple[str, ...]:
    """Return those of the pivot's columns to show of these rows, folded or not."""
    return tuple(names[place] for place in places_shown(rows, names))


def table_rows(
    rows: Sequence[PivotRow],
    leaders: Leaders,
    folded: Collection[Fold],
    marked: Collection[str],
    names: Sequence[str] = COLUMNS,
    shown: Collection[str] | None = None,
) -> list[TableRow]:
    """Draw the table's rows, in order.

    Args:
        names: the columns that the rows' figures are of.
        shown: the ones that are drawn; all if not given.
    """
    return [
        TableRow(
            row_key(row),
            (
                Cell(_label(row, folded), _label_tone(row)),
                Cell(f"×{row.seeds}" if row.seeds else "", "muted" if row.seeds == 1 else ""),
                *_figures(row, leaders, names, shown),
            ),
            bool(row.cell) and row.cell in marked,
        )
        for row in rows
    ]


def floor_rows(
    floors: Sequence[PivotRow], leaders: Leaders, names: Sequence[str], shown: Collection[str]
) -> list[TableRow]:
    """Draw the floors that stay above the rows; none if they are too many."""
    if len(floors) > MOST_FLOORS:
        return []
    return [
        TableRow(
            f"floor\x1f{row_key(row)}",
            (
                Cell(plain(row.label, WIDEST), "strong"),
                Cell(f"×{row.seeds}", "muted"),
                *_figures(row, leaders, names, shown),
            ),
        )
        for row in floors
    ]


def _label(row: PivotRow, folded: Collection[Fold]) -> str:
    indent = " " * _INDENT.get(row.level, _BESIDE_INDENT)
    sign = ""
    if row.level in ("model", "dataset"):
        sign = "▸ " if (row.model, row.dataset) in folded else "▾ "
    return f"{indent}{sign}{plain(row.label, WIDEST)}"


def _label_tone(row: PivotRow) -> str:
    if row.level in BESIDE:
        return "muted"
    return "" if row.is_cell else "strong"


def _figures(
    row: PivotRow, leaders: Leaders, names: Sequence[str], shown: Collection[str] | None
) -> Iterable[Cell]:
    for place, (text, value) in enumerate(zip(pivot_texts(row, names), row.figures, strict=True)):
        if shown is None or names[place] in shown:
            yield Cell(text, _tone(row, place, text, value, leaders))


def _tone(row: PivotRow, place: int, text: str, value: Value | Decimal, leaders: Leaders) -> str:
    if row.level == "verdict":
        return _VERDICTS.get(text, "muted")
    if value is None or row.level in ("published", "alike", "difference"):
        return "muted"
    if row.is_cell:
        return "best" if leaders.get((row.dataset, place)) == value else ""
    return "strong"


def exact_text(row: PivotRow, column: str, names: Sequence[str] = COLUMNS) -> str:
    """Write a value with every digit; empty for none."""
    values: dict[str, Value | Decimal] = {LABEL: row.label, SEEDS: row.seeds}
    values |= exact_figures(row, names)
    value = values[column]
    return plain("" if value is None else str(value))


def as_tabs(rows: Sequence[PivotRow], names: Sequence[str] = COLUMNS) -> str:
    """Write all rows, tabs between the columns, each label with what it stands below."""
    places = places_shown(rows, names)
    lines = [["", SEEDS, *(names[place] for place in places)]]
    for row in rows:
        seeds = "" if row.seeds is None else str(row.seeds)
        place = dict.fromkeys(part for part in (row.model, row.dataset, row.label) if part)
        texts = pivot_texts(row, names)
        lines.append([plain(" › ".join(place)), seeds, *(texts[column] for column in places)])
    return "\n".join("\t".join(line) for line in lines)

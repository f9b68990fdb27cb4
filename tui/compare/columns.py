"""How the comparison's columns look in a table, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.analysis.baseline import has_difference
from engine.analysis.columns.definitions import DIFFERENCE, Aggregate, Column
from engine.analysis.columns.meanings import meaning
from engine.analysis.columns.offered import DEFAULT, HELD, choosable
from engine.analysis.columns.text import split_heading
from tui.dialogs.offer import Offer
from tui.widgets.table_cells import TableColumn

_HEADINGS = {
    "state": ("", ""),
    "model": ("", "model"),
    "dataset": ("", "dataset"),
    "length": ("", "L"),
    "seed": ("", "seed"),
}
_DIFFERENCE = ("to", "baseline")
_WIDTHS = {"state": 1, "model": 8, "dataset": 9, "length": 3, "seed": 4, "run": 12, "note": 12}
_SPREAD = 15
"""Cells of ``0.1612 ± 0.0004``."""


def column_topics(
    shown: Iterable[Column], source: str, aggregate: Aggregate
) -> Iterator[tuple[str, str]]:
    """Explain the shown column of that source: its name, and what it means."""
    for column in shown:
        if column.source == source:
            yield column.name, meaning(column, aggregate)


def columns_offer() -> Offer:
    """Return the columns that the user may choose; the choice is for all stores."""
    return Offer(choosable(), DEFAULT, f"{', '.join(HELD)} stay at the left", "compare")


def source_of(key: str) -> str:
    """Return the store's name of a table's column, for that of differences too."""
    return key.removesuffix(DIFFERENCE)


def table_columns(
    shown: Iterable[Column], *, grouped: bool = False, baseline: bool = False
) -> list[TableColumn]:
    """Say how the columns stand in the table.

    Args:
        grouped: whether there is one row per cell.
        baseline: whether differences to a baseline follow the figures.
    """
    result = []
    for column in shown:
        heading = _HEADINGS.get(column.name) or split_heading(column.name)
        if grouped and column.name == "seed":
            heading = ("", "seeds")
        held = column.name in HELD
        least = _SPREAD if grouped and not held and column.kind != "text" else 6
        width = max(len(heading[0]), len(heading[1]), _WIDTHS.get(column.name, least))
        result.append(
            TableColumn(
                key=column.source,
                heading=heading,
                width=width,
                right=column.kind != "text",
                fixed=held,
            )
        )
        if baseline and has_difference(column):
            key = column.source + DIFFERENCE
            result.append(TableColumn(key, _DIFFERENCE, len(_DIFFERENCE[1]), right=True))
    return result

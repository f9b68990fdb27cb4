"""What the pivot's threads read, and how they tell their screen."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from engine.analysis.comparison import AGGREGATE_MEANING, Aggregate, parse_aggregate
from engine.analysis.pivot.arranged import BESIDE, PivotRow
from engine.analysis.pivot.stored import StoredPivot, leaders, stored_pivot
from engine.analysis.pivot.text import ENDINGS, for_people, format_pivot
from engine.store.compare.grouping import Choice, imported_left_out, runs_of_cell
from tui.pivot.rows import Leaders
from tui.shell.text import PARAGRAPH, count, plain

if TYPE_CHECKING:
    from engine.config import ReferenceTable
    from engine.store.location import StoreLocation

Intervals = Mapping[str, tuple[float, float]]
"""Of means, at 95 % over users, by `engine.metrics.METRICS`."""

MOST_SEEDS = 100
"""Of a cell whose intervals are read: each seed's ranks are a file."""


@dataclass(frozen=True)
class Shown:
    """A pivot as it was read."""

    choice: Choice
    found: StoredPivot = field(default_factory=StoredPivot)
    rows: tuple[PivotRow, ...] = ()
    """For people: margins beside their differences."""
    leaders: Leaders = field(default_factory=dict)
    imported: int = 0
    """Runs of other programs that match and make no cell."""


@dataclass(frozen=True)
class PivotExport:
    """The pivot as a file: a `tui.results.export.Export`."""

    rows: tuple[PivotRow, ...]
    choice: Choice
    usual: str = "pivot.xlsx"
    endings: tuple[str, ...] = tuple(ENDINGS)

    def summary(self) -> str:
        """What is in it."""
        beside = (
            ", published figures below them" if any(r.level in BESIDE for r in self.rows) else ""
        )
        aggregate = parse_aggregate(self.choice.aggregate)
        parts = [
            f"All cells, folded or not, with maxima{beside}.",
            f"{aggregate.capitalize()}: {AGGREGATE_MEANING[aggregate]}.",
            *(
                [f"Only {plain(self.choice.filter, PARAGRAPH)}"]
                if self.choice.filter.strip()
                else []
            ),
        ]
        return "\n".join(parts)

    def write(self, con: sqlite3.Connection, path: Path) -> str:  # noqa: ARG002 - it is read
        """Write the file. Raises `OSError` where it can't be."""
        from engine.atomic import write_atomically

        write_atomically(path, format_pivot(self.rows, ENDINGS[path.suffix.lower()]))
        return count(sum(row.is_cell for row in self.rows), "cell")


class PivotRead(Message):
    """The pivot came from the store, or why it didn't."""

    def __init__(self, shown: Shown | str) -> None:
        super().__init__()
        self.shown = shown


class IntervalsRead(Message):
    """A cell's intervals over users, or why there are none."""

    def __init__(self, cell: str, found: Intervals | str) -> None:
        super().__init__()
        self.cell = cell
        self.found = found


def read_shown(
    con: sqlite3.Connection, choice: Choice, aggregate: Aggregate, tables: Iterable[ReferenceTable]
) -> Shown:
    """The pivot of a store. Raises `UsageError` for a filter that means nothing."""
    found = stored_pivot(con, choice, aggregate, tables)
    rows = tuple(for_people(found.rows))
    left_out = imported_left_out(con, choice)
    return Shown(choice, found, rows, leaders(rows, aggregate), left_out)


def cell_intervals(
    con: sqlite3.Connection, location: StoreLocation, choice: Choice, cell: str
) -> Intervals | str:
    """The intervals of a cell's test metrics over all items, or a sentence why there are none."""
    from engine.analysis.pairs.cells import intervals

    runs = runs_of_cell(con, choice, cell)
    if len(runs) > MOST_SEEDS:
        return f"Not read: it has more than {MOST_SEEDS} seeds."
    return intervals(con, location, runs)

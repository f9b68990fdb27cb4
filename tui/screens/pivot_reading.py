"""What the pivot's threads read, and how they tell their screen."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.message import Message

from engine.analysis.comparison import Aggregate
from engine.analysis.pivot import PivotRow
from engine.analysis.pivot_store import StoredPivot, leaders, stored_pivot
from engine.analysis.pivot_text import for_people
from engine.store.grouping import Choice, runs_of_cell
from tui.screens.pivot_rows import Leaders

if TYPE_CHECKING:
    from engine.config import ReferenceTable
    from engine.store.location import StoreLocation

Intervals = Mapping[str, tuple[float, float]]
"""Of means, at 95 % over users, by `engine.metrics.METRICS`."""


@dataclass(frozen=True)
class Shown:
    """A pivot as it was read."""

    choice: Choice
    found: StoredPivot = field(default_factory=StoredPivot)
    rows: tuple[PivotRow, ...] = ()
    """For people: margins beside their differences."""
    leaders: Leaders = field(default_factory=dict)


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
    return Shown(choice, found, rows, leaders(rows, aggregate))


def cell_intervals(
    con: sqlite3.Connection, location: StoreLocation, choice: Choice, cell: str
) -> Intervals | str:
    """The intervals of a cell's test metrics over all items, or a sentence why there are none."""
    return run_intervals(con, location, runs_of_cell(con, choice, cell))


def run_intervals(
    con: sqlite3.Connection, location: StoreLocation, runs: list[str]
) -> Intervals | str:
    """As `cell_intervals`, of runs that differ in seed only."""
    from engine.analysis.cells import interval, ranked_cell

    ranked, problems = ranked_cell(con, location, runs)
    if problems:
        return problems[0]
    if ranked is None:
        return "Not known: no run has ranks of its test users."
    share = interval(ranked, "hit", masked=False)
    return {
        "ndcg": interval(ranked, "ndcg", masked=False),
        "mrr": interval(ranked, "mrr", masked=False),
        "hit": share,
        "recall": share,
    }

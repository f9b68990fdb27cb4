"""A page of the comparison: what is asked for, and what was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.analysis.baseline import difference
from engine.analysis.columns.definitions import Column, Value
from engine.analysis.floor import Standing
from engine.cell import Cell
from engine.spread import Spread
from engine.store.compare.grouping import Choice
from tui.compare.view import View

Leaders = Mapping[tuple[str, str], float]
"""The best figure among the runs that are done, by data set and the store's column."""

Figures = Mapping[str, Mapping[str, Spread]]
"""Figures of cells, by the cell's name and the store's column."""


@dataclass(frozen=True)
class PageRequest:
    """What to read.

    Attributes:
        hidden: ids of runs that are out of sight, as they are being deleted.
        start: number of the first row, from 0 on.
        version: of the store; what is known of another version isn't used.
        follow: whether the cursor goes where its row went, else it keeps its number.
    """

    view: View
    start: int
    count: int
    hidden: tuple[str, ...] = ()
    version: int = 0
    follow: bool = True

    @property
    def choice(self) -> Choice:
        """Which runs are compared."""
        return self.view.choice(self.hidden)

    @property
    def matched(self) -> tuple[object, ...]:
        """What tells which rows there are, in whatever order and columns."""
        return self.version, self.choice, self.view.by_cell


@dataclass(frozen=True)
class CompareRow:
    """One row of the comparison: a run, or a cell.

    Attributes:
        key: the run's id, or the cell's name.
        run: a run's figures by the store's column names; None for a cell.
        cell: the cell's name; of a run, the name of the cell below which it stands, if any.
        seeds: how many runs a cell is made of.
    """

    key: str
    run: Mapping[str, Value] | None
    cell: str = ""
    seeds: int = 0

    @property
    def place(self) -> tuple[str, str, int]:
        """Model, data set and length."""
        if self.run is None:
            return Cell.named(self.cell).place
        return str(self.run["model"]), str(self.run["dataset"]), int(self.run["length"] or 0)


@dataclass(frozen=True)
class Page:
    """What was read.

    Attributes:
        total: how many rows there are; ``rows`` are those from ``request.start`` on.
        marks: marks of the cells that have any (`engine.marks`).
        left_out: imported runs that match and make no cell.
        settings: values of settings that are texts, by the cell's name and the store's column.
        labels: what tells cells apart from others of their model, data set and length.
        newest: the newest run of cells, at least of those in ``rows``.
        apart: in what cells of one place differ, such as ``settings``; empty where none do.
        pinned: the baseline; None without one, or if the store doesn't have it.
        floors: the floors of the data sets that match, if they are few.
        standings: where cells in ``rows``, and cells of runs there, stand against their floor, by
            the key of the row.
        comparable: keys of other rows that have the baseline's data, split and protocol.
    """

    request: PageRequest
    total: int
    rows: tuple[CompareRow, ...]
    figures: Figures = field(default_factory=dict)
    leaders: Leaders = field(default_factory=dict)
    marks: Mapping[Cell, tuple[str, ...]] = field(default_factory=dict)
    left_out: int = 0
    settings: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    labels: Mapping[Cell, str] = field(default_factory=dict)
    newest: Mapping[Cell, str] = field(default_factory=dict)
    apart: str = ""
    pinned: CompareRow | None = None
    comparable: frozenset[str] = frozenset()
    floors: tuple[CompareRow, ...] = ()
    standings: Mapping[str, Standing] = field(default_factory=dict)

    def difference(self, row: CompareRow, column: Column) -> float | None:
        """A row's value minus the baseline's; None where they aren't comparable."""
        if self.pinned is None or row.key not in self.comparable:
            return None
        value, base = (self.figures_of(each).get(column.source) for each in (row, self.pinned))
        return difference(column, value, base, (self.marks_of(row), self.marks_of(self.pinned)))

    def row(self, key: str | None) -> CompareRow | None:
        """Find the row of that key, if it was read."""
        return next((row for row in self.rows if row.key == key), None)

    def marks_of(self, row: CompareRow) -> str:
        """A run's or a cell's marks, separated by spaces."""
        if row.run is not None:
            return str(row.run.get("marks") or "")
        return " ".join(self.marks.get(Cell.named(row.cell), ()))

    def figures_of(self, row: CompareRow) -> Mapping[str, Value]:
        """A run's figures, or the means of a cell, by the store's column names."""
        if row.run is not None:
            return row.run
        return {name: spread.mean for name, spread in self.figures.get(row.cell, {}).items()}

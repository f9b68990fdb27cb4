"""How much a test metric is inflated if it chooses the epoch itself, as in the reference table.

A run's test metric has a maximum over its epochs and a value at the epoch that validation chose.
The first looks at the test set to choose: its surplus over the second is no merit of the model.
The inflation of a cell is the mean of that over its seeds, taken run by run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.analysis.labels.stored import stored_labels
from engine.metrics import REFERENCE_COLUMNS
from engine.spread import Spread
from engine.store.compare.grouping import CellRow, Choice, Measure, cell_table

if TYPE_CHECKING:
    from engine.config import Catalogue

INFLATED = {
    name: measure for name, measure in REFERENCE_COLUMNS.items() if measure.startswith("test_")
}
"""The test metrics of the reference table, by its name, and their measures."""


@dataclass(frozen=True, slots=True)
class Inflated:
    """A test metric of a cell over seeds, with the epoch chosen in two ways."""

    chosen: Spread
    """At the epoch that validation chose."""
    maximum: Spread
    """At each run's best epoch by the test metric itself."""
    inflation: Spread
    """Maximum less chosen, run by run."""

    @property
    def share(self) -> float | None:
        """The mean inflation as a part of the mean at the chosen epoch."""
        return self.inflation.mean / self.chosen.mean if self.chosen.mean else None


@dataclass(frozen=True, slots=True)
class CellInflation:
    """A cell, and its metrics by the reference table's name."""

    row: CellRow
    metrics: Mapping[str, Inflated]
    label: str = ""
    """What distinguishes it from other cells of its model, data set and length
    (`engine.analysis.labels.words`)."""


def measures() -> list[Measure]:
    """List the measures that `inflated` reads."""
    found: list[Measure] = []
    for measure in INFLATED.values():
        found += [f"{measure}_best", f"{measure}_max", (f"{measure}_max", f"{measure}_best")]
    return found


def inflated(row: CellRow) -> dict[str, Inflated]:
    """Return the metrics of a cell that was read with `measures`, without those no run has."""
    found = {}
    for name, measure in INFLATED.items():
        best, most = f"{measure}_best", f"{measure}_max"
        three = [row.figures.get(key) for key in (best, most, (most, best))]
        known = [figure.spread for figure in three if figure is not None]
        if len(known) == len(three):
            found[name] = Inflated(*known)
    return found


def inflation(
    con: sqlite3.Connection, choice: Choice, catalogue: Catalogue | None = None
) -> list[CellInflation]:
    """Read the inflation of every cell of runs that are done and match, in the cells' order.

    Raises:
        UsageError: a filter that means nothing.
    """
    rows = cell_table(con, choice, measures())
    labels = stored_labels(con, {row.cell: row.run for row in rows}, catalogue)
    return [CellInflation(row, inflated(row), labels[row.cell]) for row in rows]

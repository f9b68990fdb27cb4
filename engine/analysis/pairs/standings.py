"""Where the cells of a store stand against the floors of their data sets."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.analysis.floor import METRIC, Floor, Standing, standing
from engine.analysis.pairs.cells import Pair, against, counted_cells
from engine.analysis.pairs.significance import holm
from engine.cell import Cell
from engine.store.compare.grouping import (
    Choice,
    cell_counts,
    cell_table,
    counted_runs,
    runs_of_cell,
)
from engine.store.location import StoreLocation

MOST_RUNS = 1_000
"""The most runs of a data set whose ranks are all read for the mark of one cell."""

MOST_SEEDS = 100
"""The most seeds of a cell whose ranks are read: each seed's are a file."""


@dataclass(frozen=True, slots=True)
class FloorTest:
    """The test of a cell against a floor, not corrected for others."""

    mean: float
    """The cell's metric less the floor's."""
    p: float
    told: bool
    """Whether a verdict is possible."""


def standings_of(
    found: Mapping[Cell, FloorTest], comparisons: int | None = None
) -> dict[Cell, Standing]:
    """Say where cells stand against a floor.

    Args:
        found: the tests of all cells that are compared with it, which are corrected together
            (Holm).
        comparisons: how many there are, if these are only some: then each p-value is multiplied
            by that (Bonferroni), which is never less.
    """
    told = [each.p for each in found.values() if each.told]
    corrected = iter(
        holm(told) if comparisons is None else [min(1.0, p * comparisons) for p in told]
    )
    return {
        cell: standing(each.mean, next(corrected) if each.told else each.p)
        for cell, each in found.items()
    }


def floor_test(pair: Pair) -> FloorTest:
    """Take what a mark is made of from a cell's test against a floor."""
    return FloorTest(pair.difference.mean, pair.difference.p, pair.claim.untold is None)


class Standings:
    """Tests trained cells against the floors of a store as it is; reads each cell's ranks once.

    Args:
        floors: those of the store (`engine.analysis.floor.floors`).
        kept: what `kept` was for the store as it was earlier; cells whose runs are the same aren't
            tested again.
    """

    def __init__(
        self,
        con: sqlite3.Connection,
        location: StoreLocation,
        floors: Sequence[Floor],
        kept: dict[object, FloorTest | None] | None = None,
    ) -> None:
        self._location = location
        self._floors: dict[str, list[Floor]] = {}
        for floor in floors:
            self._floors.setdefault(floor.cell.dataset, []).append(floor)
        self._sizes = cell_counts(con, Choice()) if floors else {}
        self.kept: dict[object, FloorTest | None] = {} if kept is None else kept
        """The tests, by the runs of both cells; None of what can't be tested."""
        self._known: dict[Cell, tuple[Floor, Standing] | None] = {}
        self._whole: set[str] = set()

    def of(
        self, con: sqlite3.Connection, cells: Iterable[Cell]
    ) -> dict[Cell, tuple[Floor, Standing]]:
        """Say against which floor cells stand where; without those that can't be compared."""
        asked: dict[str, set[Cell]] = {}
        for cell in cells:
            if cell.dataset in self._floors:
                asked.setdefault(cell.dataset, set()).add(cell)
        for dataset, some in asked.items():
            self._read(con, dataset, some)
        every = set().union(*asked.values())
        return {cell: found for cell in every if (found := self._known.get(cell))}

    def of_dataset(
        self, con: sqlite3.Connection, dataset: str
    ) -> dict[Cell, tuple[Floor, Standing]]:
        """Say where all cells of a data set stand, if their runs are few enough; else nothing."""
        if dataset not in self._floors or not self._reads_all(dataset):
            return {}
        self._read(con, dataset, set())
        return {
            cell: found
            for cell, found in self._known.items()
            if found is not None and cell.dataset == dataset
        }

    def _reads_all(self, dataset: str) -> bool:
        return self._sizes.get(dataset, (0, 0))[1] <= MOST_RUNS

    def _read(self, con: sqlite3.Connection, dataset: str, cells: Collection[Cell]) -> None:
        """Get to know where some cells of a data set stand, or all if they are few."""
        comparisons = None
        if self._reads_all(dataset):
            if dataset in self._whole:
                return
            self._whole.add(dataset)
            counted = counted_runs(con, Choice(f'dataset="{dataset}"'))
        else:
            new = [cell.name for cell in cells if cell not in self._known]
            self._known |= dict.fromkeys(map(Cell.named, new))
            rows = cell_table(con, Choice(), [], new) if new else []
            read = {row.cell for row in rows if row.seeds <= MOST_SEEDS}
            if not read:
                return
            some = counted_runs(con, Choice(), {cell.place for cell in read})
            counted = {run: cell for run, cell in some.items() if cell in read}
            comparisons = self._sizes[dataset][0]
        of_cells = _by_cell(counted)
        for floor in self._floors[dataset]:
            own = runs_of_cell(con, Choice(), floor.cell.name)[:MOST_SEEDS]
            tests = self._tested(con, floor, own, of_cells)
            for cell, where in standings_of(tests, comparisons).items():
                self._known[cell] = floor, where

    def _tested(
        self,
        con: sqlite3.Connection,
        floor: Floor,
        own: Sequence[str],
        cells: Mapping[Cell, tuple[str, ...]],
    ) -> dict[Cell, FloorTest]:
        """Test cells against a floor; those that can't be compared with it are left out."""
        keys = {cell: (floor.cell, *own, "", *runs) for cell, runs in cells.items()}
        new = {cell for cell, key in keys.items() if key not in self.kept}
        if new - {floor.cell}:
            counted = {run: cell for cell in new for run in cells[cell]}
            read = counted_cells(con, self._location, counted | dict.fromkeys(own, floor.cell))
            base = next((each for each in read if each.cell == floor.cell), None)
            self.kept |= {keys[cell]: None for cell in new}
            if base is not None:
                for each in read:
                    for pair in against([each], base, METRIC, masked=False):
                        self.kept[keys[each.cell]] = floor_test(pair)
        return {cell: found for cell, key in keys.items() if (found := self.kept.get(key))}


def _by_cell(counted: Mapping[str, Cell]) -> dict[Cell, tuple[str, ...]]:
    found: dict[Cell, list[str]] = {}
    for run in sorted(counted):
        found.setdefault(counted[run], []).append(run)
    return {cell: tuple(runs) for cell, runs in found.items()}

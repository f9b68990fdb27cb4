"""Where the cells of a store stand against the floors of their data sets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.analysis.floor import METRIC, Floor, Standing, standing
from engine.analysis.pairs.cells import Pair, against, counted_cells
from engine.analysis.pairs.significance import holm
from engine.cell import Cell
from engine.store.compare.grouping import Choice, cell_counts, counted_runs, runs_of_cell
from engine.store.location import StoreLocation

MOST_TOGETHER = 200
"""The most cells of a data set whose ranks are all read for the mark of one of them."""


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
        self._whole: dict[str, dict[Cell, tuple[Floor, Standing]]] = {}

    def of(
        self, con: sqlite3.Connection, cells: Iterable[Cell]
    ) -> dict[Cell, tuple[Floor, Standing]]:
        """Say against which floor cells stand where; without those that can't be compared."""
        found: dict[Cell, tuple[Floor, Standing]] = {}
        asked: dict[str, list[Cell]] = {}
        for cell in cells:
            if cell.dataset in self._floors:
                asked.setdefault(cell.dataset, []).append(cell)
        for dataset, some in asked.items():
            whole = self._whole.get(dataset)
            if whole is None and self._sizes.get(dataset, 0) <= MOST_TOGETHER:
                whole = self._whole[dataset] = self._read(con, dataset, None)
            known = whole if whole is not None else self._read(con, dataset, some)
            found |= {cell: known[cell] for cell in some if cell in known}
        return found

    def of_dataset(
        self, con: sqlite3.Connection, dataset: str
    ) -> dict[Cell, tuple[Floor, Standing]]:
        """Say where all cells of a data set stand, if they are few enough; else nothing."""
        if dataset not in self._floors or self._sizes.get(dataset, 0) > MOST_TOGETHER:
            return {}
        return self.of(con, counted_runs(con, _of_dataset(dataset)).values())

    def _read(
        self, con: sqlite3.Connection, dataset: str, cells: Sequence[Cell] | None
    ) -> dict[Cell, tuple[Floor, Standing]]:
        """Test some cells of a data set, or all."""
        if cells is None:
            counted = counted_runs(con, _of_dataset(dataset))
        else:
            wanted = set(cells)
            some = counted_runs(con, Choice(), {cell.place for cell in cells})
            counted = {run: cell for run, cell in some.items() if cell in wanted}
        of_cells = _by_cell(counted)
        found: dict[Cell, tuple[Floor, Standing]] = {}
        for floor in self._floors[dataset]:
            own = runs_of_cell(con, Choice(), floor.cell.name)
            tests = self._tested(con, floor, own, of_cells)
            comparisons = None if cells is None else self._sizes[dataset]
            stand = standings_of(tests, comparisons)
            found |= {cell: (floor, where) for cell, where in stand.items()}
        return found

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


def _of_dataset(dataset: str) -> Choice:
    return Choice(f'dataset="{dataset}"')


def _by_cell(counted: Mapping[str, Cell]) -> dict[Cell, tuple[str, ...]]:
    found: dict[Cell, list[str]] = {}
    for run in sorted(counted):
        found.setdefault(counted[run], []).append(run)
    return {cell: tuple(runs) for cell, runs in found.items()}

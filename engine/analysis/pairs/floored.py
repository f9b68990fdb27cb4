"""The floor beside pairs of cells: as a side of them, and as a mark on both sides."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from engine.analysis.floor import Floor, Standing, floors
from engine.analysis.pairs.cells import Pair, RankedCell, against, pairs, ranked_cell
from engine.analysis.pairs.significance import Metric
from engine.analysis.pairs.standings import Standings
from engine.cell import Cell
from engine.spec import TOP_K
from engine.store.compare.grouping import Choice, runs_of_cell
from engine.store.location import StoreLocation

if TYPE_CHECKING:
    from engine.config import Catalogue

THE_FLOOR: Literal["the floor"] = "the floor"
Mark = Standing | Literal["the floor"]
"""What a cell is to the floor of its data set, by the metric that `engine.analysis.floor` names."""


@dataclass(frozen=True)
class FlooredPairs:
    """Tests between cells, with those against the floors."""

    pairs: Sequence[Pair] = ()
    floors: Sequence[Floor] = ()
    """Those that cells are compared with."""
    marks: Mapping[Cell, Mark] = field(default_factory=dict)
    """None of a cell that can't be compared with a floor, and of fitted models beside the floor."""


def floored_pairs(
    con: sqlite3.Connection,
    location: StoreLocation,
    cells: Sequence[RankedCell],
    metric: Metric,
    *,
    masked: bool,
    k: int = TOP_K,
    catalogue: Catalogue | None = None,
) -> FlooredPairs:
    """Test every two cells (`pairs`) in a metric at ``k``, and each trained one against its floor
    where that isn't one of them.
    """
    tested = pairs(cells, metric, masked=masked, k=k)
    named = []
    marks: dict[Cell, Mark] = {}
    for floor in floors(con, catalogue):
        if not any(cell.comparable == floor.comparable for cell in cells):
            continue
        named.append(floor)
        marks[floor.cell] = THE_FLOOR
        if all(cell.cell != floor.cell for cell in cells):
            runs = runs_of_cell(con, Choice(), floor.cell.name)
            base, _ = ranked_cell(con, location, runs, catalogue)
            if base is not None:
                base = replace(base, label=floor.label)
                tested += against(cells, base, metric, masked=masked, k=k)
    found = Standings(con, location, named).of(con, [cell.cell for cell in cells])
    return FlooredPairs(tested, named, marks | {cell: where for cell, (_, where) in found.items()})

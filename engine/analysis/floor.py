"""The floor of a data set: the best of its fitted models, which every trained model must beat."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.analysis.baseline import compares
from engine.analysis.claims.claim import LEVEL
from engine.analysis.comparison import COMPARABLE
from engine.analysis.labels.stored import stored_labels
from engine.analysis.labels.words import cell_title
from engine.analysis.provenance import provenance_of
from engine.cell import Cell
from engine.metrics import SELECTION
from engine.store.compare.grouping import Choice, cell_table

if TYPE_CHECKING:
    from engine.analysis.pairs.cells import Pair
    from engine.config import Catalogue

FILTER = "objective:fitted"
"""Chooses the runs of fitted models."""

METRIC: Literal["ndcg"] = "ndcg"
"""What a cell is compared with its floor by: NDCG@10 on test, over all items."""

_CHOSEN_BY = f"{SELECTION}_best"
_SHOWN = "test_ndcg_best"

Standing = Literal["above", "not told from", "below"]
"""Where a cell stands against its floor."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The fitted cell that is best on validation, among those that are compared with each other."""

    cell: Cell
    run: str
    """The newest of its runs."""
    label: str
    value: float
    """Its mean NDCG@10 on test."""
    comparable: tuple[object, ...]
    """The values of `COMPARABLE`."""

    def is_of(self, row: dict[str, object] | dict[str, float | str | None]) -> bool:
        """Whether a run or cell, a row with the columns `COMPARABLE`, has this floor."""
        return compares(row, dict(zip(COMPARABLE, self.comparable, strict=True)))


def floors(con: sqlite3.Connection, catalogue: Catalogue | None = None) -> list[Floor]:
    """Find the floor of every data set, for each split, protocol and version of the data.

    The best is chosen by NDCG@10 on validation, as an epoch is; among equals the shortest length.

    Args:
        catalogue: knows what recipes give, which cells are named against.
    """
    rows = [
        row
        for row in cell_table(con, Choice(FILTER), [_CHOSEN_BY, _SHOWN])
        if _CHOSEN_BY in row.figures and _SHOWN in row.figures
    ]
    origins = provenance_of(con, [row.run for row in rows])
    best: dict[tuple[object, ...], tuple[float, int]] = {}
    for place, row in enumerate(rows):
        known = {"dataset": row.cell.dataset, **origins.get(row.run, {})}
        comparable = tuple(known.get(name) for name in COMPARABLE)
        value = row.figures[_CHOSEN_BY].spread.mean
        score = (value, -row.cell.length)
        other = best.get(comparable)
        if other is None or score > (other[0], -rows[other[1]].cell.length):
            best[comparable] = (value, place)
    chosen = {comparable: rows[place] for comparable, (_, place) in best.items()}
    labels = stored_labels(con, {row.cell: row.run for row in chosen.values()}, catalogue)
    return [
        Floor(
            row.cell,
            row.run,
            cell_title(row.cell, labels[row.cell]),
            row.figures[_SHOWN].spread.mean,
            comparable,
        )
        for comparable, row in chosen.items()
    ]


def floor_of(
    found: Iterable[Floor], row: dict[str, object] | dict[str, float | str | None]
) -> Floor | None:
    """Return the floor that a run or cell is compared with; ``None`` if none was run."""
    return next((each for each in found if each.is_of(row)), None)


def standing(pair: Pair) -> Standing:
    """Return where the first cell of a pair stands against the second, its floor.

    Where no verdict is possible, as with a single seed, the paired test over the users alone
    decides: what it can't tell apart, no further seed would.
    """
    p = pair.difference.p if pair.p is None else pair.p
    if p >= LEVEL:
        return "not told from"
    return "above" if pair.difference.mean > 0 else "below"

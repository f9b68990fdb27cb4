"""The floor of a data set: the best of its fitted models, which every trained model must beat.

Here are its definition, its signs and every sentence about it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.analysis.baseline import compares
from engine.analysis.claims.claim import LEVEL
from engine.analysis.columns.text import figure
from engine.analysis.comparison import COMPARABLE
from engine.analysis.labels.stored import stored_labels
from engine.analysis.provenance import provenance_of
from engine.cell import Cell
from engine.metrics import SELECTION
from engine.store.compare.grouping import Choice, cell_table
from engine.store.settings import has_setting

if TYPE_CHECKING:
    from engine.config import Catalogue

FILTER = "objective:fitted"
"""Chooses the runs of fitted models."""

METRIC: Literal["ndcg"] = "ndcg"
"""What a cell is compared with its floor by: NDCG@10 on test, over all items."""

_CHOSEN_BY = f"{SELECTION}_best"
_SHOWN = "test_ndcg_best"

Standing = Literal["above", "not told from", "below"]
"""Where a cell stands against its floor."""

SIGN: Mapping[Standing, str] = {"above": "", "not told from": "≈", "below": "▽"}
"""What is put after the name of a cell."""

ONE_SEED = "A cell with one seed is tested over its users alone, uncorrected."
LEGEND = (
    "≈: can't be distinguished from the floor, the fitted model that is best on validation; ▽: "
    "below it. In NDCG@10/test, over all items; p is corrected (Holm) for the trained cells of the "
    f"data set. {ONE_SEED}"
)
"""Explains the signs below a table."""

AT, BELOW = f"{SIGN['not told from']} at the floor", f"{SIGN['below']} below it"
"""The same where there is room for a few words only."""

COLUMN, COLUMN_STANDING = "floor", "vs floor"
"""The keys of rows of a comparison: the floor with its value, and the standing against it."""

FLOOR_COLUMNS = (COLUMN, COLUMN_STANDING)


@dataclass(frozen=True, slots=True)
class Floor:
    """The fitted cell that is best on validation, among those that are compared with each other."""

    cell: Cell
    run: str
    """The newest of its runs."""
    label: str
    """The model's title, and what tells the cell from others of its model, data set and length."""
    value: float
    """Its mean NDCG@10 on test."""
    comparable: tuple[object, ...]
    """The values of `COMPARABLE`."""

    def is_of(self, row: Mapping[str, object]) -> bool:
        """Whether a run or cell, a row with the columns `COMPARABLE`, has this floor."""
        return compares(row, dict(zip(COMPARABLE, self.comparable, strict=True)))


def floors(con: sqlite3.Connection, catalogue: Catalogue | None = None) -> list[Floor]:
    """Find the floor of every data set, for each split, protocol and version of the data.

    The best is chosen by NDCG@10 on validation, as an epoch is; among equals the shortest length.

    Args:
        catalogue: knows what recipes give, which cells are named against.
    """
    if not has_setting(con, "objective", "fitted"):
        return []
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
    labels = stored_labels(con, {row.cell: row.run for row in rows}, catalogue)
    return [
        Floor(
            row.cell,
            row.run,
            f"{_title(row.cell.model, catalogue)} {labels[row.cell]}".rstrip(),
            row.figures[_SHOWN].spread.mean,
            comparable,
        )
        for comparable, row in chosen.items()
    ]


def floor_of(found: Iterable[Floor], row: Mapping[str, object]) -> Floor | None:
    """Return the floor that a run or cell is compared with; ``None`` if none was run."""
    return next((each for each in found if each.is_of(row)), None)


def standing(mean: float, p: float) -> Standing:
    """Return where a cell stands against its floor.

    Args:
        mean: the cell's metric less the floor's.
        p: of the paired test, corrected; where no verdict is possible, as with a single seed, that
            of the test over the users alone, as it is: what that can't tell apart, no further seed
            would.
    """
    if p >= LEVEL:
        return "not told from"
    return "above" if mean > 0 else "below"


def with_sign(name: str, of: Standing | None) -> str:
    """Return the name of a cell, followed by the sign of its standing if it has one."""
    return f"{name} {SIGN[of]}".rstrip() if of else name


def floor_text(floor: Floor) -> str:
    """Name a floor and its value: ``Markov counts 0.0695``."""
    return f"{floor.label} {figure(floor.value, 'metric')}"


def floor_line(floor: Floor) -> str:
    """Name the floor of a data set: ``Floor of ml-100k: Markov counts 0.0695``."""
    return f"Floor of {floor.cell.dataset}: {floor_text(floor)}"


def standing_sentence(of: Standing, floor: Floor, *, one_seed: bool = False) -> str:
    """Say where a cell stands, without a subject: ``is below the floor, Markov counts 0.0695``.

    Args:
        one_seed: whether the cell has a single one, so that its users alone were tested.
    """
    where = {
        "above": "is above",
        "not told from": "can't be distinguished from",
        "below": "is below",
    }[of]
    alone = ", by the test over its users alone (one seed)" if one_seed else ""
    return f"{where} the floor, {floor_text(floor)}{alone}"


def beside_floor(floor: Floor, found: Collection[Standing]) -> str:
    """Name a floor, and say where the cells of one model, data set and length stand."""
    name, total = floor_text(floor), len(found)
    words: Mapping[Standing, str] = {
        "above": "above it",
        "not told from": "can't be distinguished from it",
        "below": "below it",
    }
    parts = []
    for where, word in words.items():
        if number := sum(each == where for each in found):
            sign = f"{SIGN[where]} " if SIGN[where] else ""
            parts.append(f"{sign}{word}" if total == 1 else f"{number} of {total} {word}")
    return " · ".join([name, ", ".join(parts)] if parts else [name])


def summary_sentence(
    floor: Floor, found: Collection[Standing], lone: int = 0, improving: int = 0
) -> str:
    """Say how many of the trained cells that were compared with a floor are no better.

    Args:
        lone: how many of them have a single seed, so that their users alone were tested.
        improving: how many were still improving at their epoch limit, so that what they have
            reached isn't what their model can.
    """
    parts = [_summary(floor, found)]
    if lone:
        parts.append(f"{_share(lone, len(found))}tested over users alone (one seed)")
    if improving:
        which = _share(improving, len(found)) or "it "
        was, its = ("was", "its") if improving == 1 else ("were", "their")
        parts.append(f"{which}{was} still improving at {its} epoch limit, and may yet be better")
    return "; ".join(parts)


def _share(some: int, total: int) -> str:
    """Write ``3 of them`` and a blank; nothing of a single one."""
    return "" if total == 1 else f"{'all' if some == total else some} of them "


def _summary(floor: Floor, found: Collection[Standing]) -> str:
    name, total = floor_text(floor), len(found)
    if not total:
        return f"no trained cell is compared with the floor, {name}"
    untold, below = (sum(each == which for each in found) for which in ("not told from", "below"))
    which = untold or below or total
    cells = "the one trained cell" if total == 1 else f"{which} of {total} trained cells"
    lie = "lies" if below == 1 else "lie"
    if untold:
        more = f", and {below} {lie} below it" if below else ""
        return f"{cells} can't be distinguished from the floor, {name}{more}"
    if below:
        return f"{cells} {lie} below the floor, {name}"
    return f"{cells} {'is' if total == 1 else 'are'} above the floor, {name}"


def _title(model: str, catalogue: Catalogue | None) -> str:
    known = catalogue.models.get(model) if catalogue else None
    return known.title if known else model

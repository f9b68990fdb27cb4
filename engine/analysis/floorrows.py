"""The floor beside the rows of a comparison, of runs or of cells."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.analysis.columns.definitions import Value
from engine.analysis.comparison import COMPARABLE, Row, RunRows, column_of
from engine.analysis.floor import COLUMN, COLUMN_STANDING, Floor, Standing, floor_text, floors
from engine.analysis.labels.stored import cells_of_runs
from engine.cell import FIELDS, Cell
from engine.store.location import StoreLocation

if TYPE_CHECKING:
    from engine.config import Catalogue


@dataclass(frozen=True)
class FlooredRows:
    """Rows with the keys `COLUMN` and `COLUMN_STANDING`, and the floors that they name."""

    rows: Sequence[Row]
    floors: tuple[Floor, ...] = ()


def with_floors(
    con: sqlite3.Connection,
    location: StoreLocation,
    rows: Sequence[Row],
    catalogue: Catalogue | None = None,
    *,
    cells: bool,
) -> FlooredRows:
    """Say for each row which floor it is compared with, and where it stands against it.

    Both are None where there is no floor; the standing also of a fitted model, of a run that isn't
    done, and of what has no ranks.

    Args:
        rows: of `compare_rows`, or of `by_cell` if ``cells``.
    """
    known = {floor.comparable: floor for floor in floors(con, catalogue)}
    if not known:
        return FlooredRows(_with(rows, [_row(None, None)] * len(rows)))
    places = zip(*(column_of(rows, name) for name in COMPARABLE), strict=True)
    of_rows = [known.get(place) for place in places] if rows else []
    own = _cells(rows) if cells else _cells_of_runs(con, rows)
    from engine.analysis.pairs.standings import Standings  # loads numpy: few stores need it

    found = Standings(con, location, list(known.values())).of(con, filter(None, own))
    made: dict[tuple[Floor | None, Standing | None], Mapping[str, Value]] = {}
    parts = []
    for floor, cell in zip(of_rows, own, strict=True):
        key = floor, found[cell][1] if cell in found else None
        parts.append(made.setdefault(key, _row(*key)))
    named = tuple(floor for floor in known.values() if any(floor is each for each in of_rows))
    return FlooredRows(_with(rows, parts), named)


def _row(floor: Floor | None, where: Standing | None) -> Mapping[str, Value]:
    return {COLUMN: floor_text(floor) if floor else None, COLUMN_STANDING: where}


def _with(rows: Sequence[Row], parts: Sequence[Mapping[str, Value]]) -> Sequence[Row]:
    if isinstance(rows, RunRows):
        return replace(rows, common=(*rows.common, parts))
    return [{**row, **part} for row, part in zip(rows, parts, strict=True)]


def _cells(rows: Sequence[Row]) -> list[Cell | None]:
    return [
        Cell(*(row[name] or "" for name in FIELDS))  # type: ignore[arg-type]
        for row in rows
    ]


def _cells_of_runs(con: sqlite3.Connection, rows: Sequence[Row]) -> list[Cell | None]:
    """Return the cells of runs that count, None for others."""
    named = ("run", "state", "origin")
    columns = list(zip(*(column_of(rows, name) for name in named), strict=True))
    done = {str(run) for run, state, origin in columns if state == "done" and not origin}
    cells = cells_of_runs(con, done)
    return [cells.get(str(run)) for run, _, _ in columns]

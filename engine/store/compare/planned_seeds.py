"""Which seeds cells have, and which data sets a floor, with runs that are queued or running."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import astuple

from engine.cell import FIELDS, Cell
from engine.lifecycle import PRESENT
from engine.lifecycle import sql as states_sql
from engine.store.compare.comparison import matching
from engine.store.database import fetch


def seeds_of_cells(con: sqlite3.Connection, cells: Collection[Cell]) -> dict[Cell, frozenset[int]]:
    """Read which seeds cells will have once all that is queued and running is done.

    Args:
        cells: with an empty checksum, as those of runs to come: their data is that of the newest
            run of the same settings.
    """
    same = " AND ".join(
        f"r.{name} = json_extract(value, '$[{n}]')"
        for n, name in enumerate(FIELDS)
        if name != "checksum"
    )
    asked = list(cells)
    rows = fetch(
        con,
        f"SELECT key, ifnull(r.checksum, ''), r.seed FROM json_each(?) CROSS JOIN runs r ON {same}"  # noqa: S608
        f" AND r.state IN {states_sql(PRESENT)} AND r.origin = ''"
        " AND r.id NOT IN (SELECT run FROM requests WHERE action = 'delete')"
        " ORDER BY r.created DESC, r.id DESC",
        (json.dumps([astuple(cell) for cell in asked]),),
    )
    data: dict[Cell, str] = {}
    found: dict[Cell, set[int]] = {}
    for number, checksum, seed in map(tuple, rows):
        cell = asked[number]
        if not checksum or data.setdefault(cell, checksum) == checksum:
            found.setdefault(cell, set()).add(seed)
    return {cell: frozenset(seeds) for cell, seeds in found.items()}


def fitted_datasets(con: sqlite3.Connection) -> frozenset[str]:
    """Read the data sets that will have a floor once all that is queued and running is done."""
    where, parameters = matching("objective:fitted")
    rows = fetch(
        con,
        f"SELECT DISTINCT r.dataset FROM runs r WHERE {where}"  # noqa: S608
        f" AND r.state IN {states_sql(PRESENT)} AND r.origin = ''",
        parameters,
    )
    return frozenset(str(dataset) for (dataset,) in map(tuple, rows))

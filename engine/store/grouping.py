"""The comparison by cell: what is done, grouped by everything but the seed, paged by SQLite.

Only runs that are done count, and of a seed that was run more than once the run with the last id.
Imported runs count where they are asked for, and then are cells of their own.
Runs of other settings, or of data with another checksum, are another cell.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from engine.store.comparison import SQL, check_columns, matching, place_of
from engine.store.database import fetch

KEYS = ("model", "dataset", "length", "profile", "settings", "checksum")
"""What tells one cell from another."""

_SEPARATOR = "\x1f"
_TEXTS = frozenset(
    {
        "id",
        "suite",
        "state",
        "device",
        "fingerprint",
        "cause",
        "message",
        "note",
        "tags",
        "origin",
        "marks",
    }
)
"""Columns that have no mean."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which runs are grouped; as in `engine.store.comparison.comparison`."""

    filter: str = ""
    aggregate: str = "best"
    without: tuple[str, ...] = ()
    imported: bool = False
    """Whether cells are made of imported runs too."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the grouped comparison: a cell, or below it one of its runs."""

    cell: str
    run: str | None
    seeds: int


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the seeds of a cell."""

    mean: float
    deviation: float | None
    """Of the sample; None for a single seed."""
    count: int


def cell_facts(cell: str) -> dict[str, str | int]:
    """The values of `KEYS` that a cell's name is made of."""
    parts = cell.split(_SEPARATOR)
    facts: dict[str, str | int] = dict(zip(KEYS, parts, strict=False))
    facts["length"] = int(facts["length"])
    return facts


def cell_lines(
    con: sqlite3.Connection,
    choice: Choice,
    sort: str,
    descending: bool,
    expanded: Collection[str] = (),
    limit: int = 200,
    offset: int = 0,
) -> tuple[int, list[Line]]:
    """How many lines there are, and ``limit`` of them from ``offset`` on.

    Args:
        sort: a column of the comparison; cells go by its mean, or by their number of seeds
            where it is ``seed``.
        expanded: cells whose runs are lines too, by seed.

    Raises:
        UsageError: an unknown column, or a filter that means nothing.
    """
    check_columns([sort])
    picked, parameters = picked_runs(choice)
    value, source = _value(sort)
    direction = "DESC" if descending else "ASC"
    keys = ", ".join(f"p.{name}" for name in KEYS)
    sql = f"""
        WITH picked AS MATERIALIZED ({picked}),
        cells AS MATERIALIZED (
            SELECT {keys}, count(*) AS seeds, {value} AS value FROM picked p {source}
            GROUP BY {keys}),
        placed AS MATERIALIZED (
            SELECT {cell_name("p")} AS cell, *, row_number() OVER (
                ORDER BY p.value {direction} NULLS LAST, {keys}) AS place FROM cells p),
        lines AS MATERIALIZED (
            SELECT place, 0 AS below, cell, NULL AS run, seeds FROM placed
            UNION ALL
            SELECT c.place, row_number() OVER (PARTITION BY c.place ORDER BY p.seed),
                c.cell, p.id, 1 FROM placed c JOIN picked p
                ON {" AND ".join(f"p.{name} = c.{name}" for name in KEYS)}
            WHERE c.cell IN (SELECT value FROM json_each(?)))
        SELECT (SELECT count(*) FROM lines), cell, run, seeds FROM lines
        ORDER BY place, below LIMIT ? OFFSET ?"""  # noqa: S608
    rows = fetch(con, sql, (*parameters, json.dumps(list(expanded)), limit, offset))
    if not rows and offset:
        rows_before = fetch(con, sql, (*parameters, json.dumps(list(expanded)), 1, 0))
        return (int(rows_before[0][0]) if rows_before else 0), []
    total = int(rows[0][0]) if rows else 0
    return total, [Line(cell, run, seeds) for _, cell, run, seeds in rows]


def cell_figures(
    con: sqlite3.Connection, choice: Choice, cells: Sequence[str], columns: Sequence[str]
) -> dict[str, dict[str, Spread]]:
    """Mean and deviation of each of the columns that have one, by cell.

    Raises:
        UsageError: an unknown column, or a filter that means nothing.
    """
    check_columns(columns)
    measured = [name for name in columns if name not in _TEXTS and name not in (*KEYS, "seed")]
    if not cells or not measured:
        return {cell: {} for cell in cells}
    picked, parameters = picked_runs(choice)
    places, source = places_of(measured)
    sums = ", ".join(f"count({x}), total({x}), total({x} * {x})" for x in places)
    keys = ", ".join(f"p.{name}" for name in KEYS)
    wanted = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(KEYS)))
    sql = f"""
        WITH picked AS MATERIALIZED ({picked})
        SELECT {cell_name("p")}, {sums} FROM picked p {source}
        WHERE ({keys}) IN (SELECT {wanted} FROM json_each(?)) GROUP BY {keys}"""  # noqa: S608
    asked = json.dumps([list(cell_facts(cell).values()) for cell in cells])
    found: dict[str, dict[str, Spread]] = {cell: {} for cell in cells}
    for cell, *values in fetch(con, sql, (*parameters, asked)):
        for place, name in enumerate(measured):
            if spread := spread_of(*values[3 * place : 3 * place + 3]):
                found[cell][name] = spread
    return found


def best_means(
    con: sqlite3.Connection, choice: Choice, columns: Sequence[tuple[str, bool]]
) -> dict[tuple[str, str], float]:
    """The best mean of any cell, by data set and column; of each column whether more is better."""
    if not columns:
        return {}
    picked, parameters = picked_runs(choice)
    keys = ", ".join(f"p.{name}" for name in KEYS)
    places, source = places_of([name for name, _ in columns])
    means = ", ".join(f"total({place}) / count({place}) AS m{i}" for i, place in enumerate(places))
    ends = ", ".join(f"{'max' if more else 'min'}(m{i})" for i, (_, more) in enumerate(columns))
    sql = f"""
        WITH picked AS MATERIALIZED ({picked}), means AS (
            SELECT p.dataset, {means} FROM picked p {source} GROUP BY {keys})
        SELECT dataset, {ends} FROM means GROUP BY dataset"""  # noqa: S608
    return {
        (dataset, name): value
        for dataset, *values in fetch(con, sql, parameters)
        for (name, _), value in zip(columns, values, strict=True)
        if value is not None
    }


def runs_of_cell(con: sqlite3.Connection, choice: Choice, cell: str) -> list[str]:
    """Ids of the runs that a cell is made of, by seed."""
    picked, parameters = picked_runs(choice)
    facts = cell_facts(cell)
    same = " AND ".join(f"{name} = ?" for name in KEYS)
    sql = f"SELECT id FROM ({picked}) WHERE {same} ORDER BY seed"  # noqa: S608
    return [row[0] for row in fetch(con, sql, (*parameters, *facts.values()))]


def imported_left_out(con: sqlite3.Connection, choice: Choice) -> int:
    """How many imported runs match and make no cell."""
    if choice.imported:
        return 0
    where, parameters = matching(choice.filter, choice.aggregate, choice.without)
    sql = f"SELECT count(*) FROM runs r WHERE r.state = 'done' AND r.origin <> '' AND {where}"  # noqa: S608
    return int(fetch(con, sql, parameters)[0][0])


def picked_runs(choice: Choice) -> tuple[str, list[object]]:
    """A query for one run a seed, with what names its cell, and its parameters."""
    where, parameters = matching(choice.filter, choice.aggregate, choice.without)
    names = "r.model, r.dataset, r.length, r.profile"
    own = "" if choice.imported else " AND r.origin = ''"
    sql = (
        f"SELECT max(r.id) AS id, {names}, ifnull(r.settings, '') AS settings,"  # noqa: S608
        f" ifnull(r.checksum, '') AS checksum, r.seed FROM runs r"
        f" WHERE r.state = 'done' AND {where}{own}"
        f" GROUP BY {names}, r.settings, r.checksum, r.seed"
    )
    return sql, parameters


def cell_name(table: str) -> str:
    """SQL for a cell's name, from a table with the columns `KEYS`."""
    return " || char(31) || ".join(f"{table}.{name}" for name in KEYS)


def _value(sort: str) -> tuple[str, str]:
    """What cells are sorted by, and the table that it is in."""
    if sort in KEYS:
        return f"p.{sort}", ""
    if sort == "seed":
        return "count(*)", ""
    if sort in _TEXTS:
        return "NULL", ""
    (place,), source = places_of([sort])
    return f"avg({place})", source


def places_of(names: Sequence[str]) -> tuple[list[str], str]:
    """Where columns of the comparison are read, and what joins that to a table ``p`` of run ids."""
    places, joins = [], {}
    for name in names:
        place = place_of(SQL[name])
        places.append(f"{place}.{name}")
        joins[place] = (
            "CROSS JOIN runs r ON r.id = p.id"
            if place == "r"
            else f"CROSS JOIN summaries {place} INDEXED BY {place} ON {place}.run = p.id"
        )
    return places, " ".join(joins.values())


def spread_of(count: int, total: float, squares: float) -> Spread | None:
    """Of figures that are so many, with their sum and that of their squares; None of none."""
    if not count:
        return None
    mean = total / count
    if count < 2:
        return Spread(mean, None, count)
    rest = squares - total * mean
    if rest <= squares * 1e-14:
        rest = 0.0  # what is left of equal figures is their rounding
    return Spread(mean, math.sqrt(rest / (count - 1)), count)

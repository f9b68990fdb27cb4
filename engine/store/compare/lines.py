"""The comparison by cell as lines, ordered and paged by SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from engine.cell import FIELDS, Cell
from engine.store.compare.comparison import SQL, check_columns
from engine.store.compare.computed import TO_QUALITY
from engine.store.compare.grouping import (
    KEY,
    Choice,
    among,
    counted,
    has_mean,
    keys_of,
    places_of,
)
from engine.store.database import fetch


@dataclass(frozen=True, slots=True)
class CellLine:
    """A line of the comparison by cell: a cell, or one of its runs below it."""

    cell: str
    """The cell's name."""
    run: str | None
    seeds: int


def cell_lines(
    con: sqlite3.Connection,
    choice: Choice,
    sort: str,
    descending: bool,
    expanded: Collection[str] = (),
    limit: int = 200,
    offset: int = 0,
) -> tuple[int, list[CellLine]]:
    """Count the lines of the comparison by cell, and read ``limit`` of them from ``offset`` on.

    Args:
        sort: a column, by whose mean cells are ordered; ``seed`` for the number of seeds.
        expanded: names of cells whose runs are lines below them, by seed.

    Raises:
        UsageError: an unknown column, or a filter that means nothing.
    """
    check_columns([sort])
    picked, parameters = counted(choice)
    value, source = _value(sort)
    direction = "DESC" if descending else "ASC"
    sql = f"""
        WITH picked AS MATERIALIZED ({picked}),
        cells AS MATERIALIZED (
            SELECT {KEY}, count(*) AS seeds, {value} AS value FROM picked p {source}
            GROUP BY {KEY}),
        placed AS MATERIALIZED (
            SELECT *, row_number() OVER (
                ORDER BY p.value {direction} NULLS LAST, {KEY}) AS place FROM cells p),
        lines AS MATERIALIZED (
            SELECT place, 0 AS below, {KEY}, NULL AS run, seeds FROM placed p
            UNION ALL
            SELECT c.place, row_number() OVER (PARTITION BY c.place ORDER BY p.seed),
                {KEY}, p.id, 1 FROM placed c JOIN picked p
                ON {" AND ".join(f"p.{name} = c.{name}" for name in FIELDS)}
            WHERE {among()})
        SELECT (SELECT count(*) FROM lines), {KEY}, run, seeds FROM lines p
        ORDER BY place, below LIMIT ? OFFSET ?"""  # noqa: S608
    parameters.append(keys_of(expanded))
    rows = fetch(con, sql, (*parameters, limit, offset))
    if not rows and offset:
        rows_before = fetch(con, sql, (*parameters, 1, 0))
        return (int(rows_before[0][0]) if rows_before else 0), []
    total = int(rows[0][0]) if rows else 0
    return total, [
        CellLine(Cell(*key).name, run, seeds) for _, *key, run, seeds in map(tuple, rows)
    ]


def _value(sort: str) -> tuple[str, str]:
    """Write SQL for what cells are sorted by, and for the table that holds it."""
    if sort in FIELDS:
        return f"p.{sort}", ""
    if sort == "seed":
        return "count(*)", ""
    if sort in SQL and not has_mean(sort):
        return "NULL", ""
    (place,), source = places_of([sort])
    if sort not in SQL:  # a setting, which the runs of a cell have in common
        return f"max({place})", source
    mean = _mean(_finite(place))
    whole = f"CASE WHEN count({place}) = count(*) THEN {mean} END"
    return (whole if sort in TO_QUALITY else mean), source


def _finite(value: str) -> str:
    """Write SQL for a value, NULL unless it is a finite number."""
    return f"CASE WHEN abs({value}) < 9e999 THEN {value} END"


def _mean(value: str) -> str:
    """Write SQL for a group's mean as in `engine.spread`: of equal values that value."""
    return (
        f"CASE WHEN min({value}) = max({value}) THEN min({value}) * 1.0"
        f" ELSE total({value}) / count({value}) END"
    )

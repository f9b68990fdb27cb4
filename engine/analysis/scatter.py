"""Pareto fronts, and a scatter plot of two columns for every run: points binned by SQLite to the
plot's resolution."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.analysis.columns.definitions import COSTS, Column
from engine.store.compare.comparison import matching
from engine.store.compare.grouping import Choice, marked_for_times, places_of
from engine.store.database import fetch

FRONT_AT_MOST = 2_000


@dataclass(frozen=True, slots=True)
class Point:
    """A run that represents all runs of its model in one bin of the plot."""

    run: str
    model: str
    dataset: str
    x: float
    y: float
    count: int
    front: bool
    """Whether it is on the Pareto front of its data set, on which no refit is beside other runs. On
    one of a cost no marked run is."""


@dataclass(frozen=True)
class Scatter:
    """The points of a plot; those on a front come last, so that they are drawn on top."""

    points: tuple[Point, ...]
    runs: int
    low: tuple[float, float]
    high: tuple[float, float]


def good_end(column: Column) -> str:
    """Return ``higher`` or ``lower``, the better end; ``lower`` for columns without one."""
    return column.better or "lower"


def scatter(
    con: sqlite3.Connection, choice: Choice, x: Column, y: Column, across: int, down: int
) -> Scatter:
    """Bin the runs that are done and match into ``across`` × ``down`` bins.

    Raises:
        UsageError: a filter that means nothing.
    """
    where, parameters = matching(choice.filter, choice.aggregate, choice.without)
    (left, right), source = places_of([x.source, y.source])
    points = (
        "SELECT p.id, p.model, p.dataset, p.marks, p.refit,"  # noqa: S608
        f" {left} AS x, {right} AS y FROM"
        " (SELECT r.id, r.model, r.dataset, r.marks, r.refits IS NOT NULL AS refit FROM runs r"
        f" WHERE r.state = 'done' AND {where}) p"
        f" {source} WHERE x IS NOT NULL AND y IS NOT NULL"
    )
    runs, *bounds = fetch(
        con,
        f"SELECT count(*), min(x), max(x), min(y), max(y) FROM ({points})",  # noqa: S608
        parameters,
    )[0]
    if not runs:
        return Scatter((), 0, (0.0, 0.0), (1.0, 1.0))
    x_low, x_high, y_low, y_high = map(float, bounds)
    width, height = (x_high - x_low) or 1.0, (y_high - y_low) or 1.0
    # With a single max() SQLite takes the other columns from the row that has it.
    gathered = fetch(
        con,
        f"SELECT max(id), model, dataset, x, y, count(*) FROM ({points})"  # noqa: S608
        " GROUP BY model, CAST((x - ?) / ? * ? AS INTEGER), CAST((y - ?) / ? * ? AS INTEGER)",
        (*parameters, x_low, width, max(1, across - 1), y_low, height, max(1, down - 1)),
    )
    marked = marked_for_times(con) if {x.name, y.name} & COSTS else []
    front = _front(con, points, parameters, good_end(x), good_end(y), marked)
    on_front = {point.run for point in front}
    others = (_point(row, front=False) for row in gathered)
    return Scatter(
        (*(point for point in others if point.run not in on_front), *front),
        int(runs),
        (x_low, y_low),
        (x_high, y_high),
    )


def _front(
    con: sqlite3.Connection,
    points: str,
    parameters: list[object],
    x_end: str,
    y_end: str,
    marked: list[str],
) -> list[Point]:
    """Find the Pareto front of each data set: from the best x on, the runs whose y is better than
    every y before. Runs with one of the marks are on none, nor are refits beside others."""
    x = "x" if x_end == "lower" else "-x"
    y = "y" if y_end == "higher" else "-y"
    rows = fetch(
        con,
        "SELECT id, model, dataset, x, y FROM ("  # noqa: S608
        f" SELECT *, {y} AS good, max({y}) OVER (PARTITION BY dataset ORDER BY {x}, {y} DESC, id"
        "  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before"
        f" FROM (SELECT *, min(refit) OVER (PARTITION BY dataset) AS least FROM ({points}))"
        " WHERE refit = least"
        " AND (marks IS NULL OR marks NOT IN (SELECT value FROM json_each(?))))"
        " WHERE before IS NULL OR good > before LIMIT ?",
        (*parameters, json.dumps(marked), FRONT_AT_MOST),
    )
    return [_point([*row, 1], front=True) for row in rows]


def _point(row: Sequence[Any], *, front: bool) -> Point:
    run, model, dataset, x, y, count = row
    return Point(run, model, dataset, float(x), float(y), count, front)


def pareto_front(
    points: Sequence[tuple[float, float]], *, less_x: bool = True, less_y: bool = False
) -> list[int]:
    """Return the indices of the points that no other dominates, from the best x on.

    A point dominates another if it is as good in both figures and better in one; equal points
    are all kept.

    Args:
        less_x: whether less of x is better.
        less_y: whether less of y is better.
    """
    signed = [(x if less_x else -x, y if less_y else -y) for x, y in points]
    front: list[int] = []
    best: tuple[float, float] | None = None
    for index in sorted(range(len(points)), key=lambda i: (*signed[i], i)):
        if best is None or signed[index][1] < best[1] or signed[index] == best:
            front.append(index)
            best = signed[index]
    return front

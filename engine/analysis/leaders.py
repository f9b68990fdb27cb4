"""The best value of each column among the runs that are done."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from engine.analysis.columns.definitions import COSTS, Column
from engine.analysis.refits import without_refits
from engine.marks import of_times
from engine.store.compare.comparison import SQL, comparison_count
from engine.store.compare.grouping import (
    CellRow,
    Choice,
    cell_table,
    cells_marked,
    marked_for_times,
    refitted_cells,
)
from engine.store.database import fetch

MANY = 10_000
"""Number of runs beyond which the best isn't searched for, because reading every value takes too
long."""


def leaders(con: sqlite3.Connection, columns: Iterable[Column]) -> dict[tuple[str, str], float]:
    """Find the best value of any run, by data set and the store's column name.

    Only columns of which one end is good have one; imported runs are left out, refits beside
    others, and of costs runs that are marked for their times. Empty if there are more than `MANY`
    runs.
    """
    judged = [column for column in columns if column.better]
    best = ", ".join(map(_best, judged))
    if not judged or comparison_count(con, "") > MANY:
        return {}
    rows = fetch(
        con,
        f"SELECT r.dataset, {best} FROM summaries s CROSS JOIN runs r ON r.id = s.run"  # noqa: S608
        " WHERE r.state = 'done' AND r.origin = '' GROUP BY r.dataset",
        {"marked": json.dumps(marked_for_times(con))},
    )
    return {
        (dataset, column.source): value
        for dataset, *values in rows
        for column, value in zip(judged, values, strict=True)
        if value is not None
    }


def _best(column: Column) -> str:
    """Write SQL for the best value, of refits only if nothing else has one."""
    best = f"{'max' if column.better == 'higher' else 'min'}({_judged(column)})"
    return f"coalesce({best} FILTER (WHERE r.refits IS NULL), {best})"


def _judged(column: Column) -> str:
    """Write SQL for a run's value, NULL where it isn't compared."""
    figure = SQL[column.source]
    if column.name not in COSTS:
        return figure
    among = "r.marks IN (SELECT value FROM json_each(:marked))"
    return f"CASE WHEN {among} THEN NULL ELSE {figure} END"


def cell_leaders(
    con: sqlite3.Connection, columns: Iterable[Column], choice: Choice
) -> dict[tuple[str, str], float]:
    """Find the best mean of any cell, by data set and the store's column name: as `leaders`."""
    if comparison_count(con, "") > MANY:
        return {}
    judged = [column for column in columns if column.better]
    marked = {
        cell for cell, marks in cells_marked(con, choice).items() if of_times(" ".join(marks))
    }
    refits = refitted_cells(con, choice)
    best: dict[tuple[str, str], float] = {}
    by_dataset: dict[str, list[CellRow]] = {}
    for row in cell_table(con, choice, [column.source for column in judged]):
        by_dataset.setdefault(row.cell.dataset, []).append(row)
    compared = (
        row
        for some in by_dataset.values()
        for row in without_refits(some, lambda row: row.cell in refits)
    )
    for row in compared:
        for column in judged:
            source, pick = column.source, max if column.better == "higher" else min
            if column.name in COSTS and row.cell in marked:
                continue
            if over := row.figures.get(source):
                key, mean = (row.cell.dataset, source), over.spread.mean
                best[key] = pick(best.get(key, mean), mean)
    return best

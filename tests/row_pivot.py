"""The pivot made of single runs' rows in Python, to compare the one that SQLite makes with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.analysis.columns.definitions import STD
from engine.analysis.comparison import Row, by_cell, runs_by_cell
from engine.analysis.pivot.arranged import COLUMNS, PivotCell, PivotRow, arranged
from engine.cell import Cell


def pivot(
    rows: Sequence[Row], counted: Mapping[str, Cell], labels: Mapping[Cell, str] | None = None
) -> list[PivotRow]:
    """The pivot of the rows of `compare_rows`, whose aggregate made each run's figures.

    A cell of several seeds is their maximum where the aggregate is the maximum, and else their mean
    with its deviation.

    Args:
        counted: which runs count, and for which cell
            (`engine.store.compare.grouping.counted_runs`).
        labels: as for `arranged`.
    """
    extreme = {"max": max, "min": min}.get(str(rows[0]["aggregate"])) if rows else None
    found = []
    for (cell, runs), means in zip(
        runs_by_cell(rows, counted).items(), by_cell(rows, counted), strict=True
    ):
        figures = tuple(means[name] for name in COLUMNS)
        deviations = tuple(_number(means[name + STD]) for name in COLUMNS)
        if extreme is not None:
            columns = ([_number(run[name]) for run in runs] for name in COLUMNS)
            numbers = ([value for value in column if value is not None] for column in columns)
            figures = tuple(extreme(column, default=None) for column in numbers)
            deviations = ()
        found.append(
            PivotCell(
                cell,
                protocol=_number(means["protocol"]),
                split=None if means["split"] is None else str(means["split"]),
                seeds=len(runs),
                figures=figures,
                deviations=deviations if any(each is not None for each in deviations) else (),
            )
        )
    return arranged(found, labels)


def _number(value: Any) -> Any:
    return value if isinstance(value, int | float) and value == value else None

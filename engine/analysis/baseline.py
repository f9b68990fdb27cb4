"""Differences to a baseline: a run, or its cell among cells, that others are compared with.

A difference is a number and no verdict: whether it is one, and which side is better, is for the
paired test to say (`engine.analysis.claims`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING

from engine import marks
from engine.analysis.columns.definitions import COSTS, DIFFERENCE, Column, Value, columns
from engine.analysis.columns.text import signed_figure
from engine.analysis.comparison import COMPARABLE, Row, by_cell, compare_rows
from engine.analysis.labels.stored import cell_of_run, newest_runs, stored_labels
from engine.cell import FIELDS, Cell, is_cell_name
from engine.store.compare.grouping import Choice, counted_runs, runs_of_cell

if TYPE_CHECKING:
    from engine.config import Catalogue


def has_difference(column: Column) -> bool:
    """Whether differences to a baseline are shown of a column: of metrics, losses and costs."""
    return column.better is not None


def compares(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Whether two runs or cells can be compared: equal values of all `COMPARABLE`."""
    return all(one.get(name) == other.get(name) for name in COMPARABLE)


def difference(
    column: Column, value: Value, base: Value, marked: Iterable[Value] = ()
) -> float | None:
    """Return a value less the baseline's.

    None if one of them isn't known, or if they can't be compared because of marks.

    Args:
        marked: the marks of both sides (`engine.marks`), blanks between.
    """
    if not has_difference(column) or isinstance(value, str) or isinstance(base, str):
        return None
    if value is None or base is None:
        return None
    kept_apart = marks.of_times if column.name in COSTS else marks.of_metrics
    if any(kept_apart(each) for each in marked):
        return None
    return value - base


def difference_text(column: Column, value: float | None) -> str:
    """Format a difference with its sign; empty for None."""
    return "" if value is None else signed_figure(value, column.kind)


def run_of_baseline(
    con: sqlite3.Connection, baseline: str, without: tuple[str, ...] = ()
) -> str | None:
    """Return the run that a baseline is, or the newest run of the cell that it is; ``None`` if the
    store has none.

    Args:
        baseline: id of a run, or name of a cell, which stays the baseline whatever its runs are.
        without: ids of runs that don't count.
    """
    if is_cell_name(baseline):
        choice = Choice(without=without, imported=True)
        return max(runs_of_cell(con, choice, baseline), default=None)
    known = baseline not in without and cell_of_run(con, baseline) is not None
    return baseline if known else None


def with_baseline(
    con: sqlite3.Connection,
    rows: Sequence[Row],
    baseline: str,
    aggregate: str,
    catalogue: Catalogue | None = None,
    *,
    cells: bool,
) -> list[Row] | None:
    """Put the baseline first, and after each figure its difference to the baseline's.

    A difference is None where the two aren't comparable: other data, split or protocol, or marks.

    Args:
        rows: of `compare_rows`, or of `by_cell` if ``cells``; the baseline may be missing among
            them.
        baseline: as `run_of_baseline` takes it; among cells a run stands for its cell.
        catalogue: knows what recipes give, which cells are named against.

    Returns:
        None if the store doesn't have the run, or its cell no run that is done.
    """
    run = run_of_baseline(con, baseline)
    cell = cell_of_run(con, run) if run is not None else None
    if run is None or cell is None:
        return None
    keys = FIELDS if cells else ("run",)
    own = astuple(cell) if cells else (run,)

    def is_base(row: Row) -> bool:
        return tuple(row[key] or "" for key in keys) == own

    base = next(filter(is_base, rows), None)
    if base is None:
        base = _row_of(con, run, cell, aggregate, catalogue, cells=cells)
    if base is None:
        return None
    if rows:
        base = {**dict.fromkeys(rows[0]), **base}
    others = (row for row in rows if not is_base(row))
    return [_with_differences(row, base) for row in (base, *others)]


def with_difference_names(names: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """Put after each column's name that of its differences, where the rows have any."""
    return [
        each
        for name in names
        for each in (name, name + DIFFERENCE)
        if each == name or (rows and each in rows[0])
    ]


def _row_of(
    con: sqlite3.Connection,
    run: str,
    cell: Cell,
    aggregate: str,
    catalogue: Catalogue | None,
    *,
    cells: bool,
) -> Row | None:
    """Read the row of a run, or of its cell, whether it matches a filter or not."""
    if not cells:
        return next(iter(compare_rows(con, aggregate=aggregate, filter=f'run="{run}"')), None)
    place = f'model="{cell.model}" dataset="{cell.dataset}" length={cell.length}'
    counted = counted_runs(con, Choice(place, imported=True))
    labels = stored_labels(con, newest_runs(counted), catalogue)
    own = {run: of for run, of in counted.items() if of == cell}
    return next(
        iter(by_cell(compare_rows(con, aggregate=aggregate, filter=place), own, labels)), None
    )


def _with_differences(row: Row, base: Row) -> Row:
    comparable = row is not base and compares(row, base)
    marked = row.get("marks"), base.get("marks")
    by_name = {column.name: column for column in columns()}
    found: Row = {}
    for name, value in row.items():
        found[name] = value
        column = by_name.get(name)
        if column is not None and has_difference(column):
            known = difference(column, value, base.get(name), marked) if comparable else None
            found[name + DIFFERENCE] = known
    return found

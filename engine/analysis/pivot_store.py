"""The pivot of a store: its cells made by SQLite, with what is published for them and what the
maximum over epochs inflates."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.analysis import inflation, published
from engine.analysis.comparison import Aggregate, Column, Value, column
from engine.analysis.inflation import Inflated
from engine.analysis.pivot import COLUMNS, PivotCell, PivotRow, arranged
from engine.analysis.published import Published
from engine.store.celltable import CellRow, cell_table
from engine.store.database import fetch
from engine.store.grouping import Choice

if TYPE_CHECKING:
    from engine.config import ReferenceTable


@dataclass(frozen=True)
class StoredPivot:
    """A pivot, and what is known of its cells besides, by their names in the store."""

    rows: tuple[PivotRow, ...] = ()
    runs: int = 0
    """In all cells: one a seed."""
    inflation: Mapping[str, Mapping[str, Inflated]] = field(default_factory=dict)
    published: tuple[Published, ...] = ()


def pivot_columns(aggregate: Aggregate) -> list[Column]:
    """The reference table's columns, as the comparison has them."""
    return [column(name, aggregate) for name in COLUMNS]


def stored_pivot(
    con: sqlite3.Connection,
    choice: Choice,
    aggregate: Aggregate,
    tables: Iterable[ReferenceTable] = (),
) -> StoredPivot:
    """The pivot of the runs that are done and match, the epochs of each made one by ``aggregate``.

    A cell of several seeds is their maximum or minimum where the aggregate is that, and else their
    mean with its deviation; of a seed that ran more than once, the run with the last id counts.
    Below each cell stands what ``tables`` publish for it.

    Raises:
        UsageError: a filter that means nothing.
    """
    tables = list(tables)
    shown = [entry.source for entry in pivot_columns(aggregate)]
    read = dict.fromkeys([*shown, *inflation.measures(), *published.sources(tables)])
    cells = cell_table(con, choice, list(read))
    protocols = _protocols(con, cells)
    beside = {cell.cell: published.published_for(tables, cell) for cell in cells}
    return StoredPivot(
        rows=tuple(
            arranged(
                [
                    _pivot_cell(cell, shown, aggregate, protocols, beside[cell.cell])
                    for cell in cells
                ]
            )
        ),
        runs=sum(cell.seeds for cell in cells),
        inflation={cell.cell: inflation.inflated(cell) for cell in cells},
        published=tuple(each for some in beside.values() for each in some),
    )


def leaders(rows: Sequence[PivotRow], aggregate: Aggregate) -> dict[tuple[str, int], Value]:
    """The best figure of any cell, by data set and place in `COLUMNS`; only of columns of which
    one end is good. Figures of different data sets aren't comparable, so each has a best; imported
    cells lead in nothing."""
    found: dict[tuple[str, int], Value] = {}
    for place, entry in enumerate(pivot_columns(aggregate)):
        if entry.better is None:
            continue
        pick = max if entry.better == "higher" else min
        by_dataset: dict[str, list[float]] = {}
        for row in rows:
            value = row.figures[place]
            if row.is_cell and not row.imported and isinstance(value, int | float):
                by_dataset.setdefault(row.dataset, []).append(value)
        found |= {(dataset, place): pick(values) for dataset, values in by_dataset.items()}
    return found


def _pivot_cell(
    cell: CellRow,
    shown: Sequence[str],
    aggregate: Aggregate,
    protocols: Mapping[str, int | None],
    beside: Collection[Published],
) -> PivotCell:
    known = [cell.figures.get(source) for source in shown]
    figures: tuple[Value, ...]
    deviations: tuple[float | None, ...] = ()
    if aggregate == "max":
        figures = tuple(each.highest if each else None for each in known)
    elif aggregate == "min":
        figures = tuple(each.lowest if each else None for each in known)
    else:
        figures = tuple(each.spread.mean if each else None for each in known)
        deviations = tuple(each.spread.deviation if each else None for each in known)
    return PivotCell(
        model=cell.model,
        dataset=cell.dataset,
        length=cell.length,
        profile=cell.profile,
        settings=cell.settings,
        checksum=cell.checksum,
        protocol=protocols.get(cell.cell),
        seeds=cell.seeds,
        figures=figures,
        deviations=deviations if any(each is not None for each in deviations) else (),
        name=cell.cell,
        published=tuple(beside),
    )


def _protocols(con: sqlite3.Connection, cells: Sequence[CellRow]) -> dict[str, int | None]:
    """Of the cells that share their place with others: what their protocol is."""
    places = Counter((cell.model, cell.dataset, cell.length) for cell in cells)
    several = {
        cell.run: cell.cell for cell in cells if places[cell.model, cell.dataset, cell.length] > 1
    }
    rows = fetch(
        con,
        "SELECT s.run, CASE WHEN json_valid(s.spec) THEN json_extract(s.spec, '$.protocol') END"
        " FROM json_each(?) wanted CROSS JOIN specs s ON s.run = wanted.value",
        (json.dumps(list(several)),),
    )
    return {several[run]: value if isinstance(value, int) else None for run, value in rows}

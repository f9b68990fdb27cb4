"""The pivot of a store: cells from SQLite, with published results and the inflation from choosing
epochs on test."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from engine.analysis import published
from engine.analysis.columns.definitions import COSTS, Aggregate, Column, Value
from engine.analysis.columns.offered import column_named
from engine.analysis.floor import Floor, floors
from engine.analysis.inflation.measured import Inflated, inflated, measures
from engine.analysis.labels.stored import stored_labels
from engine.analysis.literature.stored import setups
from engine.analysis.pivot.arranged import COLUMNS, PivotCell, PivotRow, arranged, with_standings
from engine.analysis.provenance import provenance_of
from engine.analysis.published import Published
from engine.analysis.refits import without_refits
from engine.marks import of_times
from engine.store.compare.grouping import (
    CellRow,
    Choice,
    cell_table,
    cells_marked,
    refitted_cells,
)

if TYPE_CHECKING:
    from engine.config import Catalogue, PublishedTable
    from engine.store.location import StoreLocation


@dataclass(frozen=True)
class StoredPivot:
    """A pivot, with inflation by the name of a cell, and published results."""

    rows: tuple[PivotRow, ...] = ()
    runs: int = 0
    """Number of runs in all cells: one a seed."""
    inflation: Mapping[str, Mapping[str, Inflated]] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
    floors: tuple[Floor, ...] = ()
    """Those of its data sets."""
    floor_rows: tuple[PivotRow, ...] = ()
    """Their rows, whether they match or not."""
    names: tuple[str, ...] = COLUMNS
    """The columns that the rows' figures are of."""


def pivot_columns(aggregate: Aggregate, names: Sequence[str] = COLUMNS) -> list[Column]:
    """Return a pivot's columns, as the comparison has them."""
    return [column_named(name, aggregate) for name in names]


def stored_pivot(
    con: sqlite3.Connection,
    choice: Choice,
    aggregate: Aggregate,
    tables: Iterable[PublishedTable] = (),
    catalogue: Catalogue | None = None,
    location: StoreLocation | None = None,
    names: Sequence[str] = COLUMNS,
) -> StoredPivot:
    """Make the pivot of the runs that are done and match.

    A cell of several seeds is their maximum or minimum where the aggregate is that, and else their
    mean with its deviation; of a seed that ran more than once, the run with the last id counts.

    Args:
        aggregate: how a run's epochs become one figure.
        tables: whose figures for a cell are put below it.
        catalogue: knows what recipes give, which cells are named against.
        location: where the ranks are that tell which cells are above their floor; without it
            nothing is said of floors.
        names: the columns, of figures.

    Raises:
        UsageError: a filter that means nothing.
    """
    tables = list(tables)
    shown = [entry.source for entry in pivot_columns(aggregate, names)]
    read = dict.fromkeys([*shown, *measures(), *published.sources(tables)])
    cells = cell_table(con, choice, list(read))
    measured = _measured(con, cells)
    marks, refits = cells_marked(con, choice), refitted_cells(con, choice)
    labels = stored_labels(con, {row.cell: row.run for row in cells}, catalogue)
    own = setups(con, cells) if tables else {}
    beside = {
        row.cell: published.published_for(tables, row, marks, labels=labels, setups=own)
        for row in cells
    }
    arranged_rows: Sequence[PivotRow] = arranged(
        [
            replace(
                _pivot_cell(row, shown, aggregate, measured.get(row.run), beside[row.cell]),
                marks=marks.get(row.cell, ()),
                refit=row.cell in refits,
            )
            for row in cells
        ],
        labels,
        names,
    )
    every = floors(con, catalogue) if location else []
    datasets = {row.cell.dataset for row in cells}
    below = [floor for floor in every if floor.cell.dataset in datasets]
    if location and below:
        from engine.analysis.pairs.standings import Standings  # loads numpy: few stores need it

        standings = Standings(con, location, every).of(con, [row.cell for row in cells])
        arranged_rows = with_standings(arranged_rows, below, standings)
    return StoredPivot(
        rows=tuple(arranged_rows),
        floors=tuple(below),
        floor_rows=tuple(_floor_rows(con, choice, below, shown, aggregate)),
        runs=sum(row.seeds for row in cells),
        inflation={row.cell.name: inflated(row) for row in cells},
        published=tuple(
            each
            for some in beside.values()
            for each in some
            if not each.figures.keys().isdisjoint(names)
        ),
        names=tuple(names),
    )


def _floor_rows(
    con: sqlite3.Connection,
    choice: Choice,
    own: Sequence[Floor],
    shown: Sequence[str],
    aggregate: Aggregate,
) -> Iterator[PivotRow]:
    names = {floor.cell.name: floor for floor in own}
    for row in cell_table(con, replace(choice, filter=""), shown, list(names)) if own else []:
        made = _pivot_cell(row, shown, aggregate, None, ())
        floor = names[row.cell.name]
        label = f"Floor of {floor.cell.dataset}: {floor.label}"
        place = row.cell.place
        yield PivotRow(
            "length", label, *place, row.seeds, made.figures, made.deviations, row.cell.name
        )


def leaders(
    rows: Sequence[PivotRow], aggregate: Aggregate, names: Sequence[str] = COLUMNS
) -> dict[tuple[str, int], Value]:
    """Find the best value of any cell, by data set and the column's index.

    Only columns of which one end is good have one; imported cells are left out, refits beside
    others, and of costs cells that are marked for their times.
    """
    of_dataset: dict[str, list[PivotRow]] = {}
    for row in rows:
        if row.is_cell and not row.imported:
            of_dataset.setdefault(row.dataset, []).append(row)
    judged = [
        row for some in of_dataset.values() for row in without_refits(some, lambda row: row.refit)
    ]
    found: dict[tuple[str, int], Value] = {}
    for place, entry in enumerate(pivot_columns(aggregate, names)):
        if entry.better is None:
            continue
        pick = max if entry.better == "higher" else min
        by_dataset: dict[str, list[float]] = {}
        for row in judged:
            value = row.figures[place]
            aside = entry.name in COSTS and of_times(" ".join(row.marks))
            if not aside and isinstance(value, int | float):
                by_dataset.setdefault(row.dataset, []).append(value)
        found |= {(dataset, place): pick(values) for dataset, values in by_dataset.items()}
    return found


def _pivot_cell(
    row: CellRow,
    shown: Sequence[str],
    aggregate: Aggregate,
    measured: tuple[int | None, str | None] | None,
    beside: Collection[Published],
) -> PivotCell:
    known = [row.figures.get(source) for source in shown]
    figures: tuple[Value, ...]
    deviations: tuple[float | None, ...] = ()
    if aggregate == "max":
        figures = tuple(each.highest if each else None for each in known)
    elif aggregate == "min":
        figures = tuple(each.lowest if each else None for each in known)
    else:
        figures = tuple(each.spread.mean if each else None for each in known)
        deviations = tuple(each.spread.deviation if each else None for each in known)
    protocol, split = measured or (None, None)
    return PivotCell(
        row.cell,
        protocol=protocol,
        split=split,
        seeds=row.seeds,
        figures=figures,
        deviations=deviations if any(each is not None for each in deviations) else (),
        published=tuple(beside),
    )


def _measured(
    con: sqlite3.Connection, rows: Sequence[CellRow]
) -> dict[str, tuple[int | None, str | None]]:
    """Read protocol and split of cells that share model, data set and length with others.

    They are by the id of the cell's newest run.
    """
    places = Counter(row.cell.place for row in rows)
    several = [row.run for row in rows if places[row.cell.place] > 1]
    found: dict[str, tuple[int | None, str | None]] = {}
    for run, origin in provenance_of(con, several).items():
        protocol, split = origin["protocol"], origin["split"]
        found[run] = (
            protocol if isinstance(protocol, int) else None,
            None if split is None else str(split),
        )
    return found

"""Published results about the cells of a store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.analysis.labels.stored import stored_labels
from engine.analysis.labels.words import cell_title
from engine.analysis.literature.differences import Compared, about
from engine.analysis.literature.figures import PublishedFigure, Setup, figures_of, setup_of
from engine.cell import Cell
from engine.spread import Spread
from engine.store.compare.grouping import CellRow, Choice, cell_table
from engine.store.queries import specs_of

if TYPE_CHECKING:
    from engine.config import Catalogue

_UNKNOWN = Setup()


@dataclass(frozen=True, slots=True)
class PublishedAbout:
    """A published result about one of our cells, with our value."""

    row: CellRow
    title: str
    """The cell's."""
    compared: Compared
    ours: Spread | None
    """Over seeds, measured as the published one is; None if the store has none at its k."""

    @property
    def difference(self) -> float | None:
        """Ours minus the published value; None if they aren't comparable."""
        return self.compared.difference(self.ours)


def setups(con: sqlite3.Connection, rows: Iterable[CellRow]) -> dict[Cell, Setup]:
    """Read the setups of cells, from the newest run of each."""
    runs = {row.run: row.cell for row in rows}
    return {runs[run]: setup for run, setup in setups_of(con, runs).items()}


def setups_of(con: sqlite3.Connection, runs: Iterable[str]) -> dict[str, Setup]:
    """Read the setups of runs, by their ids."""
    return {run: setup_of(spec) for run, spec in specs_of(con, list(runs)).items()}


def published_about(
    con: sqlite3.Connection, choice: Choice, catalogue: Catalogue
) -> list[PublishedAbout]:
    """List what is published about the cells that match, cell by cell, the most comparable first.

    Raises:
        UsageError: a filter that means nothing.
    """
    figures = figures_of(catalogue.published.values())
    columns = dict.fromkeys(figure.source for figure in figures)
    rows = cell_table(con, choice, [name for name in columns if name is not None])
    own = setups(con, rows)
    labels = stored_labels(con, {row.cell: row.run for row in rows}, catalogue)
    return [
        PublishedAbout(row, cell_title(row.cell, labels.get(row.cell, "")), each, _ours(row, each))
        for row in rows
        for each in about(figures, row.cell.model, row.cell.dataset, own.get(row.cell, _UNKNOWN))
    ]


def nearest(found: Sequence[PublishedAbout]) -> list[PublishedAbout]:
    """Keep of each published result the cell that it is most comparable with."""
    best: dict[PublishedFigure, PublishedAbout] = {}
    for each in found:
        known = best.setdefault(each.compared.figure, each)
        if each.compared.distance < known.compared.distance:
            best[each.compared.figure] = each
    return list(best.values())


def _ours(row: CellRow, each: Compared) -> Spread | None:
    source = each.figure.source
    found = row.figures.get(source) if source else None
    return found.spread if found else None

"""The runs of a data set in the user's store: its networks, and fitted models."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.comparison import COMPARABLE
from engine.analysis.floor import FILTER
from engine.analysis.labels.stored import stored_labels
from engine.analysis.labels.words import cell_title
from engine.analysis.pairs.cells import ranked_cell
from engine.analysis.pairs.significance import Metric, per_user
from engine.analysis.provenance import provenance_of, split_of
from engine.config import Catalogue
from engine.errors import UserError
from engine.judge.ask import StoredFit
from engine.judge.models import FITTED
from engine.metrics import SELECTION
from engine.spec import Dataset
from engine.spec.identity import PROTOCOL
from engine.store.compare.grouping import CellRow, Choice, cell_table, runs_of_cell
from engine.store.location import StoreLocation

_VALID = f"{SELECTION}_best"


@dataclass(frozen=True)
class Network:
    """A trained model's cell, the best one of its model on validation."""

    label: str
    seeds: int
    valid: float
    """Its mean NDCG@10 on validation."""
    ranks: NDArray[np.int32]
    """(S, targets): each run's ranks of the test users' true items among all items."""
    users: NDArray[np.int32] | None = None
    """(targets,): the number of each one's user, ascending; ``None`` if every user has one."""

    def mean(self, metric: Metric) -> float:
        """Return the metric on test, the mean over seeds."""
        return float(per_user(self.ranks, metric, self.users).mean())


def stored_networks(
    con: sqlite3.Connection,
    location: StoreLocation,
    catalogue: Catalogue,
    dataset: Dataset,
    checksum: str,
) -> list[Network]:
    """Read the best cell of each trained model, of any length, best on validation first.

    Args:
        checksum: of the data as they are here
            (`engine.datasets.splitting.splits.data_checksum`): others rank for other users.
    """
    best: dict[str, CellRow] = {}
    for row in _cells(con, f"-{FILTER}", dataset, checksum):
        other = best.get(row.cell.model)
        if other is None or _valid(row) > _valid(other):
            best[row.cell.model] = row
    labels = stored_labels(con, {row.cell: row.run for row in best.values()}, catalogue)
    found = []
    for row in sorted(best.values(), key=_valid, reverse=True):
        cell, _ = ranked_cell(con, location, runs_of_cell(con, Choice(), row.cell.name), catalogue)
        if cell is not None:
            title = cell_title(row.cell, labels[row.cell])
            ranks = cell.ranks[:, 0]
            found.append(Network(title, len(ranks), _valid(row), ranks, cell.owners))
    return found


def stored_fits(
    con: sqlite3.Connection,
    location: StoreLocation,
    catalogue: Catalogue,
    dataset: Dataset,
    checksum: str,
    length: int,
) -> dict[str, StoredFit]:
    """Find runs of fitted models that have the settings and the data that judging has, by model."""
    rows = list(_cells(con, FILTER, dataset, checksum))
    found: dict[str, StoredFit] = {}
    for model in FITTED:
        try:
            settings = catalogue.run_spec(model, dataset.name, length, 1).settings()
        except UserError:
            continue
        for row in rows:
            if row.cell.place == (model, dataset.name, length) and row.cell.settings == settings:
                file = location.folder(row.run).test_ranks.absolute()
                found[model] = StoredFit(_valid(row), str(file))
    return found


def _cells(
    con: sqlite3.Connection, which: str, dataset: Dataset, checksum: str
) -> Iterator[CellRow]:
    """Yield the cells of a data set that are compared with each other on these data."""
    alike = (
        dataset.name,
        PROTOCOL,
        split_of({"source": dataset.model_dump(mode="json")}),
        checksum,
    )
    choice = Choice(f'{which} dataset="{dataset.name}"')
    rows = [row for row in cell_table(con, choice, [_VALID]) if _VALID in row.figures]
    origins = provenance_of(con, [row.run for row in rows])
    for row in rows:
        known = {"dataset": row.cell.dataset, **origins.get(row.run, {})}
        if tuple(known.get(name) for name in COMPARABLE) == alike:
            yield row


def _valid(row: CellRow) -> float:
    return row.figures[_VALID].spread.mean

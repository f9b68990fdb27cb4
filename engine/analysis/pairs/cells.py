"""Cells with their runs' ranks of test users, and the paired tests between them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from engine.analysis.comparison import COMPARABLE, Row, Value, runs_by_cell
from engine.analysis.pairs.interval import user_interval
from engine.analysis.pairs.significance import (
    LEVEL,
    Difference,
    Metric,
    PerUser,
    difference,
    holm,
    more_seeds,
    per_user,
)
from engine.analysis.pairs.users import UserIntervals
from engine.analysis.provenance import provenance_of
from engine.cell import FIELDS, Cell
from engine.files.regular import open_regular
from engine.store.compare.comparison import runs_by_id
from engine.store.location import StoreLocation

_ORIGIN = ("settings", "protocol", "split", "checksum")
_DISTINCT: tuple[Metric, ...] = ("ndcg", "mrr", "hit")


@dataclass(frozen=True)
class RankedCell:
    """A cell's runs that count, with each test user's rank of the true item in them."""

    cell: Cell
    comparable: tuple[Value, ...]
    """The values of `COMPARABLE`; cells with equal ones rank for the same users."""
    runs: tuple[Row, ...]
    ranks: NDArray[np.int32]
    """(S, 2, U): over all items, and with the user's seen items masked."""
    label: str
    """Tells it from the other cells of its data set."""

    def values(self, metric: Metric, *, masked: bool) -> PerUser:
        return per_user(self.ranks[:, int(masked)], metric)


@dataclass(frozen=True)
class Pair:
    """The test between two cells in a metric."""

    a: RankedCell
    b: RankedCell
    difference: Difference
    p: float
    """Corrected over all pairs of the table (Holm)."""
    more_seeds: int | None
    """Seeds to add to each cell so that the test would show the difference at the corrected level,
    if it stays as it is; None if no number would."""

    @property
    def verdict(self) -> str:
        """How the first cell compares; without a corrected p below the level, no difference."""
        if self.p < LEVEL:
            return "better" if self.difference.mean > 0 else "worse"
        return "no difference shown"


def ranked_cells(
    location: StoreLocation, rows: Iterable[Row], counted: Mapping[str, Cell]
) -> tuple[list[RankedCell], list[str]]:
    """Read the ranks of the rows of `compare_rows`, by cell.

    Args:
        counted: which runs count, and for which cell
            (`engine.store.compare.grouping.counted_runs`).
            Imported ones have no ranks, and are to be left out.

    Returns:
        The cells in the order of the rows, and a sentence for each run without ranks.
    """
    groups = runs_by_cell(rows, counted)
    cells: list[RankedCell] = []
    problems: list[str] = []
    for cell, of_cell in groups.items():
        runs: list[Row] = []
        ranks: list[NDArray[np.int32]] = []
        for row in of_cell:
            try:
                ranks.append(_ranks(location, str(row["run"])))
                runs.append(row)
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else str(error)
                problems.append(f"{row['run']} is left out: its test ranks can't be read ({why}).")
        users = {each.shape[1] for each in ranks}
        if len(users) > 1:
            problems.append(f"{_label(cell, groups)} is left out: its runs rank for other users.")
        elif ranks:
            alike = tuple(runs[0][name] for name in COMPARABLE)
            label = _label(cell, groups)
            cells.append(RankedCell(cell, alike, tuple(runs), np.stack(ranks), label))
    return cells, problems


def pairs(cells: Sequence[RankedCell], metric: Metric, *, masked: bool) -> list[Pair]:
    """Test every two cells of one data set, split, checksum and protocol.

    The p-values are corrected for all of them together.
    """
    values = {id(cell): cell.values(metric, masked=masked) for cell in cells}
    found = [
        (a, b, difference(values[id(a)], values[id(b)]))
        for a, b in combinations(cells, 2)
        if a.comparable == b.comparable and a.ranks.shape[2] == b.ranks.shape[2] > 1
    ]
    corrected = holm([each.p for _, _, each in found])
    compared = []
    for (a, b, each), p in zip(found, corrected, strict=True):
        level = LEVEL * each.p / p if p else LEVEL  # what the correction leaves of it
        missing = 0 if p < LEVEL else more_seeds(values[id(a)], values[id(b)], level)
        compared.append(Pair(a, b, each, p, missing))
    return compared


def across_metrics(a: RankedCell, b: RankedCell) -> dict[Metric, Pair]:
    """Test two cells in every metric over all items (recall equals hit rate), corrected together.

    Empty if the cells can't be compared.
    """
    found = {name: pairs([a, b], name, masked=False) for name in _DISTINCT}
    single = {name: some[0] for name, some in found.items() if some}
    corrected = holm([pair.difference.p for pair in single.values()])
    compared: dict[Metric, Pair] = {}
    for (name, pair), p in zip(single.items(), corrected, strict=True):
        level = LEVEL * pair.difference.p / p if p else LEVEL
        ours, theirs = (cell.values(name, masked=False) for cell in (a, b))
        missing = 0 if p < LEVEL else more_seeds(ours, theirs, level)
        compared[name] = replace(pair, p=p, more_seeds=missing)
    return compared


def ranked_cell(
    con: sqlite3.Connection, location: StoreLocation, runs: Sequence[str]
) -> tuple[RankedCell | None, list[str]]:
    """Read the ranks of the runs of one cell.

    Returns:
        The cell, None if no run has ranks; and a sentence for each run without.
    """
    names = ("id", "model", "dataset", "length", "seed", "profile", "state", "origin")
    origins = provenance_of(con, runs)
    rows: list[Row] = []
    for values in runs_by_id(con, names, runs):
        row: Row = dict(zip(("run", *names[1:]), values, strict=True))
        origin = origins.get(str(row["run"]), {})
        rows.append(row | {name: origin.get(name) for name in _ORIGIN})
    rows.sort(key=lambda row: str(row["run"]))
    done = [row for row in rows if row["state"] == "done" and not row["origin"]]
    counted = {str(row["run"]): cell_of(row) for row in done}
    cells, problems = ranked_cells(location, rows, counted)
    return (cells[0] if len(cells) == 1 else None), problems


def intervals(
    con: sqlite3.Connection, location: StoreLocation, runs: Sequence[str]
) -> UserIntervals | str:
    """Return the intervals of all metrics over all items for runs that differ in seed only, or a
    sentence why there are none."""
    cell, problems = ranked_cell(con, location, runs)
    if cell is None or problems:
        return (problems or ["Not known: no run has ranks of its test users."])[0]
    ends: dict[str, tuple[float, float]] = {
        metric: user_interval(cell.values(metric, masked=False)) for metric in _DISTINCT
    }
    return UserIntervals(cell.ranks.shape[2], ends | {"recall": ends["hit"]})


def _ranks(location: StoreLocation, run: str) -> NDArray[np.int32]:
    """Read a run's ranks, (2, U). Raises `OSError` or `ValueError`."""
    with open_regular(location.folder(run).test_ranks) as file:
        ranks: NDArray[np.int32] = np.load(file, allow_pickle=False)
    if ranks.ndim != 2 or ranks.shape[0] != 2 or not np.issubdtype(ranks.dtype, np.integer):
        raise ValueError("not ranks of test users")
    if ranks.size and ranks.min() < 1:
        raise ValueError("a rank below 1")
    return ranks


def _label(cell: Cell, cells: Iterable[Cell]) -> str:
    """Write a cell's label: model and length, and more if others have the same."""
    words = [f"{cell.model} L={cell.length}"]
    alike = [other for other in cells if other.place == cell.place]
    for name in ("profile", "settings"):
        if len({getattr(other, name) for other in alike}) > 1:
            words.append(str(getattr(cell, name)))
            alike = [other for other in alike if getattr(other, name) == getattr(cell, name)]
    return " ".join(words)


def cell_of(row: Row) -> Cell:
    """Make the cell of a run's row, which has the keys `FIELDS`."""
    facts = [row[name] for name in FIELDS]
    return Cell(*(("" if value is None else value) for value in facts))  # type: ignore[arg-type]

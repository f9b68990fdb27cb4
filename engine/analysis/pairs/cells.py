"""Cells with what their runs ranked: who can be compared with whom, and what comes of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from engine.analysis.comparison import COMPARABLE, Row, Value
from engine.analysis.pairs.significance import (
    LEVEL,
    Difference,
    Metric,
    PerUser,
    difference,
    holm,
    more_seeds,
    per_user,
    user_interval,
)
from engine.analysis.provenance import provenance_of
from engine.cell import FIELDS, Cell
from engine.regular import open_regular
from engine.store.compare.comparison import runs_by_id
from engine.store.location import StoreLocation

_ORIGIN = ("settings", "protocol", "split", "checksum")
_DISTINCT: tuple[Metric, ...] = ("ndcg", "mrr", "hit")


@dataclass(frozen=True)
class RankedCell:
    """A cell's runs that are done, one a seed, and each test user's rank in them."""

    cell: Cell
    comparable: tuple[Value, ...]
    """The values of `COMPARABLE`: cells in which they are equal rank for the same users."""
    runs: tuple[Row, ...]
    ranks: NDArray[np.int32]
    """(S, 2, U): over all items, and with the user's seen items masked."""
    label: str
    """What tells it from the other cells of its data set."""

    def values(self, metric: Metric, *, masked: bool) -> PerUser:
        return per_user(self.ranks[:, int(masked)], metric)


@dataclass(frozen=True)
class Pair:
    """Two cells in a metric."""

    a: RankedCell
    b: RankedCell
    difference: Difference
    p: float
    """Corrected over all pairs of the table (Holm)."""
    more_seeds: int | None
    """How many more a cell would tell them apart, at the level that the correction leaves."""

    @property
    def verdict(self) -> str:
        """What may be said of the first: only a corrected p below the level is a difference."""
        if self.p < LEVEL:
            return "better" if self.difference.mean > 0 else "worse"
        return "no difference shown"


def ranked_cells(
    location: StoreLocation, rows: Iterable[Row], counted: Mapping[str, Cell]
) -> tuple[list[RankedCell], list[str]]:
    """The cells of the rows of `compare_rows`, in their order, and a sentence for each run whose
    ranks are not to be had.

    Args:
        counted: which runs count, and for which cell
            (`engine.store.compare.grouping.counted_runs`).
            Imported ones have no ranks, and are to be left out.
    """
    groups: dict[Cell, list[Row]] = {}
    for row in rows:
        if cell := counted.get(str(row["run"])):
            groups.setdefault(cell, []).append(row)
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
    """Every two cells that can be compared: those of one data set, split, checksum and protocol.

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
    """Two cells in every metric (recall is hit rate), over all items; empty where they can't be
    compared. The p-values are corrected for the metrics together."""
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
    """Runs of one cell with their test users' ranks, and a sentence for each that has none to be
    read; None where none has."""
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


def interval(cell: RankedCell, metric: Metric, *, masked: bool) -> tuple[float, float]:
    """The interval at 95 % over users, by the bootstrap."""
    return user_interval(cell.values(metric, masked=masked))


def intervals(
    con: sqlite3.Connection, location: StoreLocation, runs: Sequence[str]
) -> dict[str, tuple[float, float]] | str:
    """The intervals of all metrics over all items, of runs that differ in seed only; or a sentence
    why there are none."""
    cell, problems = ranked_cell(con, location, runs)
    if cell is None or problems:
        return (problems or ["Not known: no run has ranks of its test users."])[0]
    found: dict[str, tuple[float, float]] = {
        metric: interval(cell, metric, masked=False) for metric in _DISTINCT
    }
    return found | {"recall": found["hit"]}


def _ranks(location: StoreLocation, run: str) -> NDArray[np.int32]:
    """(2, U). Raises `OSError` or `ValueError` where there are none."""
    with open_regular(location.folder(run).test_ranks) as file:
        ranks: NDArray[np.int32] = np.load(file, allow_pickle=False)
    if ranks.ndim != 2 or ranks.shape[0] != 2 or not np.issubdtype(ranks.dtype, np.integer):
        raise ValueError("not ranks of test users")
    if ranks.size and ranks.min() < 1:
        raise ValueError("a rank below 1")
    return ranks


def _label(cell: Cell, cells: Iterable[Cell]) -> str:
    """Model and length, and more where that is not enough."""
    words = [f"{cell.model} L={cell.length}"]
    alike = [other for other in cells if other.place == cell.place]
    for name in ("profile", "settings"):
        if len({getattr(other, name) for other in alike}) > 1:
            words.append(str(getattr(cell, name)))
            alike = [other for other in alike if getattr(other, name) == getattr(cell, name)]
    return " ".join(words)


def cell_of(row: Row) -> Cell:
    """The cell of a run's row, which has the names of `FIELDS`."""
    facts = [row[name] for name in FIELDS]
    return Cell(*(("" if value is None else value) for value in facts))  # type: ignore[arg-type]

"""Cells with their runs' ranks of test users, and the paired tests between them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from engine.analysis.claims.claim import (
    LEVEL,
    USERS_ALONE,
    USERS_AND_SEEDS,
    Claim,
    Family,
    Verdict,
)
from engine.analysis.claims.rule import Side, untold
from engine.analysis.columns.definitions import Value, metric_name
from engine.analysis.comparison import COMPARABLE, Row, runs_by_cell
from engine.analysis.labels.words import Described, cell_labels, cell_title
from engine.analysis.pairs.interval import user_interval
from engine.analysis.pairs.significance import (
    Difference,
    Metric,
    difference,
    holm,
    more_seeds,
    per_user,
)
from engine.analysis.pairs.users import UserIntervals
from engine.analysis.pairs.variance import PerUser
from engine.analysis.provenance import provenance_of
from engine.analysis.run.relaunch import Launch, launches_of
from engine.cell import FIELDS, Cell
from engine.marks import STILL_IMPROVING, in_order
from engine.results.files import read_ranks
from engine.results.users import user_bounds
from engine.spec import TOP_K
from engine.store.compare.comparison import runs_by_id
from engine.store.location import StoreLocation

if TYPE_CHECKING:
    from engine.config import Catalogue

FITTED = "fitted"
"""The objective of models that are fitted, not trained."""

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
    """(S, 2, T): of T targets, over all items, and with the user's seen items masked."""
    label: str
    """Tells it from the other cells of its data set."""
    launch: Launch | None = None
    """How its runs are launched; None if that isn't known."""
    owners: NDArray[np.int32] | None = None
    """(T,): the number of each target's user, ascending; None if every user has one."""

    def values(self, metric: Metric, *, masked: bool, k: int = TOP_K) -> PerUser:
        return per_user(self.ranks[:, int(masked)], metric, self.owners, k=k)

    @property
    def targets(self) -> int:
        return int(self.ranks.shape[2])

    @property
    def users(self) -> int:
        """How many test users there are, U: those over whom differences are tested."""
        return self.targets if self.owners is None else len(user_bounds(self.owners)) - 1

    def meets(self, other: RankedCell) -> bool:
        """Whether both rank the same targets, of two users or more."""
        return (
            self.comparable == other.comparable
            and self.targets == other.targets
            and _alike(self.owners, other.owners)
            and self.users > 1
        )

    @cached_property
    def side(self) -> Side:
        """What decides whether a verdict on it is possible."""
        marks = {str(run.get("run")): str(run.get("marks") or "").split() for run in self.runs}
        return Side(
            self.label,
            seeds=len(self.ranks),
            marks=in_order(mark for some in marks.values() for mark in some),
            improving=tuple(run for run, some in marks.items() if STILL_IMPROVING in some),
            launch=self.launch,
            numbers=tuple(seed for run in self.runs if isinstance(seed := run.get("seed"), int)),
            fitted=self.fitted,
        )

    @property
    def fitted(self) -> bool:
        """Whether the model is fitted, not trained: every seed gives the same."""
        return bool(self.runs) and all(run.get("objective") == FITTED for run in self.runs)


@dataclass(frozen=True)
class Pair:
    """The test between two cells in a metric."""

    a: RankedCell
    b: RankedCell
    difference: Difference
    claim: Claim
    """What may be said of the first against the second."""
    more_seeds: int | None
    """Seeds to add to each cell so that the test would show the difference at the corrected level,
    if it stays as it is; None if no number would, or nothing can be claimed."""

    @property
    def p(self) -> float | None:
        """Corrected for the claim's family (Holm); None if nothing can be claimed."""
        return self.claim.p

    @property
    def verdict(self) -> Verdict | None:
        """How the first cell compares; None if nothing can be claimed."""
        return self.claim.verdict

    @property
    def why_untold(self) -> str | None:
        """Why nothing can be claimed, and what to run to change that; None if something can."""
        return self.claim.untold.sentence if self.claim.untold else None


def ranked_cells(
    location: StoreLocation,
    rows: Iterable[Row],
    counted: Mapping[str, Cell],
    launches: Mapping[str, Launch] | None = None,
    labels: Mapping[Cell, str] | None = None,
) -> tuple[list[RankedCell], list[str]]:
    """Read the ranks of the rows of `compare_rows`, by cell.

    Args:
        counted: which runs count, and for which cell
            (`engine.store.compare.grouping.counted_runs`).
            Imported ones have no ranks, and are to be left out.
        launches: how runs are launched, by id, where it is known.
        labels: what tells cells apart (`engine.analysis.labels.stored`); digests if not given.

    Returns:
        The cells in the order of the rows, and a sentence for each run without ranks.
    """
    groups = runs_by_cell(rows, counted)
    if labels is None:
        labels = cell_labels(map(Described, groups))
    cells: list[RankedCell] = []
    problems: list[str] = []
    for cell, of_cell in groups.items():
        runs: list[Row] = []
        ranks: list[NDArray[np.int32]] = []
        owners: list[NDArray[np.int32] | None] = []
        for row in of_cell:
            try:
                some, users = read_ranks(location.folder(str(row["run"])))
                ranks.append(some)
                owners.append(users)
                runs.append(row)
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else str(error)
                problems.append(f"{row['run']} is left out: its test ranks can't be read ({why}).")
        label = cell_title(cell, labels.get(cell, ""))
        if len({each.shape[1] for each in ranks}) > 1 or not all(
            _alike(each, owners[0]) for each in owners
        ):
            problems.append(f"{label} is left out: its runs rank for other users.")
        elif ranks:
            alike = tuple(runs[0][name] for name in COMPARABLE)
            launch = (launches or {}).get(str(runs[0]["run"]))
            stacked = np.stack(ranks)
            cells.append(RankedCell(cell, alike, tuple(runs), stacked, label, launch, owners[0]))
    return cells, problems


def pairs(
    cells: Sequence[RankedCell],
    metric: Metric,
    *,
    masked: bool,
    k: int = TOP_K,
    family: Literal["cells", "models"] = "cells",
) -> list[Pair]:
    """Test every two cells of one data set, split, checksum and protocol in a metric at ``k``.
    The p-values are corrected for all of those that allow a conclusion.
    """
    both = [(a, b, metric) for a, b in combinations(cells, 2) if a.meets(b)]
    return _tested(both, family, masked=masked, k=k)


def against(
    cells: Iterable[RankedCell],
    floor: RankedCell,
    metric: Metric,
    *,
    masked: bool,
    k: int = TOP_K,
) -> list[Pair]:
    """Test trained cells against a floor in a metric at ``k``, those that can be compared with it.
    The p-values are corrected for all of those that allow a conclusion.
    """
    asked = [(cell, floor, metric) for cell in cells if cell.meets(floor) and not cell.fitted]
    return _tested(asked, "floor", masked=masked, k=k)


def across_metrics(a: RankedCell, b: RankedCell) -> dict[Metric, Pair]:
    """Test two cells in every metric over all items (recall equals hit rate), corrected together.

    Empty if the cells can't be compared.
    """
    if not a.meets(b):
        return {}
    found = _tested([(a, b, metric) for metric in _DISTINCT], "metrics", masked=False)
    return dict(zip(_DISTINCT, found, strict=True))


def _tested(
    asked: Sequence[tuple[RankedCell, RankedCell, Metric]],
    family: Literal["cells", "models", "metrics", "floor"],
    *,
    masked: bool,
    k: int = TOP_K,
) -> list[Pair]:
    """Test cells that may be compared, each two in a metric, and correct for all of these."""
    known: dict[tuple[int, Metric], PerUser] = {}
    for a, b, metric in asked:
        for cell in (a, b):
            if (id(cell), metric) not in known:
                known[id(cell), metric] = cell.values(metric, masked=masked, k=k)
    values = [(known[id(a), metric], known[id(b), metric]) for a, b, metric in asked]
    differences = [difference(*both) for both in values]
    why = [untold(a.side, b.side) for a, b, _ in asked]
    raw = [found.p for found, reason in zip(differences, why, strict=True) if reason is None]
    corrected = iter(holm(raw))
    tests = Family(family, len(raw))
    compared = []
    for (a, b, metric), both, found, reason in zip(asked, values, differences, why, strict=True):
        p = None if reason else next(corrected)
        claim = Claim(
            metric_name(metric, k, masked=masked), a.label, b.label,
            found.mean, found.low, found.high, _over(a, b), p, tests, reason,
        )  # fmt: skip
        missing = None
        if p is not None:
            level = LEVEL * found.p / p if p else LEVEL  # what the correction leaves of it
            missing = 0 if p < LEVEL else more_seeds(*both, level)
        compared.append(Pair(a, b, found, claim, missing))
    return compared


def _over(a: RankedCell, b: RankedCell) -> str:
    """Name what the interval of a difference is over: one seed doesn't tell how seeds vary."""
    unseen = [cell for cell in (a, b) if len(cell.ranks) < 2 and not cell.fitted]
    several = [cell.label for cell in (a, b) if len(cell.ranks) > 1]
    if not unseen:
        return USERS_AND_SEEDS if several else USERS_ALONE
    return f"users and the seeds of {several[0]}" if several else USERS_ALONE


def ranked_cell(
    con: sqlite3.Connection,
    location: StoreLocation,
    runs: Sequence[str],
    catalogue: Catalogue | None = None,
) -> tuple[RankedCell | None, list[str]]:
    """Read the ranks of the runs of one cell.

    Returns:
        The cell, None if no run has ranks; and a sentence for each run without.
    """
    rows = _stored_rows(con, runs)
    done = [row for row in rows if row["state"] == "done" and not row["origin"]]
    counted = {str(row["run"]): cell_of(row) for row in done}
    launches = launches_of(con, runs, catalogue)
    cells, problems = ranked_cells(location, rows, counted, launches)
    return (cells[0] if len(cells) == 1 else None), problems


def counted_cells(
    con: sqlite3.Connection, location: StoreLocation, counted: Mapping[str, Cell]
) -> list[RankedCell]:
    """Read the ranks of runs that count, by cell; runs without ranks are left out.

    Args:
        counted: as for `ranked_cells`.
    """
    return ranked_cells(location, _stored_rows(con, list(counted)), counted)[0]


def _stored_rows(con: sqlite3.Connection, runs: Sequence[str]) -> list[Row]:
    """Read what is known of runs' cells, in the order of their ids."""
    names = (
        "id", "model", "dataset", "length", "seed", "profile", "state", "origin", "marks",
        "objective",
    )  # fmt: skip
    origins = provenance_of(con, runs)
    rows: list[Row] = []
    for values in runs_by_id(con, names, runs):
        row: Row = dict(zip(("run", *names[1:]), values, strict=True))
        origin = origins.get(str(row["run"]), {})
        rows.append(row | {name: origin.get(name) for name in _ORIGIN})
    return sorted(rows, key=lambda row: str(row["run"]))


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
    return UserIntervals(cell.users, ends | {"recall": ends["hit"]})


def _alike(a: NDArray[np.int32] | None, b: NDArray[np.int32] | None) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a, b))


def cell_of(row: Row) -> Cell:
    """Make the cell of a run's row, which has the keys `FIELDS`."""
    facts = [row[name] for name in FIELDS]
    return Cell(*(("" if value is None else value) for value in facts))  # type: ignore[arg-type]

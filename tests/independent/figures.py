"""The statistics of a report, from the formulas of docs/protocol.md and SciPy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from .runs import Run, by_user, per_user

LEVEL = 0.05


@dataclass(frozen=True)
class Cell:
    """Runs that differ in seed only."""

    runs: tuple[Run, ...]
    group: tuple[Any, ...]
    differs: str = ""
    """What the report says of its settings to tell it from cells of its model and length."""

    @property
    def label(self) -> str:
        model, _, length, _ = self.runs[0].place
        return f"{model} L{length} {self.differs}".rstrip()

    def has(self, differs: str) -> bool:
        """Whether settings and recipe are these, such as ``tuned lr=0.0005``."""
        spec = self.runs[0].spec
        own = {**spec["architecture"], **spec["training"]}
        values = {f"{name}={json.dumps(value).strip(chr(34))}" for name, value in own.items()}
        return set(differs.split()) <= {*values, spec["profile"]}

    @property
    def model(self) -> tuple[str, str]:
        return self.runs[0].place[0], self.runs[0].place[3]

    def users(self, metric: str, masked: bool, k: int = 10) -> np.ndarray:
        """(seeds, users)"""
        return np.stack(
            [by_user(per_user(run.ranks[int(masked)], metric, k), run.users) for run in self.runs]
        )

    def valid(self, metric: str, masked: bool) -> float | None:
        if self.refit:
            return None
        name = f"valid_{metric}{'_masked' if masked else ''}"
        return float(np.mean([run.chosen[name] for run in self.runs]))

    @property
    def refit(self) -> bool:
        """Whether validation was trained on."""
        return bool(self.runs[0].spec["training"].get("refit"))

    @property
    def fitted(self) -> bool:
        """Whether another seed would give the same."""
        return bool(self.runs[0].spec["training"]["objective"] == "fitted")

    @property
    def tellable(self) -> bool:
        """Whether it may be better or worse than another."""
        marks = set().union(*(run.marks for run in self.runs))
        return (len(self.runs) > 1 or self.fitted) and not marks & {
            "still-improving",
            "other-copy",
            "changed-data",
        }


@dataclass(frozen=True)
class Test:
    """One cell less another."""

    mean: float
    low: float
    high: float
    p: float
    effect: float


def test(a: np.ndarray, b: np.ndarray) -> Test:
    """Compare (seeds, users) of two cells: users paired, seeds not (docs/protocol.md)."""
    users = a.shape[1]
    apart = a.mean(0) - b.mean(0)
    variance = apart.var(ddof=1) / users
    squares = variance**2 / (users - 1)
    total = variance
    for cell in (a, b):
        seeds = len(cell)
        if seeds > 1:
            of_seeds = cell.mean(1).var(ddof=1) / seeds
            rest = cell - cell.mean(0, keepdims=True) - cell.mean(1, keepdims=True) + cell.mean()
            remainder = (rest**2).sum() / ((seeds - 1) * (users - 1)) / (seeds * users)
            total += max(0.0, of_seeds - remainder)
            squares += of_seeds**2 / (seeds - 1)
    mean, error = float(apart.mean()), float(np.sqrt(total))
    deviation = float(apart.std(ddof=1))
    if not error and mean:
        return Test(mean, mean, mean, 0.0, mean / deviation if deviation else 0.0)
    dof = max(1.0, total**2 / squares) if squares else 1.0
    half = float(stats.t.isf(LEVEL / 2, dof)) * error
    if not apart.any():
        half = max(half, share_bounds(0, users)[1])
        return Test(0.0, -half, half, 1.0, 0.0)
    p = 2 * stats.t.sf(abs(mean) / error, dof)
    return Test(mean, mean - half, mean + half, float(p), mean / deviation if deviation else 0.0)


def share_bounds(hits: int, users: int) -> tuple[float, float]:
    """The exact bounds of a share (Clopper & Pearson 1934)."""
    found = stats.binomtest(hits, users).proportion_ci(1 - LEVEL, "exact")
    return float(found.low), float(found.high)


def interval(values: np.ndarray) -> tuple[float, float]:
    """The interval of the mean over users of values from 0 to 1, from (seeds, users): exact of a
    share with few hits, else a beta law's with half a user of 0 and half a one of 1 added."""
    each = values.mean(0)
    users, hits = len(each), int((each > 0).sum())
    if set(each.tolist()) <= {0.0, 1.0} and min(hits, users - hits) < 5:
        return share_bounds(hits, users)
    with_halves, weights = np.append(each, (0, 1)), np.append(np.ones(users), (0.5, 0.5))
    mean = np.average(with_halves, weights=weights)
    variance = np.average((with_halves - mean) ** 2, weights=weights) / (users + 2)
    size = mean * (1 - mean) / variance - 1
    low, high = stats.beta(mean * size, (1 - mean) * size).ppf([LEVEL / 2, 1 - LEVEL / 2])
    return float(low), float(max(high, share_bounds(0, users)[1]) if hits < 5 else high)


def holm(values: Sequence[float]) -> list[float]:
    """Correct p-values for being several."""
    order = np.argsort(values, kind="stable")
    steps = np.array([(len(values) - place) * values[i] for place, i in enumerate(order)])
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(1, np.maximum.accumulate(steps)) if len(values) else steps
    return corrected.tolist()


def ratio(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float, float]:
    """One cost over another, geometric means over seeds: value, interval, p (Welch)."""
    found = stats.ttest_ind(np.log(a), np.log(b), equal_var=False)
    value = float(stats.gmean(a) / stats.gmean(b))
    if np.var(a) == np.var(b) == 0:
        return value, value, value, float(value == 1)
    interval = found.confidence_interval(1 - LEVEL)
    return value, float(np.exp(interval.low)), float(np.exp(interval.high)), float(found.pvalue)


def deviation(values: Iterable[float]) -> float | None:
    some = list(values)
    return float(np.std(some, ddof=1)) if len(some) > 1 else None

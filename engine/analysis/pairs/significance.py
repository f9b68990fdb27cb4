"""Whether one cell is better than another: over users and over seeds.

A cell's runs give each test user's metric once a seed, an array (S, U): the mean over the user's
targets if there are several, as these depend on each other and users don't. Two things are left to
chance in it: which users there are, and the seed. A difference between two cells is only one
between their *models* if other users and other seeds would show it too, so both enter:

- Users are **paired**: both cells rank for the same users, whose differences are compared. That
  takes out that some users are easier than others.
- Seeds are not: seed 1 of one model has nothing to do with seed 1 of another. Each cell's means
  over its seeds vary, and that is what training again would change.

With ȳ the cells' means, the variance of their difference is estimated as

    s²_d / U  +  Σ over both cells of  max(0, s²_seeds / S - s²_rest / (S·U))

s²_d the variance over users of the differences (each the mean over seeds), s²_seeds the variance
of a cell's means over seeds, and s²_rest its two-way remainder, which both others hold and which
must count once. The difference over its root is compared with Student's t, with degrees of freedom
after Satterthwaite (Biometrics Bulletin 2, 1946) of the parts before the remainder is taken off:
that errs on the side of fewer. With one seed each and no more this is the paired t-test; with users
that don't vary it is Welch's.

A bootstrap over users and three seeds can't see how seeds vary (of three there are ten samples), a
permutation of users doesn't look at seeds at all. Simulated, with nothing to find, this test finds
something in 1 to 5 % of cases at the level of 5 %, with 20 to 90 users in 0 to 6 %
(``tests/engine/analysis/pairs/test_significance.py``), as long as the seeds of both vary about
alike: where those of one are nearly all that varies, three find something in 7 %, two in 13 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.analysis.claims.claim import LEVEL
from engine.analysis.pairs.beta import share_bounds
from engine.analysis.pairs.student import critical, two_sided
from engine.analysis.pairs.variance import (
    Part,
    PerUser,
    degrees_of_freedom,
    seed_part,
    standard_error,
    user_part,
    users_alone,
)
from engine.results.cutoffs import value_at
from engine.results.users import mean_by_user
from engine.spec import TOP_K

Metric = Literal["hit", "mrr", "ndcg", "recall"]
MOST_SEEDS = 1_000
"""The most seeds a cell that are considered."""


def per_user(
    ranks: NDArray[np.int32],
    metric: Metric,
    users: NDArray[np.integer[Any]] | None = None,
    *,
    k: int = TOP_K,
) -> NDArray[np.float64]:
    """Return each user's metric at ``k``, (…, users), the mean over the user's targets.

    Args:
        ranks: (…, targets), of the true item among all (1 the best).
        users: (targets,), the number of each target's user, ascending; ``None`` if every user has
            one.
    """
    return mean_by_user(value_at(ranks, metric, k), users)


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell less another, in a metric."""

    mean: float
    low: float
    high: float
    """The interval at 95 %."""
    p: float
    dof: float
    effect: float
    """The difference over its standard deviation over users (Cohen's d for pairs)."""
    users: int
    seeds: tuple[int, int]


def difference(a: PerUser, b: PerUser) -> Difference:
    """Compare two cells over the same users, in the same order.

    Raises:
        ValueError: the users differ in number, or there are fewer than two.
    """
    users = a.shape[1]
    if users != b.shape[1] or users < 2:
        raise ValueError("both cells must rank for the same two users or more")
    pairs = a.mean(axis=0) - b.mean(axis=0)
    parts = [user_part(a, b)]
    parts += [seed_part(values) for values in (a, b) if len(values) > 1]
    mean, error, dof = float(pairs.mean()), standard_error(parts), degrees_of_freedom(parts)
    spread = float(pairs.std(ddof=1))
    half = critical(LEVEL, dof) * error
    if not pairs.any():
        # Even if none of these users differs, this share of other users may.
        half = max(half, share_bounds(0, users, LEVEL)[1])
    seeds = (len(a), len(b))
    return Difference(
        mean=mean,
        low=mean - half,
        high=mean + half,
        p=two_sided(mean / error, dof) if error else float(mean == 0),
        dof=dof,
        effect=mean / spread if spread else 0.0,
        users=users,
        seeds=seeds,
    )


@dataclass(frozen=True, slots=True)
class Ratio:
    """One cell's cost over another's, a mean (geometric) over seeds each."""

    value: float
    low: float
    high: float
    """The interval at 95 %."""
    p: float


def ratio(a: Sequence[float], b: Sequence[float]) -> Ratio | None:
    """Compare what two cells cost, by Welch's test (Biometrika 34, 1947) of the logarithms, because
    times and rates vary by a factor; ``None`` if a cell has fewer than two seeds or a value that
    isn't above 0."""
    if min(len(a), len(b)) < 2 or min(*a, *b) <= 0:
        return None
    logs = [np.log(np.asarray(values, dtype=np.float64)) for values in (a, b)]
    parts = [Part(float(each.var(ddof=1)) / len(each), 0.0, len(each) - 1) for each in logs]
    # The remainder of equal values is rounding.
    parts = [part if part.variance > 1e-24 else Part(0.0, 0.0, part.dof) for part in parts]
    mean, error = float(logs[0].mean() - logs[1].mean()), standard_error(parts)
    if not error:
        value = math.exp(mean)
        return Ratio(value, value, value, float(abs(mean) < 1e-12))
    dof = degrees_of_freedom(parts)
    half = critical(LEVEL, dof) * error
    low, high = (_exp(mean - half), _exp(mean + half))
    return Ratio(math.exp(mean), low, high, two_sided(mean / error, dof))


def _exp(value: float) -> float:
    """Return e to this power, infinity for a large one: two seeds may leave any ratio possible."""
    return math.exp(value) if value < 700 else math.inf


def more_seeds(a: PerUser, b: PerUser, level: float = LEVEL) -> int | None:
    """Return how many seeds to add to each cell so that the test would tell the cells apart, if
    means and variances stayed as they are.
     0 if it does already; ``None`` if no number would do, or a cell has a single seed, which says
    nothing about others.
    """
    pairs = a.mean(axis=0) - b.mean(axis=0)
    mean, users, cells = float(pairs.mean()), len(pairs), (a, b)
    if mean == 0 or min(len(cell) for cell in cells) < 2:
        return None
    seen = [seed_part(cell) for cell in cells]
    alone = users_alone(user_part(a, b), seen)

    def apart(more: int) -> bool:
        parts = []
        for cell, part in zip(cells, seen, strict=True):
            share = len(cell) / (len(cell) + more)
            parts.append(Part(part.variance * share, part.rest * share, len(cell) + more - 1))
        parts.append(Part(alone + sum(part.rest for part in parts), 0.0, users - 1))
        error = standard_error(parts)
        return error == 0 or two_sided(mean / error, degrees_of_freedom(parts)) < level

    if not apart(MOST_SEEDS):
        return None
    low, high = 0, MOST_SEEDS
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if apart(middle) else (middle + 1, high)
    return low


def holm(values: Sequence[float]) -> list[float]:
    """Correct p-values for being several (Holm, Scand. J. Statist. 6, 1979), in their order."""
    corrected = [0.0] * len(values)
    largest = 0.0
    for place, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, min(1.0, (len(values) - place) * values[index]))
        corrected[index] = largest
    return corrected

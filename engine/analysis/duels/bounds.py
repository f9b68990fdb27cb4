"""The levels of a duel's looks: group-sequential bounds that keep the error of all together.

The paired test is looked at after every seed that both models have. Each look has a level of its
own, so that where there is nothing to find all of them together find something in 5 % of cases at
most. They follow from what may be spent up to a look (Lan & DeMets, Biometrika 70, 1983): the cube
of its share of the seeds (Kim & DeMets, Biometrika 74, 1987). Like O'Brien & Fleming's bounds this
spends little at first, when the variance over seeds is known worst, and leaves most for the last
look; but a large difference is shown a seed or two earlier.

The bounds are those of independent seeds. Users are common to all looks, which only makes these
more alike, and a bound less likely to be crossed (Slepian's inequality). They are for the normal
law: used as levels of Student's t they are crossed a little more often, at worst in 5.9 % of cases
instead of 5 (if one model's seeds are all that varies). So a fifth of the 5 % isn't spent.
``tests/engine/analysis/duels`` simulates both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from engine.analysis.claims.claim import LEVEL

SPENT = 0.8 * LEVEL
"""The error of all looks together, by the normal law."""

_POINTS = 401
_FAR = 8.0
"""Standard deviations beyond which nothing is expected."""


@cache
def levels(first: int, most: int, error: float = SPENT, power: float = 3.0) -> tuple[float, ...]:
    """Return the two-sided levels of the looks at ``first`` to ``most`` seeds.

    Args:
        error: what is spent by the last look.
        power: of the share of the seeds, to which what is spent is proportional.
    """

    def spent(share: float) -> float:
        return float(error / 2 * share**power)

    return tuple(2 * _tail(bound) for bound in one_sided(first, most, spent))


def one_sided(first: int, most: int, spent: Callable[[float], float]) -> list[float]:
    """Return the bounds of z at the looks at ``first`` to ``most`` seeds, by integrating over the
    sum of the seeds so far (Armitage, McPherson & Rowe, J. R. Statist. Soc. A 132, 1969).

    Args:
        spent: returns the probability of having crossed a bound by a share of the seeds.
    """
    step = math.sqrt(1 / most)
    points, masses = np.zeros(1), np.ones(1)  # before the first look, as if after no seed
    found: list[float] = []
    before = 0.0
    for seeds in range(first, most + 1):
        spread = math.sqrt(first / most) if seeds == first else step
        now = spent(seeds / most)
        bound = _where(partial(_crossed, points, masses, spread), now - before)
        found.append(bound / math.sqrt(seeds / most))
        before = now
        grid = np.linspace(-_FAR, bound, _POINTS)
        scaled = (grid[:, None] - points[None, :]) / spread
        density = np.exp(-(scaled**2) / 2) @ masses / (spread * math.sqrt(2 * math.pi))
        weights = np.full(_POINTS, grid[1] - grid[0])
        weights[[0, -1]] /= 2
        points, masses = grid, density * weights
    return found


def _crossed(
    points: NDArray[np.float64], masses: NDArray[np.float64], spread: float, bound: float
) -> float:
    """Return the probability of going from one of these points, which have some masses, beyond a
    bound in a step of this standard deviation."""
    return float(masses @ np.array(list(map(_tail, ((bound - points) / spread).tolist()))))


def _tail(z: float) -> float:
    return math.erfc(z / math.sqrt(2)) / 2


def _where(crossed: Callable[[float], float], due: float) -> float:
    """Return the bound that is crossed with probability ``due``, by bisection."""
    low, high = -_FAR, _FAR
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if crossed(middle) > due else (low, middle)
    return high

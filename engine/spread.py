"""A figure over the seeds of a cell: mean, deviation of the sample, count.

The deviation is of two passes, corrected for the rounding of the mean (Chan, Golub & LeVeque 1983,
eq. 1.7); equal figures have their value for a mean and no deviation. SQLite makes the same
of many cells at once (`engine.store.compare.grouping`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the seeds of a cell."""

    mean: float
    deviation: float | None
    """Of the sample; None for a single seed."""
    count: int


def spread(values: Iterable[object]) -> Spread | None:
    """Of the finite numbers among the values; None where there is none, or none can be told."""
    known = [
        float(value) for value in values if isinstance(value, int | float) and math.isfinite(value)
    ]
    if not known:
        return None
    mean = known[0] if min(known) == max(known) else sum(known) / len(known)
    apart = [value - mean for value in known]
    return spread_of(len(known), mean, math.fsum(apart), sum(each * each for each in apart))


def spread_of(count: int, mean: float | None, rest: float, squares: float) -> Spread | None:
    """Of as many figures, from their mean and the sums of their distances from it and of these
    squared; None where there is none, or where the sums are beyond all numbers."""
    if not count or mean is None or not math.isfinite(mean) or not math.isfinite(squares):
        return None
    if count < 2:
        return Spread(mean, None, count)
    return Spread(mean, math.sqrt(max(0.0, squares - rest * rest / count) / (count - 1)), count)

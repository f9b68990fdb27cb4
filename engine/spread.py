"""A measure over the seeds of a cell: mean, sample standard deviation, count.
 `spread` reads the values twice, corrected for the rounding of the mean (Chan, Golub & LeVeque
1983, eq. 1.7); equal values have that value for a mean and no deviation. `spread_of_sums` says the
same from sums that SQL makes of many cells in one pass, where these sums tell it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

CANCELLED = 1e-5
"""Share of the sum of squares below which too many digits of their difference are rounding: of a
deviation of less than 0.3 % of the mean."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A measure over the seeds of a cell."""

    mean: float
    deviation: float | None
    """Of the sample; None for a single seed."""
    count: int


def finite(values: Iterable[object]) -> list[float]:
    """Return the finite numbers among the values."""
    return [
        float(value) for value in values if isinstance(value, int | float) and math.isfinite(value)
    ]


def spread(values: Iterable[object]) -> Spread | None:
    """Return the spread of the finite numbers among the values.

    None if there is none, or if their sums are beyond the range of a float.
    """
    known = finite(values)
    if not known:
        return None
    count = len(known)
    mean = known[0] if min(known) == max(known) else sum(known) / count
    apart = [value - mean for value in known]
    squares = sum(each * each for each in apart)
    if not math.isfinite(mean) or not math.isfinite(squares):
        return None
    if count < 2:
        return Spread(mean, None, count)
    rest = math.fsum(apart)
    return Spread(mean, math.sqrt(max(0.0, squares - rest * rest / count) / (count - 1)), count)


def spread_of_sums(
    count: int, total: float, squares: float, lowest: float, highest: float
) -> Spread | None:
    """Return the spread of one or more values from their sum and the sum of their squares.

    None if the sums don't tell it to nine digits, because too much cancels out or a value isn't
    finite: `spread` tells it from the values.
    """
    if lowest == highest and math.isfinite(lowest):
        return Spread(float(lowest), None if count < 2 else 0.0, count)
    mean = total / count
    rest = squares - total * mean
    if not math.isfinite(rest) or rest <= squares * CANCELLED:
        return None
    return Spread(mean, math.sqrt(rest / (count - 1)), count)

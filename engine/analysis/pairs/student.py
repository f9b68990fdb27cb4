"""Student's t law, of which the statistics need two functions (and would need SciPy otherwise)."""

from __future__ import annotations

import math
from functools import cache

_SMALLEST = 1e-300
_ITERATIONS = 10_000


def two_sided(t: float, dof: float) -> float:
    """Return P(|T| ≥ |t|) for ``dof`` degrees of freedom, by the incomplete beta function
    (Abramowitz & Stegun 1964, 26.7.1 with 26.5.27)."""
    whole = dof + t * t
    return _incomplete_beta(dof / 2, 0.5, dof / whole, t * t / whole)


@cache
def critical(level: float, dof: float) -> float:
    """Return the t with P(|T| ≥ t) = ``level``, by bisection."""
    low, high = 0.0, 1.0
    while two_sided(high, dof) > level:
        high *= 2
    while high - low > 1e-10 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, dof) > level else (low, middle)
    return high


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """Return I_x(a, b), regularised; ``rest`` is 1 - x, exact where x is close to 1."""
    if x == 0 or rest == 0:
        return float(rest == 0)
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly
        return 1 - _incomplete_beta(b, a, rest, x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    log_front += a * math.log(x) + b * math.log(rest)
    return math.exp(log_front) * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction (A & S 26.5.8) by Lentz's method (Press et al. 2007, 6.4)."""
    c, d = 1.0, _away_from_zero(1 - (a + b) * x / (a + 1))
    d = 1 / d
    value = d
    for m in range(1, _ITERATIONS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _SMALLEST else _SMALLEST

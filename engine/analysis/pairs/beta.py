"""The beta law, and the exact bounds of a share that it gives."""

from __future__ import annotations

import math

_SMALLEST = 1e-300
_ITERATIONS = 10_000
_CLOSE = 1e-10


def share_bounds(hits: int, trials: int, level: float) -> tuple[float, float]:
    """Return the bounds of a share at confidence 1 - ``level`` (Clopper & Pearson, Biometrika 26,
    1934): 0 and 1 where nothing was tried."""
    low = quantile(level / 2, hits, trials - hits + 1) if hits else 0.0
    high = quantile(1 - level / 2, hits + 1, trials - hits) if hits < trials else 1.0
    return low, high


def quantile(share: float, a: float, b: float) -> float:
    """Return the x with I_x(a, b) = ``share``, to ten digits: by Newton's method, and by halving
    where that would leave the bracket around x."""
    low, high, x = 0.0, 1.0, a / (a + b)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    while high - low > _CLOSE * high:
        excess = incomplete_beta(a, b, x, 1 - x) - share
        low, high = (low, x) if excess > 0 else (x, high)
        density = math.exp(scale + (a - 1) * math.log(x) + (b - 1) * math.log1p(-x))
        step = excess / density if density else math.inf
        if abs(step) <= _CLOSE * x:
            break
        x = x - step if low < x - step < high else (low + high) / 2
    return x


def incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """Return I_x(a, b), regularised; ``rest`` is 1 - x, exact where x is close to 1."""
    if x == 0 or rest == 0:
        return float(rest == 0)
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly
        return 1 - incomplete_beta(b, a, rest, x)
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

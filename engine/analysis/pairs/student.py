"""Student's t law, of which the statistics need two functions (and would need SciPy otherwise)."""

from __future__ import annotations

from functools import cache

from engine.analysis.pairs.beta import incomplete_beta


def two_sided(t: float, dof: float) -> float:
    """Return P(|T| ≥ |t|) for ``dof`` degrees of freedom, by the incomplete beta function
    (Abramowitz & Stegun 1964, 26.7.1 with 26.5.27)."""
    whole = dof + t * t
    return incomplete_beta(dof / 2, 0.5, dof / whole, t * t / whole)


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

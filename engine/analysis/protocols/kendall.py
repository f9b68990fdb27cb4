"""Kendall's rank correlation with ties."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations


def tau_b(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Kendall's τ-b (Kendall, Biometrika 33, 1945) of two lists of values of the same
    things: 1 if they order all pairs alike, −1 if all the other way round; ``None`` where one of
    the lists orders nothing.

    That is (C − D) / √((C + D + T₁)(C + D + T₂)), with C and D the pairs that both order alike and
    the other way round, and T₁ and T₂ the pairs that only the second, and only the first, orders.
    """
    alike = untied_first = untied_second = 0
    for a, b in combinations(zip(first, second, strict=True), 2):
        one, two = _sign(a[0] - b[0]), _sign(a[1] - b[1])
        alike += one * two
        untied_first += one != 0
        untied_second += two != 0
    if not untied_first or not untied_second:
        return None
    return alike / math.sqrt(untied_first * untied_second)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)

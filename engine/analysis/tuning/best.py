"""The best of n trials that is to be expected, so that models can be compared at any budget.

Dodge et al., Show Your Work: Improved Reporting of Experimental Results, EMNLP 2019, section 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

COVERED = 0.95
"""Share of all draws whose best lies in `BestOf.low` to `BestOf.high`."""

_EVERY = 50
"""Up to so many trials every number of them is a budget of `budgets`."""
_FURTHER = 1.05
"""The factor from one budget to the next above."""

_TOLD = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class BestOf:
    """The best of so many trials."""

    trials: int
    mean: float
    low: float
    high: float


def best_of(values: Sequence[float], trials: int) -> BestOf:
    """Return the best of a number of trials, drawn with replacement from what all trials reached.

    That is the bootstrap over trials without its chance: of N values in ascending order the best of
    n draws is the i-th or less with probability (i/N)^n. Where n is close to N it is lower than
    what other trials would give: one may be drawn twice.

    Args:
        values: what each trial reached, one or more.
        trials: n, 1 or more.
    """
    ordered = sorted(values)
    count = len(ordered)
    below = [(place / count) ** trials for place in range(count + 1)]
    shares = [up_to - before for before, up_to in pairwise(below)]
    rest = (1 - COVERED) / 2

    def quantile(share: float) -> float:
        return next(
            value for value, up_to in zip(ordered, below[1:], strict=True) if up_to >= share
        )

    mean = sum(value * share for value, share in zip(ordered, shares, strict=True))
    return BestOf(trials, mean, quantile(rest), quantile(1 - rest))


def budgets(trials: int) -> list[int]:
    """Return the numbers of trials at which a line of `best_of` has points: all up to 50, then 5 %
    apart, and the last."""
    found = list(range(1, min(trials, _EVERY) + 1))
    while found[-1] < trials:
        found.append(min(trials, max(found[-1] + 1, round(found[-1] * _FURTHER))))
    return found


def told_budgets(trials: int) -> list[int]:
    """Return the numbers of trials that tables and sentences tell: 1, 2, 5, 10, 20, 50 and so on,
    and all."""
    found = []
    decade = 1
    while decade <= trials:
        found += [each * decade for each in _TOLD if each * decade < trials]
        decade *= 10
    return [*found, trials]

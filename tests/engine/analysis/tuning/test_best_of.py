"""The expected best of n, against every draw there is and against chance."""

from __future__ import annotations

import math
import random
from itertools import pairwise, product
from statistics import fmean, quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.tuning.best import best_of, budgets, told_budgets

VALUES = st.lists(st.sampled_from([0.0, 0.1, 0.125, 0.13, 0.2]), min_size=1, max_size=5)


@given(values=VALUES, trials=st.integers(1, 4))
def test_it_is_what_all_draws_together_give(values: list[float], trials: int) -> None:
    best = sorted(max(draw) for draw in product(values, repeat=trials))
    found = best_of(values, trials)
    assert found.mean == pytest.approx(fmean(best))
    for end, share in ((found.low, 0.025), (found.high, 0.975)):
        # The smallest value that so many of the draws don't exceed.
        assert end == best[math.ceil(len(best) * share) - 1]


def test_it_is_what_many_draws_give() -> None:
    chance = random.Random(7)
    values = [chance.gauss(0.16, 0.01) for _ in range(20)]
    drawn = [max(chance.choices(values, k=5)) for _ in range(20_000)]
    found = best_of(values, 5)
    assert found.mean == pytest.approx(fmean(drawn), abs=2e-4)
    ends = quantiles(drawn, n=40, method="inclusive")
    assert (found.low, found.high) == pytest.approx((ends[0], ends[-1]), abs=1e-9)


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_more_trials_are_no_worse_and_never_better_than_the_best(values: list[float]) -> None:
    line = [best_of(values, trials) for trials in budgets(len(values))]
    assert line[0].mean == pytest.approx(fmean(values))
    for less, more in pairwise(line):
        assert less.mean <= more.mean + 1e-12
        assert (less.low, less.high) <= (more.low, more.high)
    assert line[-1].mean <= max(values) + 1e-12
    assert line[-1].high == max(values)


@given(trials=st.integers(1, 10_000))
def test_budgets_rise_to_all_trials(trials: int) -> None:
    for found in (budgets(trials), told_budgets(trials)):
        assert (found[0], found[-1]) == (1, trials)
        assert found == sorted(set(found))
    assert len(budgets(trials)) <= 200
    assert told_budgets(20) == [1, 2, 5, 10, 20]

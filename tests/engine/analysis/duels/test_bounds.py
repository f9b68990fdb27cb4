"""Group-sequential bounds: published ones, and what they add up to."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.analysis.claims.claim import LEVEL
from engine.analysis.duels.bounds import SPENT, levels, one_sided


def obrien_fleming(share: float) -> float:
    """Lan & DeMets (1983), of a one-sided 2.5 %."""
    return float(2 * stats.norm.sf(stats.norm.isf(0.0125) / math.sqrt(share)))


def pocock(share: float) -> float:
    return 0.025 * math.log(1 + (math.e - 1) * share)


@pytest.mark.parametrize(
    ("spent", "bounds"),
    [
        # Of five equal looks, as in Jennison & Turnbull (2000) and in R's gsDesign.
        (obrien_fleming, (4.877, 3.357, 2.680, 2.290, 2.031)),
        (pocock, (2.438, 2.427, 2.410, 2.397, 2.386)),
    ],
)
def test_bounds_are_those_that_are_published(spent: object, bounds: tuple[float, ...]) -> None:
    assert one_sided(1, 5, spent) == pytest.approx(bounds, abs=0.001)  # type: ignore[arg-type]


def test_a_single_look_has_all_of_the_level() -> None:
    assert levels(3, 3) == pytest.approx((SPENT,))


@settings(deadline=None, max_examples=10)
@given(most=st.integers(3, 30), first=st.integers(2, 3))
def test_every_look_has_more_than_the_one_before_and_less_than_all(most: int, first: int) -> None:
    found = levels(first, most)
    assert len(found) == most - first + 1
    assert list(found) == sorted(found)
    assert 0 < found[0] <= found[-1] <= SPENT + 1e-9


@pytest.mark.parametrize("most", [3, 5, 10, 20])
def test_the_seeds_of_one_model_cross_them_as_students_t_in_5_percent_at_most(most: int) -> None:
    generator, tries = np.random.default_rng(2), 100_000
    values, numbers = generator.normal(0, 1, (tries, most)), np.arange(1, most + 1)
    means = values.cumsum(axis=1) / numbers
    squares = (values**2).cumsum(axis=1) - numbers * means**2
    t = (means[:, 2:] * np.sqrt(numbers / np.maximum(squares, 1e-300) * (numbers - 1))[:, 2:]).T
    p = [2 * stats.t.sf(abs(each), seeds - 1) for seeds, each in enumerate(t, 3)]
    crossed = (np.array(levels(3, most)) > np.array(p).T).any(axis=1).mean()
    assert crossed <= LEVEL
    # Why less is spent: all of it would be too much.
    whole = (np.array(levels(3, most, LEVEL)) > np.array(p).T).any(axis=1).mean()
    assert whole > LEVEL or most == 3


@pytest.mark.parametrize("most", [5, 10])
def test_independent_seeds_cross_them_as_often_as_is_said(most: int) -> None:
    generator, tries = np.random.default_rng(1), 200_000
    sums = generator.normal(0, 1, (tries, most)).cumsum(axis=1)[:, 2:]
    z = sums / np.sqrt(np.arange(3, most + 1))
    crossed = (2 * stats.norm.sf(abs(z)) < np.array(levels(3, most))).any(axis=1).mean()
    assert crossed == pytest.approx(SPENT, abs=0.002)

"""The smallest difference that users can show: held against the paired test, simulated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from engine.analysis.pairs.significance import difference
from engine.judge.power import paired_spread, smallest_difference

TIMES = 2_000


def found(draws: list[NDArray[np.float64]]) -> float:
    """The share of draws of paired differences in which the paired test finds one."""
    hits = [difference(each[None], np.zeros((1, len(each)))).p < 0.05 for each in draws]
    return float(np.mean(hits))


@pytest.mark.parametrize(("users", "apart"), [(943, 0.12), (300, 0.2)])
def test_hits_that_differ_so_much_are_told_apart_in_four_of_five_cases(
    users: int, apart: float
) -> None:
    """Recall: a share of the users has a hit by one model only."""
    mean = smallest_difference(users, math.sqrt(apart))
    mean = smallest_difference(users, math.sqrt(apart - mean**2))
    generator = np.random.default_rng(1)
    chances = [(apart + mean) / 2, 1 - apart, (apart - mean) / 2]
    draws = [generator.choice([1.0, 0.0, -1.0], users, p=chances) for _ in range(TIMES)]
    assert found(draws) == pytest.approx(0.8, abs=0.03)
    half = [generator.choice([1.0, 0.0, -1.0], users, p=chances) - mean / 2 for _ in range(TIMES)]
    assert found(half) < 0.4


@pytest.mark.parametrize("users", [12, 90])
def test_few_users_are_told_apart_by_student_s_law(users: int) -> None:
    generator = np.random.default_rng(2)
    mean = smallest_difference(users, 0.3)
    draws = [generator.normal(mean, 0.3, users) for _ in range(TIMES)]
    assert found(draws) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("users", [2, 30, 943, 100_000])
def test_the_quantiles_are_student_s(users: int) -> None:
    t = stats.t(users - 1)
    expected = (t.ppf(0.975) + t.ppf(0.8)) * 0.25 / math.sqrt(users)
    assert smallest_difference(users, 0.25) == pytest.approx(expected, rel=1e-8)


def test_users_that_agree_leave_a_difference_possible() -> None:
    assert smallest_difference(100, 0.0) == pytest.approx(1 - 0.025 ** (1 / 100))


def test_the_spread_is_the_median_s_of_all_pairs() -> None:
    ranks = [np.array(each, np.int32) for each in ([1, 1, 50, 50], [1, 50, 50, 50], [50, 50, 1, 1])]
    differences = [[0, 1, 0, 0], [1, 1, -1, -1], [1, 0, -1, -1]]
    expected = sorted(np.std(each, ddof=1) for each in differences)[1]
    assert paired_spread(ranks, "recall") == pytest.approx(expected)
    better = np.array([0, 1 - 1 / math.log2(3)])
    two = [np.array([1, 1], np.int32), np.array([1, 2], np.int32)]
    assert paired_spread(two, "ndcg") == pytest.approx(np.std(better, ddof=1))


def test_too_little_is_refused() -> None:
    one = np.array([1, 2], np.int32)
    with pytest.raises(ValueError, match="two users"):
        smallest_difference(1, 0.3)
    with pytest.raises(ValueError, match="two models"):
        paired_spread([one], "ndcg")
    with pytest.raises(ValueError, match="two models"):
        paired_spread([one[:1], one[:1]], "ndcg")

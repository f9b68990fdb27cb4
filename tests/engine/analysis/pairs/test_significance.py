"""The test between cells: SciPy's where the cases are known, and simulation where they aren't."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from engine.analysis.pairs.interval import user_interval
from engine.analysis.pairs.significance import (
    LEVEL,
    difference,
    holm,
    more_seeds,
    per_user,
    ratio,
)
from engine.analysis.pairs.student import critical, two_sided


@given(st.floats(-60, 60), st.floats(0.5, 5_000))
def test_students_t_is_scipys(t: float, dof: float) -> None:
    assert two_sided(t, dof) == pytest.approx(2 * stats.t.sf(abs(t), dof), rel=1e-9, abs=1e-290)


@given(st.floats(0.0001, 0.9), st.floats(0.8, 5_000))
def test_its_critical_values_too(level: float, dof: float) -> None:
    assert critical(level, dof) == pytest.approx(stats.t.isf(level / 2, dof), rel=1e-7)


def test_metrics_of_a_user_are_those_of_the_field() -> None:
    ranks = np.array([1, 2, 10, 11], np.int32)
    assert per_user(ranks, "hit").tolist() == per_user(ranks, "recall").tolist() == [1, 1, 1, 0]
    assert per_user(ranks, "mrr").tolist() == [1, 0.5, 0.1, 0]
    assert per_user(ranks, "ndcg") == pytest.approx([1, 1 / math.log2(3), 1 / math.log2(11), 0])
    assert per_user(ranks, "recall", k=20).tolist() == [1, 1, 1, 1]
    assert per_user(ranks, "mrr", k=1).tolist() == [1, 0, 0, 0]


def test_one_seed_each_is_the_paired_t_test() -> None:
    generator = np.random.default_rng(1)
    a, b = generator.random((1, 200)), generator.random((1, 200)) + 0.02
    found, expected = difference(a, b), stats.ttest_rel(a[0], b[0])
    assert found.p == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(1 - LEVEL)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert more_seeds(a, b) is None


def test_where_users_do_not_vary_it_is_welchs() -> None:
    a = np.repeat([[0.10], [0.12], [0.15]], 400, axis=1)
    b = np.repeat([[0.18], [0.17], [0.21], [0.19]], 400, axis=1)
    found, expected = difference(a, b), stats.ttest_ind(a[:, 0], b[:, 0], equal_var=False)
    assert found.p == pytest.approx(expected.pvalue)


def test_the_same_cell_is_no_different() -> None:
    values = np.random.default_rng(2).random((3, 50))
    found = difference(values, values)
    assert (found.mean, found.p, found.effect, more_seeds(values, values)) == (0, 1, 0, None)
    flat = difference(np.full((2, 9), 0.5), np.full((2, 9), 0.5))
    # That no user of nine differs leaves so large a share of others who may.
    exact = stats.binomtest(0, 9).proportion_ci(1 - LEVEL, "exact")
    assert (flat.p, flat.low, flat.high) == pytest.approx((1, -exact.high, exact.high))


@pytest.mark.parametrize("users", [(3, 4), (1, 1)])
def test_other_users_are_refused(users: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="the same two users or more"):
        difference(*(np.ones((2, number)) for number in users))


def hits(
    generator: np.random.Generator, seeds: int, users: int, seed_spread: float, better: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Hits of two models at the rates of the field: users differ, models differ by user, seeds
    move a whole run, and chance decides each hit."""
    easy = generator.normal(-2.2, 1.3, users)
    cells = []
    for gain in (better, 0.0):
        own = easy + gain + generator.normal(0, 0.3, users)
        moved = own + generator.normal(0, seed_spread, (seeds, 1))
        chance = moved + generator.normal(0, 0.5, (seeds, users))
        cells.append((generator.random((seeds, users)) < 1 / (1 + np.exp(-chance))) * 1.0)
    return cells[0], cells[1]


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("seed_spread", [0.0, 0.15, 0.4])
def test_with_nothing_to_find_it_finds_something_at_its_level_at_most(
    seeds: int, seed_spread: float
) -> None:
    generator, tries = np.random.default_rng(3), 400
    found = sum(
        difference(*hits(generator, seeds, 300, seed_spread)).p < LEVEL for _ in range(tries)
    )
    # At a true rate of 5 % so many are found in one series of a thousand.
    assert found <= stats.binom.isf(0.001, tries, LEVEL)


@pytest.mark.parametrize("seeds", [2, 3])
@pytest.mark.parametrize("users", [20, 50, 90])
def test_nor_does_it_with_few_users(seeds: int, users: int) -> None:
    generator, tries = np.random.default_rng(users), 400
    found = [difference(*hits(generator, seeds, users, 0.15)) for _ in range(tries)]
    assert sum(each.p < LEVEL for each in found) <= stats.binom.isf(0.001, tries, LEVEL)
    assert all(each.low < each.high for each in found)


def targets_of_users(
    generator: np.random.Generator, seeds: int, users: int, seed_spread: float, better: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ranks of two models, (seeds, targets) each, and the targets' users: a user's depend on
    each other, as users differ in what is easy and in which model suits them."""
    many = np.minimum(1 + generator.geometric(0.15, users), 60)
    easy = generator.normal(-2.2, 1.3, users)
    whose = np.repeat(np.arange(users), many)
    found = []
    for gain in (better, 0.0):
        own = easy + gain + generator.normal(0, 1.5, users)
        moved = own[whose] + generator.normal(0, seed_spread, (seeds, 1))
        chance = moved + generator.normal(0, 0.5, (seeds, len(whose)))
        hit = generator.random(chance.shape) < 1 / (1 + np.exp(-chance))
        found.append(np.where(hit, generator.integers(1, 11, hit.shape), 11).astype(np.int32))
    return found[0], found[1], whose


@pytest.mark.parametrize(("seeds", "seed_spread"), [(2, 0.0), (3, 0.15), (5, 0.4)])
@pytest.mark.parametrize("users", [50, pytest.param(300, marks=pytest.mark.slow)])
def test_several_targets_of_a_user_are_one_observation(
    seeds: int, seed_spread: float, users: int
) -> None:
    generator, tries = np.random.default_rng(users), 400
    by_user = by_target = 0
    for _ in range(tries):
        a, b, whose = targets_of_users(generator, seeds, users, seed_spread)
        by_user += difference(*(per_user(each, "ndcg", whose) for each in (a, b))).p < LEVEL
        by_target += difference(*(per_user(each, "ndcg") for each in (a, b))).p < LEVEL
    most = stats.binom.isf(0.001, tries, LEVEL)
    assert by_user <= most
    assert by_target > most or seed_spread  # as if users with much to rank were many users


def test_an_interval_over_users_of_several_targets_holds_the_truth() -> None:
    generator, tries = np.random.default_rng(9), 400
    truth = np.mean(
        [
            per_user(a, "ndcg", whose).mean()
            for a, _, whose in (targets_of_users(generator, 1, 5_000, 0.0) for _ in range(20))
        ]
    )
    held = 0
    for _ in range(tries):
        a, _, whose = targets_of_users(generator, 1, 90, 0.0)
        low, high = user_interval(per_user(a, "ndcg", whose))
        held += low <= truth <= high
    assert held >= stats.binom.ppf(0.001, tries, 1 - LEVEL)


def test_what_is_there_is_found_and_the_interval_holds_it() -> None:
    generator, tries = np.random.default_rng(4), 200
    truth = np.mean([np.subtract(*hits(generator, 3, 2_000, 0, 0.4)).mean() for _ in range(200)])
    found = [difference(*hits(generator, 3, 943, 0.05, 0.4)) for _ in range(tries)]
    assert sum(each.p < LEVEL for each in found) > 0.8 * tries
    assert sum(each.low <= truth <= each.high for each in found) >= 0.93 * tries


def test_seeds_that_are_said_to_be_missing_would_do() -> None:
    generator = np.random.default_rng(5)
    for _ in range(50):
        a, b = hits(generator, 3, 943, 0.15, 0.15)
        found = difference(a, b)
        missing = more_seeds(a, b)
        assert (missing == 0) == (found.p < LEVEL)
        if missing:
            # As many of the same kind: the means and variances stay as they are.
            times = -(-(3 + missing) // 3) + 1
            more = difference(np.tile(a, (times, 1)), np.tile(b, (times, 1)))
            assert more.p < found.p


def test_holm_is_as_published() -> None:
    # Holm (1979): the smallest times n, the next times n - 1, …, and never falling.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_ratio_of_costs_is_welchs_test_of_the_logarithms() -> None:
    a, b = [2.0, 2.3, 2.1, 2.6], [1.0, 1.3, 0.9]
    found, expected = ratio(a, b), stats.ttest_ind(np.log(a), np.log(b), equal_var=False)
    assert found is not None
    assert found.p == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(1 - LEVEL)
    assert (found.low, found.high) == pytest.approx(
        (math.exp(interval.low), math.exp(interval.high))
    )
    assert found.value == pytest.approx(stats.gmean(a) / stats.gmean(b))


@pytest.mark.parametrize(("a", "b"), [([1.0], [2.0, 3.0]), ([1.0, 0.0], [2.0, 3.0])])
def test_no_ratio_where_it_would_mean_nothing(a: list[float], b: list[float]) -> None:
    assert ratio(a, b) is None


def test_a_ratio_of_figures_that_do_not_vary_is_exact() -> None:
    found, same = ratio([1177.0] * 3, [1100.0] * 2), ratio([0.1 + 0.2] * 2, [0.3] * 2)
    assert found is not None
    assert same is not None
    assert (found.p, found.low, found.high) == (0, found.value, found.value)
    assert same.p == 1


def test_two_seeds_may_leave_any_ratio_possible() -> None:
    found = ratio([1e-8, 1e8], [1e-8, 1e9])
    assert found is not None
    assert found.low < 1 < found.high

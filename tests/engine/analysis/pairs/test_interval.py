"""The interval of a cell's mean over users: exact where that is known, and how often it holds the
truth where it isn't."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from engine.analysis.pairs.beta import quantile
from engine.analysis.pairs.interval import user_interval
from engine.analysis.pairs.significance import Metric, per_user
from engine.analysis.pairs.users import FEW_USERS, few_users
from engine.analysis.pairs.variance import PerUser

USERS = (20, 50, 90, 300, 943)
RATES = (0.02, 0.05, 0.1, 0.2, 0.4)
ranks = st.lists(st.integers(1, 14), min_size=1, max_size=120)


def share(hits: int, users: int) -> PerUser:
    return (np.arange(users) < hits)[None] * 1.0


def of_ranks(found: list[int], metric: Metric) -> PerUser:
    return per_user(np.array([found], np.int32), metric)


@given(st.floats(0.0005, 0.9995), st.floats(0.2, 5_000), st.floats(0.2, 5_000))
def test_quantiles_of_the_beta_law_are_scipys(level: float, a: float, b: float) -> None:
    expected = float(stats.beta.ppf(level, a, b))
    assert quantile(level, a, b) == pytest.approx(expected, rel=1e-7, abs=1e-290)


@pytest.mark.parametrize("users", USERS)
@pytest.mark.parametrize("hits", range(5))
def test_few_hits_have_exact_bounds_and_few_misses_too(hits: int, users: int) -> None:
    exact = stats.binomtest(hits, users).proportion_ci(0.95, "exact")
    low, high = user_interval(share(hits, users))
    assert (low, high) == pytest.approx((exact.low, exact.high), rel=1e-7)
    assert user_interval(1 - share(hits, users)) == pytest.approx((1 - high, 1 - low), rel=1e-6)


@pytest.mark.parametrize("metric", ["hit", "mrr", "ndcg"])
def test_without_a_hit_of_90_users_any_metric_may_be_4_per_cent(metric: Metric) -> None:
    low, high = user_interval(of_ranks([50] * 90, metric))
    assert (low, round(high, 4)) == (0, 0.0402)


def test_of_no_users_anything_may_be() -> None:
    assert user_interval(np.empty((2, 0))) == (0, 1)


@pytest.mark.parametrize("hits", [5, 9, 45, 85])
def test_other_shares_have_jeffreys_interval(hits: int) -> None:
    expected = stats.beta.ppf([0.025, 0.975], hits + 0.5, 90 - hits + 0.5)
    assert user_interval(share(hits, 90)) == pytest.approx(tuple(expected), rel=1e-7)


@given(ranks, st.sampled_from(["hit", "mrr", "ndcg"]))
def test_it_holds_the_mean_and_never_says_that_nothing_is_left_to_chance(
    found: list[int], metric: Metric
) -> None:
    values = of_ranks(found, metric)
    low, high = user_interval(values)
    assert 0 <= low <= values.mean() <= high <= 1
    assert high - low > 1 / (len(found) + 1)  # as much as one user more would tell
    assert user_interval(values[:, ::-1]) == pytest.approx((low, high))


@given(ranks)
def test_no_metric_may_be_higher_than_the_hits_may_be(found: list[int]) -> None:
    _, hits = user_interval(of_ranks(found, "hit"))
    for metric in ("mrr", "ndcg"):
        assert user_interval(of_ranks(found, metric))[1] <= hits + 1e-9


@given(ranks)
def test_one_more_hit_lowers_no_end(found: list[int]) -> None:
    for metric in ("hit", "mrr", "ndcg"):
        before = user_interval(of_ranks([*found, 50], metric))
        after = user_interval(of_ranks([*found, 1], metric))
        assert after[0] >= before[0] - 1e-9
        assert after[1] >= before[1] - 1e-9


@pytest.mark.parametrize("users", USERS)
def test_intervals_of_shares_hold_the_truth(users: int) -> None:
    ends = np.array([user_interval(share(hits, users)) for hits in range(users * 3 // 5 + 1)])
    held = []
    for rate in RATES:
        inside = (ends[:, 0] <= rate) & (rate <= ends[:, 1])
        held.append(stats.binom.pmf(np.arange(len(ends)), users, rate)[inside].sum())
    assert 0.945 <= np.mean(held) <= 0.975
    assert min(held) >= 0.93


def coverage(
    generator: np.random.Generator, metric: Metric, *, seeds: int, users: int, tries: int
) -> Iterator[float]:
    """Yield for each of the rates how often the interval holds the mean over all users.

    Ranks are log-normal; a user's ranks in several seeds correlate by .8.
    """
    everyone = (seeds, 100_000)
    for rate in RATES:
        same, own = generator.normal(size=everyone[1]), generator.normal(size=everyone)
        above = 0.8**0.5 * same + 0.2**0.5 * own - stats.norm.ppf(rate)
        found = np.clip(np.exp(np.log(10.5) + 1.7 * above), 1, 3_000).round().astype(np.int32)
        values = per_user(found, metric)
        truth, inside = values.mean(), 0
        for _ in range(tries):
            low, high = user_interval(values[:, generator.integers(0, everyone[1], users)])
            inside += low <= truth <= high
        yield inside / tries


@pytest.mark.parametrize("users", [20, 50, 90])
@pytest.mark.parametrize("metric", ["ndcg", "mrr"])
def test_intervals_of_graded_metrics_hold_the_truth(metric: Metric, users: int) -> None:
    # A bootstrap is right in 64 % (MRR, 20 users) to 90 % (NDCG, 90 users).
    held = list(coverage(np.random.default_rng(1), metric, seeds=1, users=users, tries=150))
    assert 0.93 <= np.mean(held) <= 0.99
    assert min(held) >= 0.91


@pytest.mark.slow
@pytest.mark.parametrize("users", USERS)
@pytest.mark.parametrize("metric", ["hit", "ndcg", "mrr"])
@pytest.mark.parametrize("seeds", [1, 3])
def test_intervals_hold_the_truth(metric: Metric, users: int, seeds: int) -> None:
    generator = np.random.default_rng([users, seeds])
    held = list(coverage(generator, metric, seeds=seeds, users=users, tries=1_000))
    assert 0.94 <= np.mean(held) <= 0.98
    assert min(held) >= 0.92


def test_few_users_are_warned_of() -> None:
    assert few_users(90, "NDCG@10", 0.01, 0.0725) == (
        "Only 90 test users: NDCG@10 is known to about ±0.031, and smaller differences can hardly "
        "be detected."
    )
    assert few_users(FEW_USERS, "NDCG@10", 0.01, 0.0725) == ""


def test_enough_users_know_a_rate_to_30_per_cent_of_it() -> None:
    low, high = user_interval(share(FEW_USERS // 10, FEW_USERS))
    assert (high - low) / 2 <= 0.03

"""What recommended lists are like, against counting by hand and against the libraries that the
definitions are from."""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.datasets.interactions import make_interactions
from engine.datasets.splitting.splits import SplitData
from engine.datasets.splitting.targets import HeldOut
from engine.metrics import LIST_RESULTS
from engine.results.lists import LONGEST, Lists, Popularity, gini, list_results
from engine.worker.results import popularity_of

# The example in the documentation of RecTools' MeanInvUserFreq: three users, items 1 to 3.
LISTS = np.array([[3, 0], [2, 3], [1, 2]], np.uint16)
POPULARITY = Popularity(np.array([0, 3, 1, 0]), np.array([0, 3, 1, 0]), 3)


def test_novelty_is_that_of_the_source() -> None:
    found = list_results(LISTS, POPULARITY, masked=False)
    assert found["test_novelty_at_1"] == pytest.approx(fmean([1.5849625, 1.5849625, 0.0]))
    assert found["test_novelty_at_5"] == pytest.approx(fmean([1.5849625, 1.5849625, 0.79248125]))


def test_mean_popularity_is_that_of_the_source() -> None:
    """The example in the documentation of RecTools' AvgRecPopularity."""
    lists = np.array([[1, 2, 0], [3, 1, 2], [3, 2, 0]], np.uint16)
    counts = np.array([0, 3, 2, 1])
    found = list_results(lists, Popularity(counts, counts, 3), masked=True)
    assert found["test_arp_masked_at_1"] == pytest.approx(fmean([3, 1, 1]))
    assert found["test_arp_masked_at_5"] == pytest.approx(fmean([2.5, 2, 1.5]))


def test_lists_of_many_users_have_these_values() -> None:
    """Values by the formulas that RecTools and RecBole document, written out as they are there."""
    lists, pairs, items = _example()
    found = list_results(lists, _popularity(pairs, items), masked=False)
    interactions = Counter(item for _, item in pairs)
    owners = {item: len({user for user, other in pairs if other == item}) for _, item in pairs}
    trained = len({user for user, _ in pairs})
    for k in (1, 5, 10, 20):
        top = [[int(item) for item in each[:k]] for each in lists]
        times = sorted(Counter(item for each in top for item in each).values())
        counts = [0] * (items - len(times)) + times
        expected = {
            "coverage": len({item for each in top for item in each}) / items,
            "gini": sum((2 * i - items - 1) * count for i, count in enumerate(counts, 1))
            / (items * sum(counts)),
            "arp": sum(sum(interactions[item] for item in each) / k for each in top) / len(top),
            "novelty": sum(
                -sum(math.log2(owners.get(item, 1) / trained) for item in each) / k for each in top
            )
            / len(top),
        }
        for measure, value in expected.items():
            assert found[f"test_{measure}_at_{k}"] == pytest.approx(value, rel=1e-12)


def test_rectools_has_the_same_values() -> None:
    metrics = pytest.importorskip("rectools.metrics", reason="only for development")
    pd = pytest.importorskip("pandas")
    lists, pairs, items = _example()
    found = list_results(lists, _popularity(pairs, items), masked=False)
    before = pd.DataFrame(pairs, columns=["user_id", "item_id"])
    users, length = lists.shape
    table = pd.DataFrame(
        {
            "user_id": np.repeat(np.arange(users), length),
            "item_id": lists.ravel(),
            "rank": np.tile(np.arange(1, length + 1), users),
        }
    )
    for k in (1, 5, 10, 20):
        novelty = metrics.MeanInvUserFreq(k=k).calc(table, before)
        assert found[f"test_novelty_at_{k}"] == pytest.approx(novelty, rel=1e-12)
        arp = metrics.AvgRecPopularity(k=k).calc(table, before)
        assert found[f"test_arp_at_{k}"] == pytest.approx(arp, rel=1e-12)


def test_recbole_has_the_same_values() -> None:
    metrics = pytest.importorskip("recbole.evaluator.metrics", reason="only for development")
    lists, pairs, items = _example()
    found = list_results(lists, _popularity(pairs, items), masked=False)
    told = {
        "rec.items": torch.from_numpy(lists.astype(np.int64)),
        "data.num_items": items,
        "data.count_items": Counter(item for _, item in pairs),
    }
    cutoffs = [1, 5, 10, 20]
    config = {"topk": cutoffs, "metric_decimal_place": 12}
    sources = {"coverage": "ItemCoverage", "arp": "AveragePopularity", "gini": "GiniIndex"}
    for measure, name in sources.items():
        values = getattr(metrics, name)(config).calculate_metric(told)
        for k, value in zip(cutoffs, values.values(), strict=True):
            assert found[f"test_{measure}_at_{k}"] == pytest.approx(value, abs=1e-11)


def test_gini_is_0_of_equal_and_nearly_1_of_one() -> None:
    assert gini(np.array([4, 4, 4, 4])) == 0
    assert gini(np.array([0, 0, 0, 9])) == pytest.approx(3 / 4)
    assert gini(np.zeros(4, int)) == 0


@given(st.data())
def test_all_measures_are_those_of_counting(data: st.DataObject) -> None:
    items = data.draw(st.integers(1, 130))
    length = min(items, LONGEST)
    lists = data.draw(
        st.lists(
            st.permutations(range(1, items + 1)).map(lambda p: p[:length]), min_size=1, max_size=6
        )
    )
    counts = data.draw(st.lists(st.integers(0, 9), min_size=items, max_size=items))
    owners = [min(each, 4) for each in counts]
    found = list_results(
        np.array(lists, np.uint16),
        Popularity(np.array([0, *counts]), np.array([0, *owners]), 4),
        masked=True,
    )
    assert found.keys() == {name for name, result in LIST_RESULTS.items() if result.masked}
    for name, result in LIST_RESULTS.items():
        if not result.masked:
            continue
        top = [each[: result.k] for each in lists]
        times = Counter(item for each in top for item in each)
        mean = {
            "coverage": len(times) / items,
            "arp": fmean(fmean(counts[item - 1] for item in each) for each in top),
            "novelty": fmean(
                fmean(-math.log2(max(owners[item - 1], 1) / 4) for item in each) for each in top
            ),
            "gini": _gini([times[item] for item in range(1, items + 1)]),
        }[result.metric]
        assert found[name] == pytest.approx(mean, abs=1e-9)


def _gini(times: list[int]) -> float:
    """Half the mean absolute difference of every two items, over the mean."""
    apart = sum(abs(one - other) for one in times for other in times)
    return apart / (2 * len(times) * sum(times))


def _example() -> tuple[Lists, list[tuple[int, int]], int]:
    """Return the lists of 40 users, pairs of user and item in training, some more than once and
    some items in none, and the number of items."""
    items, draw = 60, np.random.default_rng(11)
    lists = np.stack([draw.permutation(items)[:20] + 1 for _ in range(40)]).astype(np.uint8)
    drawn = draw.integers([0, 1], [50, items - 5], (400, 2))
    return lists, [(int(user), int(item)) for user, item in drawn], items


def _popularity(pairs: list[tuple[int, int]], items: int) -> Popularity:
    """Count a training part, of users 0 to 49, whose held-out items don't count."""
    histories = [[item for user, item in pairs if user == own] for own in range(50)]
    kept = np.array([len(each) for each in histories])
    items_of = [item for each in histories for item in (*each, items)]
    offsets = np.concatenate([[0], np.cumsum(kept + 1)])
    nobody = HeldOut(np.empty(0, np.int64), np.empty(0, np.int64))
    own = make_interactions(np.array(items_of), offsets, items)
    return popularity_of(SplitData(own, offsets[:-1] + kept, nobody, nobody, offsets[:-1] + kept))

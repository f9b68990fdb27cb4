"""What recommended lists are like, against counting by hand."""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.metrics import LIST_RESULTS
from engine.results.lists import LONGEST, Popularity, gini, list_results

# The example in the documentation of RecTools' MeanInvUserFreq: three users, items 1 to 3.
LISTS = np.array([[3, 0], [2, 3], [1, 2]], np.uint16)
POPULARITY = Popularity(np.array([0, 3, 1, 0]), np.array([0, 3, 1, 0]), 3)


def test_novelty_is_that_of_the_source() -> None:
    found = list_results(LISTS, POPULARITY, masked=False)
    assert found["test_novelty_at_1"] == pytest.approx(fmean([1.5849625, 1.5849625, 0.0]))
    assert found["test_novelty_at_5"] == pytest.approx(fmean([1.5849625, 1.5849625, 0.79248125]))


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

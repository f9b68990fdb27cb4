"""How many runs at once a GPU is good for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.worker.resident.capacity import BEGIN, REMEMBERED_SECONDS, Change, gain, wanted

MOST = 8
CHANGES = st.lists(
    st.tuples(st.integers(1, MOST), st.integers(1, MOST), st.floats(0.1, 10))
    .filter(lambda each: each[0] != each[1])
    .map(lambda each: Change(0.0, *each)),
    max_size=20,
)
SPEEDS = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(1, 1e4), min_size=1)


def at(training: int, *changes: tuple[int, int, float], measured: bool = True) -> int:
    return wanted(
        [Change(0.0, *each) for each in changes], training, MOST, now=1.0, measured=measured
    )


def filled(speed: Callable[[int], float]) -> list[int]:
    """Numbers of runs on a device whose speed depends on them, with a queue that is never empty:
    each round takes the runs that are wanted, and then one of them ends."""
    runs, seen = BEGIN, []
    changes: list[Change] = []
    for now in range(40):
        wants = wanted(changes, runs, MOST, now=now, measured=True)
        for after in (max(runs, wants), max(runs, wants) - 1):
            if after not in {0, runs}:
                changes.append(Change(now, runs, after, speed(after) / speed(runs)))
                runs = after
            seen.append(runs)
    return seen[-30:]


def between(values: Iterable[int], low: int, high: int) -> bool:
    return all(low <= value <= high for value in values)


@pytest.mark.parametrize(
    ("speed", "low", "high"),
    [
        # SASRec on MovieLens 1M on an H200: ×1.36, 1.66, 1.80 with 2, 4 and 8.
        ([1, 1.36, 1.53, 1.66, 1.70, 1.74, 1.77, 1.80], 7, 8),
        # Four fill the device.
        ([1, 1.5, 1.8, 2.0, 2.0, 2.0, 2.0, 2.0], 3, 4),
        # One fills it.
        ([1] * 8, 1, 2),
        # The more, the faster.
        ([1, 2, 3, 4, 5, 6, 7, 8], 7, 8),
        # More of them only get in each other's way.
        ([1, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1], 1, 2),
    ],
)
def test_it_ends_where_one_more_makes_nothing_faster(
    speed: list[float], low: int, high: int
) -> None:
    seen = filled(lambda runs: speed[runs - 1])
    assert between(seen[1::2], low - 1, high), "one of them has ended"
    assert between(seen[::2], low, high + 1)


def test_it_begins_with_some_and_tries_twice_as_many() -> None:
    assert at(0, measured=False) == BEGIN
    assert at(2) == BEGIN, "there were no more"
    assert at(BEGIN, measured=False) == BEGIN, "how fast they are isn't known"
    assert at(BEGIN) == 2 * BEGIN
    assert at(2 * BEGIN, (BEGIN, 2 * BEGIN, 1.05)) == 2 * BEGIN
    assert at(2 * BEGIN, (BEGIN, 2 * BEGIN, 1.01)) == BEGIN, "a fourth of a percent each"


def test_it_tries_one_fewer_where_one_more_makes_nothing_faster() -> None:
    none_above = (4, 8, 1.0)
    assert at(4, none_above) == 3
    assert at(3, none_above, measured=False) == 3, "until it is known how fast three are"
    assert at(3, none_above, (4, 3, 0.9)) == 4
    assert at(3, none_above, (4, 3, 1.0)) == 2


def test_what_was_long_ago_is_tried_again() -> None:
    change = [Change(0.0, 4, 8, 1.0)]
    for now, wants in ((REMEMBERED_SECONDS, 3), (REMEMBERED_SECONDS + 1, 8)):
        assert wanted(change, 4, MOST, now=now, measured=True) == wants


def test_the_last_of_many_measurements_count() -> None:
    slower, faster = (4, 8, 0.9), (4, 8, 1.2)
    assert at(8, *[slower] * 5, *[faster] * 3) == 8
    assert at(8, *[slower] * 5, *[faster] * 2) == 4


def test_runs_that_are_slow_by_themselves_are_no_loss() -> None:
    """A run that makes a tenth of the updates of the others, and slows them by a fifth."""
    before = {"a": 100.0, "b": 200.0, "c": 50.0, "d": 100.0}
    after = {**{name: 0.8 * speed for name, speed in before.items()}, "slow": 8.0}
    assert gain(before, after) == pytest.approx(1.0)
    assert gain(after, before) == pytest.approx(1.0)


@given(SPEEDS, st.integers(1, 8), st.floats(0.1, 10))
def test_a_gain_counts_each_run_in_units_of_its_own_speed(
    before: dict[str, float], more: int, factor: float
) -> None:
    after = {name: factor * speed for name, speed in before.items()}
    after |= {f"new {number}": 1.0 for number in range(more)}
    assert gain(before, after) == pytest.approx(factor * len(after) / len(before))


@given(CHANGES, st.integers(0, MOST), st.integers(1, MOST), st.booleans())
def test_it_wants_one_at_least_and_no_more_than_there_may_be(
    changes: list[Change], training: int, most: int, measured: bool
) -> None:
    assert 1 <= wanted(changes, training, most, now=1.0, measured=measured) <= most


@given(CHANGES, st.integers(0, MOST))
def test_it_tries_nothing_beyond_twice_what_was_measured(
    changes: list[Change], training: int
) -> None:
    known = max((max(each.before, each.after) for each in changes), default=1)
    wants = wanted(changes, training, MOST, now=1.0, measured=True)
    assert wants <= max(BEGIN, 2 * max(known, training))

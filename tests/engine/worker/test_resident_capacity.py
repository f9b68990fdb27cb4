"""How many runs at once a GPU is good for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.worker.resident.capacity import BEGIN, ENOUGH, PATIENT, Window, wanted

LIST_OF_WINDOWS = st.lists(
    st.builds(Window, runs=st.integers(1, 8), updates_per_second=st.floats(0, 1e4)), max_size=80
)


def filled(speed: dict[int, float], most: int) -> set[int]:
    """Where a device ends whose speed depends on the number of runs: with a queue that is never
    empty, each round takes the runs that are wanted, of which one ends."""
    windows: list[Window] = []
    runs = 0
    seen = []
    for _ in range(100):
        runs = max(runs, min(runs + 1, wanted(windows, most)))
        seen.append(runs)
        windows += [Window(runs, speed[runs])] * ENOUGH
        if runs > wanted(windows, most):
            runs -= 1
    return set(seen[-10:])


@pytest.mark.parametrize(
    ("speed", "found"),
    [
        # SASRec on MovieLens 1M on an H200: ×1.36, 1.66, 1.80 with 2, 4 and 8.
        ({1: 100, 2: 136, 3: 152, 4: 166, 5: 170, 6: 173, 7: 176, 8: 180}, {4, 5}),
        # One run fills the device.
        (dict.fromkeys(range(1, 9), 100), {1, 2}),
        # The more, the faster.
        ({runs: 100.0 * runs for runs in range(1, 9)}, {8}),
        # More of them only get in each other's way.
        ({runs: 100.0 / runs for runs in range(1, 9)}, {1}),
    ],
)
def test_it_ends_where_one_more_makes_nothing_faster(
    speed: dict[int, float], found: set[int]
) -> None:
    assert filled(speed, 8) <= found


def test_it_begins_with_some_and_goes_on_by_one() -> None:
    four = [Window(BEGIN, 100.0)] * ENOUGH
    assert wanted([], 8) == BEGIN
    assert wanted([], 2) == 2
    assert wanted([Window(2, 50.0)] * ENOUGH, 8) == BEGIN, "there were no more"
    assert wanted(four, 8) == BEGIN + 1
    assert wanted([*four, *[Window(BEGIN + 1, 110.0)] * ENOUGH], 8) == BEGIN + 2
    assert wanted([*four, *[Window(BEGIN + 1, 104.0)] * ENOUGH], 8) == BEGIN


def test_long_runs_show_how_fast_one_of_them_is() -> None:
    four = [Window(BEGIN, 100.0)] * PATIENT
    assert wanted(four, 8) == 1
    assert wanted([*four, *[Window(1, 99.0)] * ENOUGH], 8) == 1
    assert wanted([*four, *[Window(1, 60.0)] * ENOUGH], 8) == BEGIN + 1


@given(LIST_OF_WINDOWS, st.integers(1, 8))
def test_it_wants_one_at_least_and_no_more_than_there_may_be(
    windows: list[Window], most: int
) -> None:
    assert 1 <= wanted(windows, most) <= most


@given(LIST_OF_WINDOWS)
def test_it_never_goes_more_than_one_beyond_what_was_measured(windows: list[Window]) -> None:
    measured = max((window.runs for window in windows), default=1)
    assert wanted(windows, 8) <= max(BEGIN, measured + 1)

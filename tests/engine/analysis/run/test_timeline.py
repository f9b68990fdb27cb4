"""A run's own time: what is between attempts doesn't count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.run.timeline import Timeline

ATTEMPTS = [(1, 1000.0, 1060.0), (2, 90_000.0, 90_030.0)]


def test_attempts_follow_each_other_without_the_gap() -> None:
    timeline = Timeline(ATTEMPTS)
    assert timeline.total == 90
    assert timeline.seconds(1, 1012.5) == 12.5
    assert timeline.seconds(2, 90_000.0) == 60
    assert timeline.seconds(3, 5.0) == 0


@pytest.mark.parametrize(
    ("seconds", "attempt", "wall"), [(0, 1, 1000), (59, 1, 1059), (60, 2, 90_000), (90, 2, 90_030)]
)
def test_a_moment_belongs_to_an_attempt(seconds: float, attempt: int, wall: float) -> None:
    timeline = Timeline(ATTEMPTS)
    span = timeline.span_at(seconds)
    assert span is not None
    assert (span.attempt, timeline.wall_time(seconds)) == (attempt, wall)


def test_a_run_that_never_started_has_no_time() -> None:
    timeline = Timeline([])
    assert (timeline.total, timeline.span_at(0.0), timeline.wall_time(3.0)) == (0, None, None)


times = st.tuples(st.floats(0, 2e9), st.floats(0, 2e9))


@given(st.lists(times, max_size=5), st.lists(st.floats(0, 2e9), max_size=8))
def test_time_never_goes_back(attempts: list[tuple[float, float]], moments: list[float]) -> None:
    timeline = Timeline((number, first, last) for number, (first, last) in enumerate(attempts, 1))
    for number, (first, last) in enumerate(attempts, 1):
        seconds = [timeline.seconds(number, t) for t in sorted(moments) if first <= t <= last]
        assert seconds == sorted(seconds)
        assert all(0 <= moment <= timeline.total for moment in seconds)

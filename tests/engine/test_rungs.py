"""At which epochs trials are paused."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.rungs import rungs


def test_after_a_ninth_and_a_third_or_when_trials_could_end_by_themselves() -> None:
    assert rungs(27, 100) == (3, 9)
    assert rungs(300, 20) == (20, 60)
    assert rungs(300, 1_000) == (33, 99)
    assert rungs(3, 10) == (1,)
    assert rungs(1, 10) == ()


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_rungs_rise_and_are_before_the_last_epoch(epochs: int, patience: int) -> None:
    found = rungs(epochs, patience)
    assert list(found) == sorted(set(found))
    assert all(1 <= rung < epochs for rung in found)
    assert bool(found) == (epochs > 1)

"""At which epochs trials are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rungs import rungs


@pytest.mark.parametrize(
    ("epochs", "patience", "expected"),
    [
        (1, 10, ()),
        (2, 10, (1,)),
        (9, 10, (1, 3)),
        (27, 100, (3, 9)),
        # Trials that stop long before their limit are compared sooner.
        (300, 20, (10, 30, 90)),
        (300, 1, (1, 3, 9, 27, 81)),
        (300, 1_000, (33, 99)),
    ],
)
def test_rungs_follow_from_the_limit_and_the_patience(
    epochs: int, patience: int, expected: tuple[int, ...]
) -> None:
    assert rungs(epochs, patience) == expected


@given(epochs=st.integers(2, 100_000), patience=st.integers(1, 100_000))
def test_no_trial_ends_before_its_first_rung(epochs: int, patience: int) -> None:
    found = rungs(epochs, patience)
    assert found[0] <= patience
    assert 2 * found[-1] <= epochs < 6 * found[-1]

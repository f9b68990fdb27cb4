"""A report's headline tells models apart that differ, and seldom others."""

from __future__ import annotations

import pytest
from scipy import stats

from benchmarks.headline import REAL, told
from engine.analysis.pairs.significance import LEVEL


@pytest.mark.parametrize(("users", "seeds"), [(50, 2), (300, 3)])
def test_models_that_do_not_differ_are_seldom_told_apart(users: int, seeds: int) -> None:
    stores = 150
    # At a true rate of 5 % so many are found in one series of a thousand.
    assert len(told(REAL, users, seeds, stores)) <= stats.binom.isf(0.001, stores, LEVEL)


def test_a_model_that_is_better_is_called_best() -> None:
    found = told(REAL, 300, 3, 20, better=1.0)
    assert len(found) == 20
    assert sum("sasrec L=" in text.partition(" is shown to be best")[0] for text in found) >= 18

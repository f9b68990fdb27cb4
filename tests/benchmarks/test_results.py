"""The interval over users."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.results import interval


def test_the_interval_of_a_share_is_the_binomial_one() -> None:
    hits = np.zeros(900)
    hits[:90] = 1
    low, high = interval(hits)
    half = 1.96 * (0.1 * 0.9 / 900) ** 0.5
    assert low == pytest.approx(0.1 - half, abs=0.003)
    assert high == pytest.approx(0.1 + half, abs=0.003)
    assert interval(hits) == (low, high)


def test_users_that_agree_leave_no_doubt() -> None:
    assert interval(np.full(50, 0.25)) == (0.25, 0.25)

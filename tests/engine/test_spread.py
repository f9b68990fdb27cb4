"""Mean and deviation over seeds: those of the statistics module, however the figures lie."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.spread import Spread, spread


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=30))
def test_a_spread_is_that_of_the_statistics_module(values: list[float]) -> None:
    found = spread([*values, None, math.nan, math.inf, "text"])
    assert found is not None
    scale = max(map(abs, values)) or 1.0
    assert found.count == len(values)
    assert found.mean == pytest.approx(statistics.fmean(values), abs=1e-12 * scale)
    if len(values) == 1:
        assert found.deviation is None
    else:
        wanted = statistics.stdev(values)
        assert found.deviation == pytest.approx(wanted, rel=1e-9, abs=1e-15 * scale)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(2, 30))
def test_equal_figures_are_their_own_mean_without_deviation(value: float, count: int) -> None:
    assert spread([value] * count) == Spread(value, 0.0, count)


def test_large_figures_close_together_keep_their_deviation() -> None:
    found = spread([1e9 + 0.001, 1e9 + 0.002, 1e9 + 0.003])
    assert found is not None
    assert found.deviation == pytest.approx(0.001, rel=1e-3)

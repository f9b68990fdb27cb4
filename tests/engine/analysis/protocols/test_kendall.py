"""Kendall's τ-b, as SciPy computes it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from engine.analysis.protocols.kendall import tau_b

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12)


@given(PAIRS)
def test_it_is_scipys(pairs: list[tuple[int, int]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    found = tau_b(first, second)
    expected = float(stats.kendalltau(first, second).statistic) if len(pairs) > 1 else math.nan
    assert (found is None) == math.isnan(expected)
    if found is not None:
        assert found == pytest.approx(expected, abs=1e-12)
        assert tau_b(second, first) == found
        assert tau_b([-value for value in first], second) == -found

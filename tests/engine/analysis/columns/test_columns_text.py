"""A mean and its deviation are written with the same decimals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.columns.definitions import Kind
from engine.analysis.columns.text import spread_text
from engine.spread import Spread


@pytest.mark.parametrize(
    ("mean", "deviation", "text"),
    [
        (0.001, 1.617e-10, "0.001"),
        (0.001, 0.0, "0.001"),
        (0.001, None, "0.001"),
        (0.001, 0.0002, "0.0010 ± 0.0002"),
        (0.0010003, 0.00012345, "0.001000 ± 0.000123"),
        (5e-5, 2e-5, "0.00005 ± 0.00002"),
        (1e-5, 1e-10, "1e-05"),
        (100.0, 0.5, "100.0 ± 0.5"),
        (2000.0, 100.0, "2000 ± 100"),
    ],
)
def test_a_learning_rate_and_its_deviation(mean: float, deviation: float | None, text: str) -> None:
    assert spread_text(Spread(mean, deviation, 3), "rate") == text


@given(
    st.floats(1e-9, 1e6),
    st.floats(0, 1e3),
    st.sampled_from(["metric", "seconds", "real", "rate", "whole"]),
)
def test_one_rule_of_digits(mean: float, deviation: float, kind: Kind) -> None:
    first, sign, second = spread_text(Spread(mean, deviation, 3), kind).partition(" ± ")
    if sign:
        decimals = [len(each.partition(".")[2]) for each in (first, second)]
        assert decimals[0] == decimals[1]
        assert "e" not in first + second
        shown = float(second.replace(",", ""))
        assert abs(shown - deviation) <= 0.501 * 10.0 ** -decimals[1]

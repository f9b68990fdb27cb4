"""Axes: round ticks for any figures."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.charts.braille.axis import (
    LARGEST,
    Axis,
    drawable,
    fitted_axis,
    growing_axis,
    nice_axis,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
intervals = st.integers(0, 40)


@given(finite, finite, intervals)
def test_any_figures_give_an_axis_with_few_ordered_ticks(a: float, b: float, n: int) -> None:
    axis = nice_axis(a, b, n)
    low, high = (min(max(x, -LARGEST), LARGEST) for x in (min(a, b), max(a, b)))
    assert math.isfinite(axis.high - axis.low)
    assert axis.low < axis.high
    assert axis.low <= low
    assert high <= axis.high
    ticks = axis.ticks()
    assert len(ticks) <= max(n, 1) + 2
    assert ticks == sorted(set(ticks))
    assert all(axis.low - axis.step / 4 <= tick <= axis.high + axis.step / 4 for tick in ticks)


@given(finite, finite, intervals)
def test_labels_tell_ticks_apart_and_stay_short(a: float, b: float, n: int) -> None:
    axis = nice_axis(a, b, min(n, 10))
    labels = [axis.label(tick) for tick in axis.ticks()]
    assert len(set(labels)) == len(labels)
    assert all(float(label) == pytest.approx(tick, abs=axis.step / 2)
               for label, tick in zip(labels, axis.ticks(), strict=True))  # fmt: skip
    if axis.high - axis.low > max(abs(a), abs(b)) / 100:
        assert max(len(label) for label in labels) <= 10


@pytest.mark.parametrize(
    ("low", "high", "n", "labels"),
    [
        (3.1, 8.4, 4, ["4", "6", "8"]),
        (0.0, 0.1, 4, ["0", "0.025", "0.050", "0.075", "0.100"]),
        (0.013, 0.094, 3, ["0.05", "0.10"]),
        (0.0, 1.0, 2, ["0", "0.5", "1.0"]),
        (0.0, 2_000_000, 2, ["0", "1e6", "2e6"]),
        (0.0, 0.0003, 3, ["0", "1e-4", "2e-4", "3e-4"]),
        (-2.0, 2.0, 4, ["-2", "-1", "0", "1", "2"]),
    ],
)
def test_ticks_read_well(low: float, high: float, n: int, labels: list[str]) -> None:
    axis = nice_axis(low, high, n)
    assert [axis.label(tick) for tick in axis.ticks()] == labels


@given(st.lists(st.floats(0, 1e9), min_size=1), intervals)
def test_a_growing_axis_widens_seldom(reached: list[float], n: int) -> None:
    axis: Axis | None = None
    highest = 0.0
    for x in reached:
        highest = max(highest, x)
        grown = growing_axis(axis, highest, n)
        assert grown.low == 0
        assert grown.high >= highest * (1 - 1e-9)
        if axis is not None and grown is not axis:
            assert grown.high > axis.high
        axis = grown
    assert growing_axis(None, 37.0, n).high == 50


def test_a_fitted_axis_ends_where_told() -> None:
    assert fitted_axis(37.0, 3).high == 37.0
    assert fitted_axis(0.0, 3).high > 0


def test_what_can_be_drawn() -> None:
    assert drawable(-1e100)
    for bad in (None, math.nan, math.inf, -math.inf, 1e300):
        assert not drawable(bad)

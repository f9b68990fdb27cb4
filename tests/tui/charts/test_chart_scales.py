"""Logarithmic and time axes, and the figure of the cursor under a chart."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.charts.axis import Axis, fitted_axis
from tui.charts.chart_scale import x_scale, x_text
from tui.charts.scales import clock_time, log_axis, row_of, time_axis, widened_log

positive = st.floats(1e-12, 1e12)


@given(positive, positive, st.integers(1, 12))
def test_a_logarithmic_axis_holds_its_figures_and_has_few_ticks(a: float, b: float, n: int) -> None:
    axis = log_axis(a, b, n)
    assert axis.holds(min(a, b), max(a, b))
    ticks = axis.ticks()
    assert ticks == sorted(ticks)
    assert len(ticks) <= 2 * n + 4
    assert len({axis.label(tick) for tick in ticks}) == len(ticks)
    shares = [axis.share(y) for y in sorted((a, b))]
    assert 0 <= shares[0] <= shares[1] <= 1
    rows = [row_of(axis, 80)(y) for y in sorted((a, b))]
    assert 79 >= rows[0] >= rows[1] >= 0


@pytest.mark.parametrize(
    ("low", "high", "n", "labels"),
    [
        (0.001, 0.1, 4, ["0.001", "0.01", "0.1"]),
        (1.0, 1000.0, 9, ["1", "3", "10", "30", "100", "300", "1000"]),
        (1e-8, 1e8, 4, ["1e-5", "1", "1e5"]),
        (3.0, 8.0, 4, ["4", "6", "8"]),
    ],
)
def test_logarithmic_ticks_read_well(low: float, high: float, n: int, labels: list[str]) -> None:
    axis = log_axis(low, high, n)
    assert [axis.label(tick) for tick in axis.ticks()] == labels


def test_equal_ratios_are_equally_far_apart_and_what_is_not_positive_lies_at_the_foot() -> None:
    axis = log_axis(1.0, 100.0, 4)
    assert axis.share(10.0) == pytest.approx(0.5)
    assert (axis.share(0.0), axis.share(-5.0)) == (0.0, 0.0)
    assert row_of(axis, 40)(-1.0) == 39


def test_a_logarithmic_axis_stays_while_it_holds_the_figures() -> None:
    axis = widened_log(None, 1.0, 10.0, 4)
    assert widened_log(axis, 2.0, 9.0, 4) is axis
    assert widened_log(axis, 0.1, 9.0, 4).holds(0.1, 10.0)


@given(st.floats(0.01, 1e9), st.integers(1, 20))
def test_time_has_few_ticks_that_tell_apart(seconds: float, intervals: int) -> None:
    axis = time_axis(fitted_axis(seconds, intervals), intervals)
    ticks = axis.ticks()
    assert len(ticks) <= intervals + 2
    assert len({axis.label(tick) for tick in ticks}) == len(ticks)


@pytest.mark.parametrize(
    ("seconds", "n", "labels"),
    [
        (14.0, 3, ["0", "5", "10"]),
        (300.0, 3, ["0:00", "2:00", "4:00"]),
        (10_000.0, 4, ["0:00", "1:00:00", "2:00:00"]),
        (120_000.0, 4, ["0d 00h", "0d 12h", "1d 00h"]),
        (200_000.0, 4, ["0d", "1d", "2d"]),
    ],
)
def test_time_reads_well(seconds: float, n: int, labels: list[str]) -> None:
    axis = time_axis(fitted_axis(seconds, n), n)
    assert [axis.label(tick) for tick in axis.ticks()] == labels


def test_clock_time() -> None:
    assert [clock_time(s) for s in (0, 65.9, 3723, math.pi)] == ["0:00", "1:05", "1:02:03", "0:03"]


@given(st.floats(0, 100), st.integers(8, 100))
def test_the_cursor_s_figure_takes_whole_words_place(cursor: float, width: int) -> None:
    axis = fitted_axis(100.0, 5)
    plain = "".join(t for t, _ in x_scale(axis, "epoch", 6, width, 2)[-1])
    text = "".join(t for t, _ in x_scale(axis, "epoch", 6, width, 2, cursor)[-1])
    assert len(text) == len(plain) == width + 7
    said = x_text(cursor, "epoch", 100 / width)
    words = text.split()
    assert said in words
    words.remove(said)
    assert set(words) <= set(plain.split())


def test_figures_of_x_are_as_exact_as_a_cell() -> None:
    assert x_text(12.34567, "epoch", 2.0) == "12"
    assert x_text(12.34567, "epoch", 0.1) == "12.3"
    assert x_text(12.34567, "epoch", 0.001) == "12.346"
    assert x_text(12_345.6, "step", 0.1) == "12,346"
    assert x_text(75.0, "time", 9.0) == "1:15"
    assert Axis(0.0, 4.0, 1.0).share(1.0) == 0.25

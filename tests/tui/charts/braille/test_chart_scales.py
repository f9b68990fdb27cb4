"""The axis of time, and the figure of the cursor under a chart."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.charts.braille.axis import Axis, fitted_axis
from tui.charts.braille.scale import x_scale, x_text
from tui.charts.braille.time_axis import clock_time, time_axis


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

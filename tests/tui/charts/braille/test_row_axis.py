"""Upright axes: whatever the figures, ticks on whole rows, equally far apart, truly labelled."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tui.charts.braille.axis import LARGEST
from tui.charts.braille.canvas import DOTS_DOWN
from tui.charts.braille.row_axis import SMALLEST_LOG, RowAxis, row_axis

finite = st.floats(allow_nan=False, allow_infinity=False)
usual = st.floats(-1e6, 1e6)
positive = st.floats(1e-12, 1e12)
heights = st.integers(2, 60)


def axes(a: float, b: float, rows: int, log: bool) -> RowAxis:
    return row_axis(min(a, b), max(a, b), rows, log=log)


def check(axis: RowAxis, rows: int) -> None:
    """What holds of every axis."""
    ticks = axis.ticks()
    assert len(ticks) >= 2
    apart = {below - above for (above, _), (below, _) in itertools.pairwise(ticks)}
    assert apart == {axis.every}
    assert all(0 <= row < rows for row, _ in ticks)
    figures = [figure for _, figure in ticks]
    if axis.log:
        steps = [math.log10(high / low) for high, low in itertools.pairwise(figures)]
    else:
        steps = [high - low for high, low in itertools.pairwise(figures)]
    size = max(map(abs, figures)) if not axis.log else 1.0
    assert steps == pytest.approx([axis.step] * len(steps), rel=1e-6, abs=1e-9 * size)
    labels = axis.labels()
    assert list(labels) == [row for row, _ in ticks]
    assert len(set(labels.values())) == len(labels)
    dot = axis.dot_row()
    for (row, figure), label in zip(ticks, labels.values(), strict=True):
        # The figure, and what is written of it, lie in the row beside which it stands.
        assert dot(figure) // DOTS_DOWN == dot(float(label)) // DOTS_DOWN == row


@given(st.tuples(usual, usual) | st.tuples(finite, finite), heights)
def test_ticks_of_any_figures(pair: tuple[float, float], rows: int) -> None:
    axis = axes(*pair, rows, log=False)
    check(axis, rows)
    low, high = (min(max(y, -LARGEST), LARGEST) for y in sorted(pair))
    assert axis.holds(low, high)
    dot = axis.dot_row()
    assert 0 <= dot(high) <= dot(low) < rows * DOTS_DOWN


@given(positive, positive, heights)
def test_ticks_of_a_logarithmic_axis(a: float, b: float, rows: int) -> None:
    axis = axes(a, b, rows, log=True)
    check(axis, rows)
    dot = axis.dot_row()
    assert 0 <= dot(max(a, b)) <= dot(min(a, b)) < rows * DOTS_DOWN
    assert dot(0.0) == dot(-5.0) == dot(axis.low) == rows * DOTS_DOWN - 1


@given(usual, usual, heights)
def test_most_rows_are_used(a: float, b: float, rows: int) -> None:
    assume(rows >= 6)
    assume(abs(a - b) > max(1e-6 * max(abs(a), abs(b)), 1e-100))
    axis = axes(a, b, rows, log=False)
    dot = axis.dot_row()
    assert dot(min(a, b)) - dot(max(a, b)) >= rows * DOTS_DOWN / 2


@given(st.floats(0, 1e6), st.floats(0, 1e6), heights)
def test_what_is_never_negative_has_no_room_below_zero(a: float, b: float, rows: int) -> None:
    assume(min(a, b) != max(a, b))
    axis = axes(a, b, rows, log=False)
    assert axis.top - rows + 1 >= 0


@pytest.mark.parametrize(
    ("low", "high", "rows", "labels"),
    [
        (3.1, 8.4, 14, ["8", "6", "4"]),
        (0.0, 0.1, 11, ["0.10", "0.08", "0.06", "0.04", "0.02", "0"]),
        (0.0, 100.0, 8, ["100", "50", "0"]),
        (0.0, 2e6, 11, ["2e6", "1e6", "0"]),
        (-2.0, 2.0, 14, ["2", "1", "0", "-1", "-2"]),
        (0.001, 0.001, 8, ["0.0011", "0.0010", "0.0009"]),
    ],
)
def test_ticks_read_well(low: float, high: float, rows: int, labels: list[str]) -> None:
    assert list(row_axis(low, high, rows).labels().values()) == labels


@pytest.mark.parametrize(
    ("low", "high", "rows", "labels"),
    [
        (0.001, 0.1, 14, ["0.1", "0.01", "0.001"]),
        (1.0, 1000.0, 14, ["1000", "100", "10", "1"]),
        (1e-8, 1e8, 14, ["1e10", "1e5", "1", "1e-5", "1e-10"]),
        (3.1, 8.4, 8, ["8", "4"]),
        (100.0, 100.0, 8, ["1000", "100", "10"]),
    ],
)
def test_logarithmic_ticks_read_well(low: float, high: float, rows: int, labels: list[str]) -> None:
    assert list(row_axis(low, high, rows, log=True).labels().values()) == labels


def test_an_axis_stays_while_it_holds_the_figures_and_then_widens() -> None:
    axis = row_axis(3.0, 8.0, 12)
    assert row_axis(4.0, 7.0, 12, kept=axis) is axis
    assert row_axis(2.0, 8.0, 12, kept=axis).holds(2.0, 8.0)
    assert row_axis(4.0, 7.0, 13, kept=axis).rows == 13
    assert row_axis(4.0, 7.0, 12, log=True, kept=axis).log
    assert row_axis(SMALLEST_LOG / 10, 7.0, 12, log=True).holds(0.0, 7.0)

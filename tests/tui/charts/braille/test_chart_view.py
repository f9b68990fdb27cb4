"""How charts are looked at: zoom, cursor, units, and what the title says of it."""

from __future__ import annotations

import pytest
from chart_points import add, chart, lines, points
from hypothesis import given
from hypothesis import strategies as st

from tui.charts.braille.curve import X_UNITS, Curve, Points
from tui.charts.braille.view import CLOSEST, ChartView

WHOLE = 60.0
moves = st.lists(
    st.tuples(st.just("zoom"), st.floats(0.1, 10))
    | st.tuples(st.just("pan"), st.floats(-3, 3))
    | st.tuples(st.just("point"), st.floats(-100, 100)),
    max_size=30,
)


@given(moves)
def test_whatever_is_done_something_of_the_whole_is_in_sight(
    steps: list[tuple[str, float]],
) -> None:
    view = ChartView()
    for what, by in steps:
        if what == "zoom":
            view = view.zoomed(WHOLE, by)
        elif what == "pan":
            view = view.panned(WHOLE, by)
        else:
            view = view.pointed(WHOLE, by)
        low, high = view.part(WHOLE)
        assert -1e-9 <= low < high <= WHOLE * (1 + 1e-9)
        assert high - low >= WHOLE * CLOSEST * (1 - 1e-9)
        if what == "point":
            assert view.cursor is not None
            assert low - 1e-9 <= view.cursor <= high + 1e-9


def test_zooming_keeps_the_cursor_where_it_is_and_comes_back_to_all() -> None:
    view = ChartView(cursor=15.0).zoomed(WHOLE, 2)
    assert view.window == (7.5, 37.5)
    assert view.tags(WHOLE) == ["×2"]
    assert view.zoomed(WHOLE, 0.5).window is None


def test_another_unit_shows_the_same_part_and_moment() -> None:
    curve = Curve()
    curve.extend(Points.of((e, e * 40.0, e * 3.0, 1.0) for e in range(1, 61)))
    view = ChartView("epoch", window=(10.0, 20.0), cursor=15.0)
    for _ in X_UNITS:
        view = view.next_unit(curve)
        if view.unit == "step":
            assert (view.window, view.cursor) == ((400.0, 800.0), 600.0)
        if view.unit == "time":
            assert (view.window, view.cursor) == ((30.0, 60.0), 45.0)
    assert view.unit == "epoch"
    assert view.window == pytest.approx((10.0, 20.0))


def test_the_title_says_how_the_curves_are_looked_at() -> None:
    drawn = chart()
    add(drawn, {"epoch": points((float(e), 8 - e / 8) for e in range(1, 41))})
    assert lines(drawn, 70, 14)[0].rstrip() == "Loss  epoch 3.0000  step –"
    drawn.look(ChartView("epoch", 0.9, True, (10.0, 20.0), 16.2))
    text = lines(drawn, 70, 14)
    assert text[0].startswith("Loss log ema.9 ×5  epoch 6.6701 (6.0000)")
    assert "16.2" in text[-1]
    assert sum("│" in line[10:] for line in text) > 6


def test_a_cursor_beyond_a_curve_has_no_figure() -> None:
    drawn = chart()
    add(drawn, {"epoch": points((float(e), 8.0) for e in range(1, 41)), "step": points([(1, 2.0)])})
    drawn.look(ChartView(cursor=30.0))
    assert lines(drawn, 70, 14)[0].rstrip() == "Loss  epoch 8.0000  step –"


def test_smoothing_lies_over_the_faint_curve() -> None:
    drawn = chart()
    add(drawn, {"epoch": points((float(e), float(e % 2)) for e in range(1, 41))})
    plain = drawn.draw(60, 16)
    drawn.look(ChartView(smoothing=0.9))
    styles = [{style for _, style in line} for line in drawn.draw(60, 16)[1:-2]]
    assert {"bold"} <= {style for line in plain for _, style in line}
    assert any("bold" in row for row in styles)
    assert any("bold dim" in row for row in styles)


def test_what_is_smoothed_doesnt_depend_on_where_the_picture_begins() -> None:
    drawn = chart()
    add(drawn, {"step": points((x / 10 + 0.05, float(x % 7)) for x in range(400))})
    trace = drawn.traces[0]
    whole = dict(trace.smoothed("epoch", 0.0, 40.0, 400, 0.6))
    part = dict(trace.smoothed("epoch", 20.0, 30.0, 100, 0.6))
    assert part[50] == pytest.approx(whole[250], rel=1e-3)


def test_zoomed_between_two_points_the_line_is_still_there() -> None:
    drawn = chart()
    add(drawn, {"epoch": points([(1.0, 1.0), (10.0, 10.0)])})
    drawn.look(ChartView(window=(4.0, 6.0)))
    text = lines(drawn, 40, 12)
    assert sum(any("⠀" < c <= "⣿" for c in line) for line in text) >= 7

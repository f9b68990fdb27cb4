"""The braille canvas, and the reduction of curves to columns of dots."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.canvas import Canvas, dot_columns

points = st.lists(
    st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), max_size=60
).map(lambda found: sorted(found, key=lambda point: point[0]))  # fmt: skip


def picture(canvas: Canvas) -> list[str]:
    return ["".join(text for text, _ in canvas.line(y)) for y in range(canvas.height)]


@given(points, st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(0, 80))
def test_columns_keep_the_extremes_of_what_is_in_sight(
    curve: list[tuple[float, float]], start: float, end: float, columns: int
) -> None:
    xs, ys = [x for x, _ in curve], [y for _, y in curve]
    found = dot_columns(xs, ys, start, end, columns)
    if not columns or end <= start:
        assert found == []
        return
    shown = [y for x, y in curve if start <= x <= end]
    assert bool(found) == bool(shown)
    if shown:
        assert max(column.high for column in found) == max(shown)
        assert min(column.low for column in found) == min(shown)
        assert (found[0].first, found[-1].last) == (shown[0], shown[-1])
    numbers = [column.column for column in found]
    assert numbers == sorted(set(numbers))
    assert all(0 <= number < columns for number in numbers)


@given(points, st.integers(0, 30), st.integers(0, 12), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_any_curve_can_be_drawn(
    curve: list[tuple[float, float]], width: int, height: int, low: float, high: float
) -> None:
    canvas = Canvas(width, height)
    columns = dot_columns([x for x, _ in curve], [y for _, y in curve], -1e6, 1e6, canvas.columns)
    canvas.curve(columns, low, high, "red")
    canvas.upright(3, "┊", "dim")
    canvas.mark(2, 2, "◆", "bold")
    assert [len(line) for line in picture(canvas)] == [width] * height


def test_dots_are_where_they_belong() -> None:
    canvas = Canvas(2, 1)
    canvas.run(0, 0, 0, "a")
    assert picture(canvas) == ["⠁ "]
    canvas.run(0, 0, 3, "a")
    assert picture(canvas) == ["⡇ "]
    canvas.run(3, 3, 9, "a")
    assert picture(canvas) == ["⡇⢀"]


def test_a_straight_line_is_joined() -> None:
    canvas = Canvas(4, 2)
    columns = dot_columns([0.0, 8.0], [0.0, 7.0], 0.0, 8.0, 8)
    canvas.curve(columns, 0.0, 7.0, "a")
    assert picture(canvas) == ["  ⡠⠊", "⡠⠊  "]


def test_a_later_curve_takes_the_cell() -> None:
    canvas = Canvas(2, 1)
    canvas.run(0, 0, 3, "band")
    canvas.run(1, 0, 3, "band")
    canvas.run(2, 0, 3, "band")
    canvas.run(0, 1, 1, "line")
    assert canvas.line(0) == [("⠂", "line"), ("⡇", "band")]


def test_marks_stand_before_uprights_and_curves_too() -> None:
    canvas = Canvas(3, 2)
    canvas.run(2, 0, 0, "curve")
    canvas.upright(2, "┊", "dim")
    assert picture(canvas) == [" ⠁ ", " ┊ "]
    canvas.mark(2, 5, "◆", "best")
    assert canvas.line(1) == [(" ◆ ", "best")]


def test_ten_thousand_points_take_about_a_millisecond() -> None:
    xs = [float(i) for i in range(10_000)]
    ys = [(i * 7919) % 1000 / 1000 for i in range(10_000)]
    taken = []
    for _ in range(9):
        start = time.perf_counter()
        canvas = Canvas(60, 16)
        canvas.curve(dot_columns(xs, ys, 0, 10_000, canvas.columns), 0, 1, "a")
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.008

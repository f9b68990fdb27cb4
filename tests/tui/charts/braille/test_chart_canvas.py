"""The braille canvas, and the reduction of curves to columns of dots."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.charts.braille.axis import Axis
from tui.charts.braille.canvas import Canvas
from tui.charts.braille.dots import BLOCK, Blocks, DotColumn, dot_columns, smoothed
from tui.charts.braille.trace import Piece, draw_piece

points = st.lists(
    st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), max_size=60
).map(lambda found: sorted(found, key=lambda point: point[0]))  # fmt: skip


def reduced(
    xs: list[float], ys: list[float], start: float, end: float, columns: int
) -> list[DotColumn]:
    blocks = Blocks()
    blocks.extend(ys)
    return dot_columns(xs, ys, blocks, start, end, columns)


def draw(canvas: Canvas, xs: list[float], ys: list[float], x: Axis, y: Axis) -> None:
    columns = reduced(xs, ys, x.low, x.high, canvas.columns)
    scale = (canvas.rows - 1) / (y.high - y.low)

    def row(figure: float) -> int:
        return int((y.high - figure) * scale + 0.5)

    draw_piece(canvas, Piece(columns, None, None), ys, row, "a")


def picture(canvas: Canvas) -> list[str]:
    return ["".join(text for text, _ in canvas.line(y)) for y in range(canvas.height)]


@given(points, st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(0, 80))
def test_columns_keep_the_extremes_of_what_is_in_sight(
    curve: list[tuple[float, float]], start: float, end: float, columns: int
) -> None:
    xs, ys = [x for x, _ in curve], [y for _, y in curve]
    found = reduced(xs, ys, start, end, columns)
    if not columns or end <= start:
        assert found == []
        return
    shown = [y for x, y in curve if start <= x <= end]
    assert bool(found) == bool(shown)
    if shown:
        assert max(high for *_, high in found) == max(shown)
        assert min(low for *_, low, _ in found) == min(shown)
        assert (ys[found[0][1]], ys[found[-1][2] - 1]) == (shown[0], shown[-1])
    numbers = [column for column, *_ in found]
    assert numbers == sorted(set(numbers))
    assert all(0 <= number < columns for number in numbers)


@given(st.integers(1, 40), st.integers(0, 400), st.integers(1, 60))
def test_blocks_change_nothing(columns: int, first: int, spread: int) -> None:
    ys = [float((index * 7919 + first) % 997) for index in range(25 * BLOCK + first % BLOCK)]
    xs = [float(index // spread) for index in range(len(ys))]
    end = xs[-1] + 1.0
    with_blocks = reduced(xs, ys, 1.0, end, columns)
    assert with_blocks == dot_columns(xs, ys, Plain(ys), 1.0, end, columns)
    for column in with_blocks:
        part = ys[column[1] : column[2]]
        assert column[3:] == (min(part), max(part))


class Plain(Blocks):
    """Blocks found out by looking at every point."""

    def __init__(self, ys: list[float]) -> None:
        super().__init__()
        for start in range(0, len(ys), BLOCK):
            block = ys[start : start + BLOCK]
            self.extremes += [sorted(block)[0], sorted(block)[-1]]


def test_smoothing_is_the_average_over_points_while_they_are_few() -> None:
    xs, ys = [0.0, 1.0, 2.0, 3.0], [8.0, 4.0, 6.0, 2.0]
    blocks = Blocks()
    blocks.extend(ys)
    line = smoothed(reduced(xs, ys, 0, 4, 8), ys, blocks, 0.5)
    assert [column for column, _ in line] == [0, 2, 4, 6]
    expected, total, norm = [], 0.0, 0.0
    for y in ys:
        total, norm = total / 2 + y, norm / 2 + 1
        expected.append(total / norm)
    assert [y for _, y in line] == expected


def test_smoothing_many_points_takes_the_mean_of_a_column() -> None:
    ys = [float(index % 2) for index in range(64 * BLOCK)]
    xs = [float(index) for index in range(len(ys))]
    blocks = Blocks()
    blocks.extend(ys)
    line = smoothed(reduced(xs, ys, 0, len(xs), 8), ys, blocks, 0.9)
    assert all(abs(y - 0.5) < 1e-9 for _, y in line)


@given(points, st.integers(0, 30), st.integers(0, 12))
def test_any_curve_can_be_drawn(curve: list[tuple[float, float]], width: int, height: int) -> None:
    canvas = Canvas(width, height)
    xs, ys = [x for x, _ in curve], [y for _, y in curve]
    draw(canvas, xs, ys, Axis(-1e6, 1e6, 1.0), Axis(-1e5, 1e4, 1.0))
    canvas.upright(3, "┊", "dim")
    canvas.mark(2, 2, "◆", "bold")
    assert [len(line) for line in picture(canvas)] == [width] * height


def test_dots_are_where_they_belong() -> None:
    canvas = Canvas(2, 1)
    canvas.curve([(0, 0, 0)], (), "a")
    assert picture(canvas) == ["⠁ "]
    canvas.curve([(0, 0, 3)], (), "a")
    assert picture(canvas) == ["⡇ "]
    canvas.curve([(3, 3, 9)], (), "a")
    assert picture(canvas) == ["⡇⢀"]


def test_a_straight_line_is_joined() -> None:
    canvas = Canvas(4, 2)
    draw(canvas, [0.0, 8.0], [0.0, 7.0], Axis(0.0, 8.0, 1.0), Axis(0.0, 7.0, 1.0))
    assert picture(canvas) == ["  ⡠⠊", "⡠⠊  "]


def test_a_later_curve_takes_the_cell() -> None:
    canvas = Canvas(2, 1)
    canvas.curve([(0, 0, 3)], (), "band")
    canvas.curve([(1, 0, 3)], (), "band")
    canvas.curve([(2, 0, 3)], (), "band")
    canvas.curve([(0, 1, 1)], (), "line")
    assert canvas.line(0) == [("⠂", "line"), ("⡇", "band")]


def test_marks_stand_before_uprights_and_curves_too() -> None:
    canvas = Canvas(3, 2)
    canvas.curve([(2, 0, 0)], (), "curve")
    canvas.upright(2, "┊", "dim")
    assert picture(canvas) == [" ⠁ ", " ┊ "]
    canvas.mark(2, 5, "◆", "best")
    assert canvas.line(1) == [(" ◆ ", "best")]


def test_a_line_that_leaves_the_picture_is_drawn_to_its_edge() -> None:
    canvas = Canvas(4, 1)
    canvas.curve([(1, 1, 1)], [(-3, 1, 1, 1), (1, 1, 40, 1)], "a")
    assert picture(canvas) == ["⠒⠒⠒⠒"]


def test_strokes_of_neighbouring_columns_touch() -> None:
    canvas = Canvas(1, 2)
    canvas.curve([(0, 0, 0), (1, 6, 7)], [], "a")
    assert picture(canvas) == ["⢱", "⢸"]

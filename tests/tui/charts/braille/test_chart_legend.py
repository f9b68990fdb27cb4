"""The legend: values of what is drawn, colours that stay, and what gives way in a narrow one."""

from __future__ import annotations

import math
import random

import pytest
from chart_points import add, chart, lines, points
from hypothesis import given
from hypothesis import strategies as st

from tui.charts.braille.canvas import DOTS_ACROSS
from tui.charts.braille.title import Named, title_line
from tui.charts.braille.view import ChartView
from tui.charts.specs import CHARTS
from tui.widgets.lines import line_length


@pytest.mark.parametrize("weight", [0.6, 0.9])
@pytest.mark.parametrize("count", [40, 4_000])
@pytest.mark.parametrize("window", [None, (10.0, 20.0)])
def test_the_legend_has_the_value_of_the_smoothed_curve_and_in_brackets_the_raw_one(
    weight: float, count: int, window: tuple[float, float] | None
) -> None:
    chance = random.Random(1)
    drawn = chart()
    values = [(40 * (x + 1) / count, math.exp(-x / count) + chance.gauss(0, 0.1))
              for x in range(count)]  # fmt: skip
    add(drawn, {"epoch": points(values)})
    for cursor in (None, 12.0, 15.3, 20.0):
        drawn.look(ChartView(smoothing=weight, window=window, cursor=cursor))
        drawn.draw(80, 16)
        assert drawn.plot is not None
        axis, trace = drawn.plot.axis, drawn.traces[1]
        at = min(cursor if cursor is not None else 40.0, axis.high)
        x, y = min(values, key=lambda value: abs(value[0] - at))
        columns = drawn.plot.width * DOTS_ACROSS
        line = dict(trace.smoothed("epoch", axis.low, axis.high, columns, weight))
        column = int(axis.share(x) * columns)
        named = drawn.values()[1]
        assert float(named.raw) == pytest.approx(y, abs=1e-4)
        near = [line[each] for each in range(column - 1, column + 2) if each in line]
        assert any(float(named.value) == pytest.approx(each, abs=1e-4) for each in near)


def test_without_smoothing_there_is_one_value() -> None:
    drawn = chart()
    add(drawn, {"epoch": points((float(e), 8 - e / 2) for e in range(1, 9))})
    assert lines(drawn, 60, 14)[0].rstrip() == "Loss  epoch 4.0000  step –"


def test_a_curve_keeps_its_colour_and_shares_it_with_no_other_kind() -> None:
    drawn = chart()
    add(drawn, {"step": points((float(e), e % 3) for e in range(1, 40))})
    for smoothing, style in ((0.0, "dim dim"), (0.9, "dim")):
        assert drawn.traces[0].raw_style(smoothing) == "dim dim"
        assert drawn.traces[0].look(smoothing) == style
    names = {"step", "Recall", "test"}
    of_name = {name: {s.style for spec in CHARTS for s in spec.sources if s.name == name}
               for name in names}  # fmt: skip
    for name, styles in of_name.items():
        others = {s.style for spec in CHARTS for s in spec.sources if s.name != name}
        assert len(styles) == 1
        assert not styles & others


NAMED = [
    Named("NDCG", "1", "0.0188", "0.0190"),
    Named("Recall", "2", "0.1764", "0.1770"),
    Named("test", "3", "0.0823", "0.0831"),
]


def text(width: int) -> str:
    return "".join(span for span, _ in title_line("Validation", ["ema.9"], NAMED, width))


def test_the_least_important_gives_way_and_it_is_said() -> None:
    head = "Validation ema.9"
    assert text(90) == f"{head}  NDCG 0.0188 (0.0190)  Recall 0.1764 (0.1770)  test 0.0823 (0.0831)"
    assert text(60) == f"{head}  NDCG 0.0188  Recall 0.1764  test 0.0823"
    assert text(50) == f"{head}  NDCG 0.0188  Recall 0.1764  +1"
    assert text(36) == f"{head}  NDCG 0.0188  +2"
    assert text(20) == f"{head}  +3"
    assert text(19) == head


@given(st.integers(0, 120), st.integers(0, 8))
def test_a_legend_of_any_width_names_the_most_important_first(width: int, count: int) -> None:
    curves = [Named(f"GPU {number}", "", "97.3", "96.1") for number in range(count)]
    line = title_line("GPU utilization, %", [], curves, width)
    shown = "".join(span for span, _ in line)
    named = [curve for curve in curves if f"{curve.name} " in shown]
    assert named == curves[: len(named)]
    if named and len(named) < count:
        assert shown.endswith(f"+{count - len(named)}")
    assert line_length(line) <= max(width, len("GPU utilization, %"))

"""The chart: whatever the points, and no more repainted than changed."""

from __future__ import annotations

import math
import random
import time

import pytest
from chart_points import add, chart, lines, moment, points
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from live_lines import Stage, screen_text

from tui.charts.braille.chart import Chart
from tui.charts.braille.curve import LIMIT, X_UNITS, Curve
from tui.charts.braille.trace import Trace
from tui.charts.braille.view import ChartView
from tui.widgets.lines import Line, line_length

anything = st.floats() | st.none()
epochs = st.floats(0, 2.0**63) | st.none()
pairs = st.lists(st.tuples(st.floats(min_value=0) | st.floats(), anything), max_size=40)
views = st.builds(
    ChartView,
    st.sampled_from(X_UNITS),
    st.sampled_from((0.0, 0.6, 0.9)),
    st.booleans(),
    st.none() | st.tuples(st.floats(0, 1e9), st.floats(1e-3, 1e9)).map(lambda w: (w[0], sum(w))),
    st.none() | st.floats(0, 1e12),
)


@settings(max_examples=examples(200))
@given(pairs, pairs, st.integers(1, 90), st.integers(1, 30), epochs, epochs, views)
def test_any_points_in_any_size_can_be_drawn(
    first: list[tuple[float, float | None]],
    second: list[tuple[float, float | None]],
    width: int,
    height: int,
    best: float | None,
    end: float | None,
    view: ChartView,
) -> None:
    drawn = chart()
    drawn.look(view)
    for piece in (first, second):
        add(drawn, {"step": points(piece), "epoch": points(second)})
        drawn.mark(None if best is None else moment(best), None if end is None else moment(end))
        picture = drawn.draw(width, height)
        assert picture
        if width >= 30 and height >= 5:
            assert all(line_length(line) <= width for line in picture)
            assert len(picture) <= height


def test_before_the_first_step_x_is_an_epoch_long() -> None:
    drawn = chart()
    add(drawn, {"epoch": points([(0.0, 43.0)])})
    drawn.mark(None, moment(0.0))
    assert drawn.draw(60, 14)
    assert drawn.plot is not None
    assert drawn.plot.axis.high == 1.0


def test_it_shows_title_newest_figures_axes_and_best_epoch() -> None:
    drawn = chart()
    add(drawn, {"epoch": points((float(e), 8 - e / 2) for e in range(1, 9))})
    drawn.mark(moment(6.0), moment(8.0))
    text = lines(drawn, 60, 14)
    assert text[0].startswith("Loss  epoch 4.0000")
    assert [line.split("┤")[0].strip() for line in text if "┤" in line] == ["8", "6", "4"]
    assert text[-1].split() == ["0", "2", "4", "6", "epoch"]
    assert sum("◆" in line for line in text) == 1


def test_it_says_what_it_waits_for() -> None:
    drawn = chart()
    drawn.waiting = "waiting for its turn"
    assert "waiting for its turn" in "".join(lines(drawn, 40, 9))


def xs(curve: Curve) -> list[float]:
    return list(curve.xs("epoch"))


def test_a_resumed_attempt_replaces_what_it_did_again() -> None:
    curve = Curve()
    curve.extend(points([(1, 5.0), (2, 9.0), (3, 3.0)]))
    curve.extend(points([(2, 4.0)]))
    assert (xs(curve), curve.ys) == ([1, 2], [5.0, 4.0])
    assert list(curve.xs("step")) == [10, 20]


def test_figures_that_are_none_leave_a_curve_as_it_is() -> None:
    curve = Curve()
    curve.extend(points([(1, math.nan), (2, 1.0), (3, math.inf), (4, None), (math.nan, 1.0)]))
    curve.extend(points([(5, 1e200)]))
    assert (xs(curve), curve.ys) == ([2], [1.0])


@pytest.mark.parametrize("size", [100, 7_000])
def test_a_long_run_keeps_its_spikes_in_bounded_memory(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = LIMIT // 10
    monkeypatch.setattr("tui.charts.braille.curve.LIMIT", most)
    curve = Curve()
    chance = random.Random(1)
    for start in range(0, 70_000, size):
        curve.extend(points((float(x), 100.0 if x == 7_777 else chance.random())
                            for x in range(start, start + size)))  # fmt: skip
        assert len(curve.ys) <= most
    assert max(curve.ys) == max(curve.blocks.extremes) == 100.0
    assert xs(curve) == sorted(xs(curve))
    assert curve.xs("epoch")[-1] == 69_999


def test_a_hundred_thousand_points_are_drawn_quickly() -> None:
    drawn = chart()
    add(drawn, {"step": points((x / 100, math.sin(x / 50)) for x in range(100_000))})
    taken = []
    for _ in range(9):
        drawn.show([Trace(trace.curve, trace.name, trace.style) for trace in drawn.traces])
        start = time.thread_time()
        drawn.draw(120, 20)
        taken.append(time.thread_time() - start)
    assert min(taken) < 0.005


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_points_that_come_piece_by_piece_look_as_if_all_had_come_at_once(
    size: tuple[int, int],
) -> None:
    chance = random.Random(7)
    values = [(float(e), 8 * math.exp(-e / 9) + chance.gauss(0, 0.2)) for e in range(1, 60)]
    pieces, whole = chart(), chart()
    async with Stage(pieces).run_test(size=size) as pilot:
        for e in range(len(values)):
            add(pieces, {"epoch": points(values[e : e + 1])})
            pieces.mark(moment(float(max(1, e - 3))), None)
            await pilot.pause()
        shown = screen_text(pilot.app)
        pieces.refresh()
        await pilot.pause()
        assert screen_text(pilot.app) == shown
    async with Stage(whole).run_test(size=size) as pilot:
        add(whole, {"epoch": points(values)})
        whole.mark(moment(float(len(values) - 4)), None)
        await pilot.pause()
        assert len(screen_text(pilot.app)) == len(shown)


async def test_one_more_point_repaints_a_few_cells() -> None:
    drawn = chart()
    async with Stage(drawn).run_test(size=(100, 30)) as pilot:
        add(drawn, {"epoch": points((float(e), 8 * math.exp(-e / 9)) for e in range(1, 40))})
        await pilot.pause()
        add(drawn, {"epoch": points([(40.0, 8 * math.exp(-40 / 9))])})
        cells = sum(region.area for region in drawn._repaint_regions)
        assert 0 < cells < 60


class DrawnChart(Chart):
    """A chart that counts how often it is drawn."""

    drawn = 0

    def draw(self, width: int, height: int) -> list[Line]:
        self.drawn += 1
        return super().draw(width, height)


async def test_only_what_can_be_seen_is_drawn_again() -> None:
    epoch = Curve()
    shown = DrawnChart("Loss", [Trace(epoch, "epoch", "bold", marked=True)])
    epoch.extend(points((float(e), 8 - e / 10) for e in range(1, 20)))
    async with Stage(shown).run_test(size=(100, 30)) as pilot:
        shown.mark(moment(3.0), None, moment(19.2))
        await pilot.pause()
        drawn = shown.drawn
        shown.mark(moment(3.0), None, moment(19.4))
        assert shown.drawn == drawn
        for more, best, end, reach in (
            ([(20.0, 6.0)], 3.0, None, 20.0),  # another point
            ([(20.0, 5.0)], 3.0, None, 20.0),  # another in its place
            ([], 4.0, None, 20.0),
            ([], 4.0, None, 70.0),  # the axis widens
            ([], 4.0, 70.0, 70.0),
        ):
            drawn = shown.drawn
            epoch.extend(points(more))
            shown.mark(moment(best), None if end is None else moment(end), moment(reach))
            assert shown.drawn == drawn + 1
        shown.display = False
        await pilot.pause()
        drawn = shown.drawn
        shown._repaint_regions.clear()
        epoch.extend(points([(71.0, 3.25)]))
        shown.mark(moment(4.0), moment(71.0), moment(71.0))
        assert (shown.drawn, shown._repaint_regions) == (drawn, set())
        shown.display = True
        await pilot.pause()
        assert "3.2500" in screen_text(pilot.app)[0]


def test_a_trace_with_a_sign_has_it_at_each_point_no_line_and_no_name() -> None:
    curve = Curve()
    curve.extend(points([(1, 0.1), (5, 0.9), (9, 0.5)]))
    drawn = Chart("Best", [Trace(curve, "points", "bold", sign="△")])
    text = lines(drawn, 60, 14)
    assert sum(line.count("△") for line in text) == 3
    assert not any(0x2800 < ord(character) < 0x2900 for line in text for character in line)
    assert text[0].strip() == "Best"

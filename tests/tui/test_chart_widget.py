"""The chart: whatever the points, and no more repainted than changed."""

from __future__ import annotations

import math
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_lines import Stage, screen_text

from tui.widgets.chart import Chart
from tui.widgets.curve import LIMIT, Curve
from tui.widgets.lines import line_length

anything = st.floats() | st.none()
epochs = st.floats(0, 2.0**63) | st.none()
points = st.lists(st.tuples(st.floats(), anything), max_size=40)


def chart() -> Chart:
    return Chart("Loss", [("step", "dim"), ("epoch", "bold")], marked="epoch")


@settings(max_examples=200)
@given(points, points, st.integers(1, 90), st.integers(1, 30), epochs, epochs)
def test_any_points_in_any_size_can_be_drawn(
    first: list[tuple[float, float | None]],
    second: list[tuple[float, float | None]],
    width: int,
    height: int,
    best: float | None,
    end: float | None,
) -> None:
    drawn = chart()
    for piece in (first, second):
        drawn.add({"step": piece, "epoch": second}, best=best, end=end)
        lines = drawn.draw(width, height)
        assert lines
        if width >= 30 and height >= 5:
            assert all(line_length(line) <= width for line in lines)
            assert len(lines) <= height


def test_it_shows_title_newest_figures_axes_and_best_epoch() -> None:
    drawn = chart()
    drawn.add({"epoch": [(float(e), 8 - e / 2) for e in range(1, 9)]}, best=6.0, end=8.0)
    text = ["".join(text for text, _ in line) for line in drawn.draw(60, 14)]
    assert text[0].startswith("Loss  epoch 4.0000")
    assert [line.split("┤")[0].strip() for line in text if "┤" in line] == ["7", "6", "5", "4"]
    assert text[-1].split() == ["0", "2", "4", "6", "epoch"]
    assert sum("◆" in line for line in text) == 1


def test_it_says_what_it_waits_for() -> None:
    drawn = chart()
    drawn.waiting = "waiting for its turn"
    assert "waiting for its turn" in "".join(text for line in drawn.draw(40, 9) for text, _ in line)


def test_a_resumed_attempt_replaces_what_it_did_again() -> None:
    curve = Curve("loss", "")
    curve.extend([(1, 5.0), (2, 9.0), (3, 3.0)])
    curve.extend([(2, 4.0)])
    assert (curve.xs, curve.ys) == ([1, 2], [5.0, 4.0])
    assert (curve.low, curve.high) == (4.0, 5.0)


def test_figures_that_are_none_leave_a_curve_as_it_is() -> None:
    curve = Curve("loss", "")
    curve.extend([(1, math.nan), (2, 1.0), (3, math.inf), (4, None), (math.nan, 1.0), (5, 1e200)])
    assert (curve.xs, curve.ys) == ([2], [1.0])


def test_a_long_run_keeps_its_spikes_in_bounded_memory() -> None:
    curve = Curve("loss", "")
    chance = random.Random(1)
    for start in range(0, 200_000, 1000):
        curve.extend((float(x), 100.0 if x == 77_777 else chance.random())
                     for x in range(start, start + 1000))  # fmt: skip
        assert len(curve.xs) <= LIMIT + 1000
    assert max(curve.ys) == 100.0
    assert curve.xs == sorted(curve.xs)
    assert curve.xs[-1] == 199_999


def test_ten_thousand_points_are_drawn_quickly() -> None:
    drawn = chart()
    drawn.add({"step": [(x / 100, math.sin(x / 50)) for x in range(10_000)]})
    drawn.draw(60, 16)
    taken = []
    for _ in range(9):
        start = time.perf_counter()
        drawn.draw(60, 16)
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.010


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_points_that_come_piece_by_piece_look_as_if_all_had_come_at_once(
    size: tuple[int, int],
) -> None:
    chance = random.Random(7)
    values = [(float(e), 8 * math.exp(-e / 9) + chance.gauss(0, 0.2)) for e in range(1, 60)]
    pieces, whole = chart(), chart()
    async with Stage(pieces).run_test(size=size) as pilot:
        for e in range(len(values)):
            pieces.add({"epoch": values[e : e + 1]}, best=float(max(1, e - 3)))
            await pilot.pause()
        shown = screen_text(pilot.app)
        pieces.refresh()
        await pilot.pause()
        assert screen_text(pilot.app) == shown
    async with Stage(whole).run_test(size=size) as pilot:
        whole.add({"epoch": values}, best=float(len(values) - 4))
        await pilot.pause()
        assert len(screen_text(pilot.app)) == len(shown)


async def test_one_more_point_repaints_a_few_cells() -> None:
    drawn = chart()
    async with Stage(drawn).run_test(size=(100, 30)) as pilot:
        drawn.add({"epoch": [(float(e), 8 * math.exp(-e / 9)) for e in range(1, 40)]})
        await pilot.pause()
        drawn.add({"epoch": [(40.0, 8 * math.exp(-40 / 9))]})
        cells = sum(region.area for region in drawn._repaint_regions)
        assert 0 < cells < 60

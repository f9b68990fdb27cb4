"""The scatter plot: its points, the Pareto front, the cursor, the axes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from comparing import comparing
from measured_runs import MeasuredStore, filled_store
from pilots import settled, wait_for
from textual.widgets import OptionList, Static

from engine.analysis.columns.definitions import Column
from engine.analysis.columns.offered import column_named
from engine.analysis.scatter import Scatter, scatter
from engine.store.compare.comparison import comparison
from engine.store.compare.grouping import Choice
from engine.store.connect import connect_reader
from engine.store.database import fetch
from tui.app import SeqbenchApp
from tui.compare.scatter.plot import COLORS, FILLED, HOLLOW, ScatterPlot
from tui.compare.scatter.screen import AxisScreen, ScatterScreen
from tui.compare.screen import CompareScreen
from tui.run.screen import RunScreen

TIME, NDCG, LOSS = (
    column_named("EpochTime"),
    column_named("NDCG@10/test"),
    column_named("Loss/train (per target)"),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> MeasuredStore:
    store, _ = filled_store(tmp_path_factory.mktemp("scatter"))
    store.add("bert4rec", dataset="ml-1m", seed=1)
    store.add("xlstm", dataset="ml-1m", seed=1)
    return store


def points_of(
    store: MeasuredStore, x: Column, y: Column, filter_: str = "", **size: int
) -> Scatter:
    across, down = size.get("across", 5000), size.get("down", 5000)
    with closing(connect_reader(store.location)) as con:
        return scatter(con, Choice(filter_), x, y, across, down)


def dominated(one: tuple[Any, ...], others: list[tuple[Any, ...]], x: Column, y: Column) -> bool:
    """Whether another run of its data set is as good in both figures and better in one."""
    signs = [1 if end.better == "higher" else -1 for end in (x, y)]

    def gains(other: tuple[Any, ...]) -> list[float]:
        return [sign * (other[2 + i] - one[2 + i]) for i, sign in enumerate(signs)]

    return any(
        other[1] == one[1] and min(gains(other)) >= 0 and max(gains(other)) > 0 for other in others
    )


@pytest.mark.parametrize(("x", "y"), [(TIME, NDCG), (NDCG, TIME), (LOSS, TIME), (NDCG, LOSS)])
def test_the_front_is_what_nothing_beats(shared: MeasuredStore, x: Column, y: Column) -> None:
    found = points_of(shared, x, y)
    with closing(connect_reader(shared.location)) as con:
        sql = f"SELECT r.id, r.dataset, s.{x.source}, s.{y.source} FROM runs r JOIN summaries s"
        rows = [tuple(row) for row in fetch(con, f"{sql} ON s.run = r.id WHERE state = 'done'")]
    best = {row[0] for row in rows if not dominated(row, rows, x, y)}
    front = {point.run for point in found.points if point.front}
    assert front == best
    assert {point.dataset for point in found.points if point.front} == {"ml-100k", "ml-1m"}
    assert found.runs == len(rows) == 21
    assert sum(point.count for point in found.points) == 21


def test_coarse_places_gather_runs_and_lose_none(shared: MeasuredStore) -> None:
    found = points_of(shared, TIME, NDCG, across=3, down=3)
    others = [point for point in found.points if not point.front]
    fine = points_of(shared, TIME, NDCG)
    assert {p for p in found.points if p.front} == {p for p in fine.points if p.front}
    assert max(point.count for point in others) > 1
    assert (found.low, found.high) == (fine.low, fine.high)


def test_a_setting_is_an_axis(shared: MeasuredStore) -> None:
    found = points_of(shared, column_named("lr"), NDCG)
    with closing(connect_reader(shared.location)) as con:
        rates = dict(comparison(con, ["id", "lr"], "id", False))
    assert found.runs == 21
    assert {point.run: point.x for point in found.points} == {
        point.run: rates[point.run] for point in found.points
    }
    assert {point.x for point in found.points} == {0.001, 0.002}


def test_the_filter_holds_and_nothing_is_nothing(shared: MeasuredStore) -> None:
    found = points_of(shared, TIME, NDCG, "model:xlstm dataset:ml-100k")
    assert {(point.model, point.dataset) for point in found.points} == {("xlstm", "ml-100k")}
    assert points_of(shared, TIME, NDCG, "state:failed").points == ()
    assert points_of(shared, column_named("GPU/Memory(MiB)"), NDCG).runs == 0


@pytest.fixture
def measured(tmp_path: Path) -> MeasuredStore:
    return filled_store(tmp_path)[0]


async def plotting(app: SeqbenchApp, pilot: Any) -> ScatterPlot:
    await pilot.press("p")
    await wait_for(
        pilot,
        lambda: isinstance(app.screen, ScatterScreen) and app.screen.plot.point is not None,
        "points",
    )
    await settled(pilot)
    return app.screen.query_one(ScatterPlot)


def drawn(plot: ScatterPlot) -> str:
    return "\n".join(plot.render_line(y).text for y in range(plot.size.height))


async def test_every_run_has_a_mark_and_the_cursor_names_it(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        plot = await plotting(app, pilot)
        picture = drawn(plot)
        marks = sum(picture.count(mark) for mark in HOLLOW + FILLED)
        assert 15 <= marks <= 19  # some may lie in one cell
        front = [point for point in plot._content.points if point.front]
        assert sum(picture.count(mark) for mark in FILLED) == len(front)
        assert "EpochTime ↓" in picture
        assert "NDCG@10/test ↑" in picture
        named = str(app.screen.query_one("#point", Static).content)
        assert plot.point is not None
        assert plot.point.run in named
        assert "on the Pareto front" in named
        legend = str(app.screen.query_one("#legend", Static).content)
        assert "sasrec" in legend
        assert f"({len(front)})" in legend


def test_many_models_are_told_apart() -> None:
    plot = ScatterPlot()
    models = [f"model-{number:02}" for number in range(len(HOLLOW) * len(COLORS))]
    plot._models = tuple(models)
    assert len({(plot.mark_of(m, False), plot.style_of(m)) for m in models}) == len(models)


async def test_the_cursor_goes_that_way_and_along_the_front(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        plot = await plotting(app, pilot)
        for key, axis, sign in (("left", "x", -1), ("down", "y", -1), ("up", "y", 1)):
            before = plot.point
            await pilot.press(key)
            assert before is not None
            assert plot.point is not None
            assert sign * (getattr(plot.point, axis) - getattr(before, axis)) > 0
        front = {point.run for point in plot._content.points if point.front}
        seen = set()
        for _ in front:
            await pilot.press("f")
            assert plot.point is not None
            seen.add(plot.point.run)
        assert seen == front
        run = plot.point.run if plot.point else ""
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, RunScreen)
        assert app.screen.run_id == run
        await pilot.press("escape")
        await settled(pilot)
        assert plot.point is not None
        assert plot.point.run == run
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, CompareScreen)


async def test_the_mouse_chooses_the_nearest(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        plot = await plotting(app, pilot)
        await pilot.click(ScatterPlot, offset=(plot.size.width - 2, plot.size.height - 4))
        (x_low, y_low), (x_high, y_high) = plot._content.low, plot._content.high
        assert plot.point is not None
        assert plot.point.x > (x_low + x_high) / 2
        assert plot.point.y < (y_low + y_high) / 2


async def test_axes_are_chosen_and_swapped(measured: MeasuredStore) -> None:
    async with comparing(measured, (80, 24)) as (app, pilot):
        plot = await plotting(app, pilot)
        await pilot.press("x")
        await settled(pilot)
        assert isinstance(app.screen, AxisScreen)
        names = [
            str(option.prompt).strip("✓ ") for option in app.screen.query_one(OptionList).options
        ]
        app.screen.query_one(OptionList).highlighted = names.index("MRR@10/test")
        await pilot.press("enter")
        await wait_for(pilot, lambda: "MRR@10/test ↑" in drawn(plot), "the other axis")
        await pilot.press("s")
        await wait_for(pilot, lambda: drawn(plot).startswith("MRR@10/test"), "swapped")
        await pilot.press("y", "escape", "x")
        await settled(pilot)
        gpu = names.index("GPU/Memory(MiB)")
        app.screen.query_one(OptionList).highlighted = gpu
        await pilot.press("enter")
        await wait_for(pilot, lambda: not plot.display, "no run has it")
        assert "No finished run has both" in str(app.screen.query_one("#empty", Static).content)
        await pilot.press("f", "left", "enter", "escape")
        await settled(pilot)
        assert isinstance(app.screen, CompareScreen)


def test_many_points_are_dots_and_the_front_keeps_its_marks() -> None:
    from engine.analysis.scatter import Point

    points = [
        Point(f"run-{i}-{j}", ("a", "b")[i % 2], "d", float(i), float(j), 1, front=False)
        for i in range(30)
        for j in range(30)
    ]
    points.append(Point("best", "a", "d", 0.0, 29.5, 1, front=True))
    plot = ScatterPlot()
    plot._content = Scatter(tuple(points), 901, (0.0, 0.0), (29.0, 29.5))
    plot._models = ("a", "b")
    text = "\n".join("".join(span for span, _ in line) for line in plot.draw(70, 24))
    assert sum(0x2800 < ord(character) < 0x2900 for character in text) > 300
    assert text.count("●") == 1
    assert not any(mark in text for mark in HOLLOW)

"""What the devices did over the whole run, wherever there are charts."""

from __future__ import annotations

from pathlib import Path

import pytest
from live_app import curves_read, know_the_surroundings, select, show_live
from live_lines import screen_text
from live_runs import LiveStore
from pilots import settled, wait_for
from replayed_run import replayed_run
from textual.pilot import Pilot

from tui.app import SeqbenchApp
from tui.charts.braille.chart import Chart
from tui.charts.charted import ChartedScreen
from tui.charts.screen import ChartScreen
from tui.run.replay.screen import ReplayScreen
from tui.run.screen import RunScreen


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)


def charts(screen: ChartedScreen) -> list[str]:
    """Ids of the charts in sight."""
    return [str(chart.id) for chart in screen.query(Chart) if chart.display]


def text(pilot: Pilot[None]) -> str:
    return "\n".join(screen_text(pilot.app))


async def shown(pilot: Pilot[None], kind: type[ChartedScreen]) -> ChartedScreen:
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, kind), kind.__name__)
    screen = pilot.app.screen
    assert isinstance(screen, ChartedScreen)
    await settled(pilot)
    await curves_read(pilot, screen)
    await pilot.pause()
    return screen


async def test_the_gpu_is_charted_in_every_view(empty_store: LiveStore) -> None:
    run = replayed_run(empty_store, gpu=True)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        live = await show_live(pilot)
        await select(pilot, run)
        assert charts(live)[:3] == ["loss", "valid", "gpu"]
        gpu = live.query_one("#gpu", Chart).curves["GPU"]
        # The whole run, not only what came since the app was opened.
        assert (len(gpu.ys), gpu.xs("time")[0]) == (12, pytest.approx(1.6))
        await pilot.press("c")
        large = await shown(pilot, ChartScreen)
        await pilot.press("g", "g")
        await pilot.pause()
        assert charts(large) == ["gpu"]
        assert f"GPU utilization, %  GPU {gpu.ys[-1]:.0f}" in text(pilot)
        await pilot.press("escape", "enter")
        page = await shown(pilot, RunScreen)
        await pilot.resize_terminal(200, 50)
        await pilot.pause()
        assert {"gpu", "gpu_memory", "power"} <= set(charts(page))
        assert f"GPU idle {100 - sum(gpu.ys) / 12:.0f} % of the time" in text(pilot)
        await pilot.press("R")
        replay = await shown(pilot, ReplayScreen)
        assert "gpu" in charts(replay)
        await pilot.press("k", "k")
        await pilot.pause()
        assert f"GPU utilization, %  GPU {gpu.ys[3]:.0f}" in text(pilot)


async def test_without_a_gpu_nothing_is_said_of_one(empty_store: LiveStore) -> None:
    run = replayed_run(empty_store)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(200, 50)) as pilot:
        live = await show_live(pilot)
        await select(pilot, run)
        assert charts(live) == ["loss", "valid", "grad", "cpu", "ram", "cores"]
        await pilot.press("enter")
        page = await shown(pilot, RunScreen)
        assert charts(page) == charts(live)
        assert "GPU idle" not in text(pilot)
        titles = []
        for _ in range(7):
            await pilot.press("g")
            await pilot.pause()
            titles += charts(page)
        assert titles == [*charts(live), "lr"]


async def test_axes_below_each_other_begin_and_end_alike(empty_store: LiveStore) -> None:
    run = replayed_run(empty_store, gpu=True)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        live = await show_live(pilot)
        await select(pilot, run)
        for keys in ((), ("e",), ("e",), ("l",)):
            await pilot.press(*keys)
            await pilot.pause()
            await pilot.pause()
            plots = [chart.plot for chart in live.query(Chart) if chart.display]
            assert len(plots) == 4
            assert len({plot.left for plot in plots if plot}) == 1
            assert len({plot.axis.high for plot in plots if plot}) == 1

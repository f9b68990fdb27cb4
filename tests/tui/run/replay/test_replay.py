"""Replay: every part of the screen shows the same moment, and nothing that came later."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from live_app import know_the_surroundings, select, show_live
from live_lines import screen_text
from live_runs import LiveStore
from pilots import settled, wait_for
from replayed_run import GAP, replayed_run
from textual.pilot import Pilot

from engine.store.connect import connect_reader
from tui.app import SeqbenchApp
from tui.charts.braille.chart import Chart
from tui.run.replay import reading as replay_reading
from tui.run.replay import screen as replay
from tui.run.replay.reading import read_replay
from tui.run.replay.screen import ReplayScreen
from tui.run.replay.slider import Slider


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)


@asynccontextmanager
async def replaying(
    store: LiveStore, run: str, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[ReplayScreen, Pilot[None]]]:
    app = SeqbenchApp(store.location)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        screen = ReplayScreen(run)
        await app.push_screen(screen)
        await settled(pilot)
        await wait_for(pilot, lambda: screen.charts.view.cursor is not None, "the first moment")
        yield screen, pilot


def shown(screen: ReplayScreen) -> str:
    return "\n".join(screen_text(screen.app))


async def go(screen: ReplayScreen, pilot: Pilot[None], seconds: float) -> str:
    screen.post_message(Slider.Moved(seconds))
    await wait_for(pilot, lambda: screen._at == seconds, "the moment")
    await pilot.pause()
    return shown(screen)


async def test_each_part_shows_the_same_moment(empty_store: LiveStore) -> None:
    run = replayed_run(empty_store)
    async with replaying(empty_store, run) as (screen, pilot):
        first = shown(screen)
        assert "attempt 1 starts on cpu" in first
        assert "epoch   1 " not in first
        assert "n/a" in first
        assert "attempt 1 of 2" in first
        later = await go(screen, pilot, 9.0)
        assert "epoch   2 " in later
        assert "epoch   3 " not in later
        assert "n/a" not in later
        assert all(chart.view.cursor == 9.0 for chart in screen.query(Chart))
        figures = dict(screen.charts.main.figures_at(9.0))  # type: ignore[union-attr]
        assert figures["epochs finished"] == "2"
        assert figures["valid NDCG@10"] in later
        assert "compiled the model" not in later
        end = await go(screen, pilot, 24.0)
        assert "end: All epochs are trained." in end
        assert "attempt 2 of 2" in end


async def test_the_time_between_attempts_is_left_out(empty_store: LiveStore) -> None:
    run = replayed_run(empty_store)
    async with replaying(empty_store, run) as (screen, pilot):
        read = screen._replay
        assert read is not None
        assert read.total == 24
        before, after = read.timeline.wall_time(15), read.timeline.wall_time(17)
        assert before is not None
        assert after == before + GAP + 2
        text = await go(screen, pilot, 16.0)
        assert "attempt 2 resumes after epoch 4" in text


def told(store: LiveStore, run: str) -> list[tuple[float, str]]:
    with closing(connect_reader(store.location)) as connection:
        replay = read_replay(connection, run, store.location.folder(run).log)
    assert replay is not None
    return [(line.seconds, line.text) for line in replay.story]


def test_a_log_line_stands_where_the_journal_next_tells_the_log_s_length(
    empty_store: LiveStore,
) -> None:
    lines = told(empty_store, replayed_run(empty_store))
    at = {text: seconds for seconds, text in lines}
    assert at["compiled the model"] == at["checkpoint of epoch 4"] == 16
    assert at["killed from outside"] == 16
    order = [text for _, text in lines]
    assert order.index("read 2,000 users") < order.index("checkpoint of epoch 4")
    assert order.index("killed from outside") < order.index(
        "attempt 2 resumes after epoch 4 on cpu"
    )
    assert order[-2:] == ["log lines below have no timestamps", "[red]done"]
    assert [seconds for seconds, _ in lines] == sorted(seconds for seconds, _ in lines)


def test_without_lengths_the_log_comes_after_the_journal(empty_store: LiveStore) -> None:
    order = [text for _, text in told(empty_store, replayed_run(empty_store, log_sizes=False))]
    assert order[-5:] == [
        "log lines below have no timestamps",
        "compiled the model",
        "read 2,000 users",
        "killed from outside",
        "[red]done",
    ]


def test_a_long_run_is_thinned(empty_store: LiveStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run = replayed_run(empty_store)
    monkeypatch.setattr(replay_reading, "SAMPLES", 5)
    with closing(connect_reader(empty_store.location)) as connection:
        replay = read_replay(connection, run, Path("/nowhere"))
    assert replay is not None
    assert (replay.stride, len(replay.samples)) == (3, 4)
    assert replay.sample_at(24.0) == 3
    # An attempt's first moments aren't told by the one before.
    assert replay.sample_at(16.5) is None


async def test_time_passes_as_fast_as_asked(
    empty_store: LiveStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = replayed_run(empty_store)
    async with replaying(empty_store, run) as (screen, pilot):
        clock = 100.0
        monkeypatch.setattr(replay, "monotonic", lambda: clock)
        await pilot.press("down", "down", "space")
        assert "▶ ×3" in shown(screen)
        clock += 2.0
        await wait_for(pilot, lambda: screen._at == 6.0, "the moment")
        await pilot.press("space")
        assert "‖ ×3" in shown(screen)
        clock += 5.0
        assert screen._at == 6.0
        await pilot.press(*["up"] * 9, "space")
        clock += 1.0
        await wait_for(pilot, lambda: screen._at == 24.0, "the moment")
        await pilot.pause()
        assert "‖ ×1000" in shown(screen)


async def test_keys_move_the_moment(empty_store: LiveStore) -> None:
    run = replayed_run(empty_store)
    async with replaying(empty_store, run, (80, 24)) as (screen, pilot):
        cell = screen.query_one(Slider).cell
        await pilot.press("right", "right", "left")
        assert screen._at == pytest.approx(cell)
        await pilot.press("pagedown")
        assert screen._at == pytest.approx(11 * cell)
        await pilot.press("home", "left")
        assert screen._at == 0
        await pilot.press("k", "k")
        assert screen._at == 8
        await pilot.press("j")
        assert screen._at == 4
        await pilot.press("end", "right", "k")
        assert screen._at == 24


async def test_another_unit_and_zoom_keep_the_moment(empty_store: LiveStore) -> None:
    run = replayed_run(empty_store)
    async with replaying(empty_store, run) as (screen, pilot):
        await go(screen, pilot, 8.0)
        await pilot.press("e")
        await pilot.pause()
        view = screen.charts.view
        assert view.unit == "epoch"
        assert view.cursor == pytest.approx(2.0, abs=0.2)
        await pilot.press("plus", "plus", "0")
        await pilot.pause()
        assert screen.charts.view.window is None
        assert screen.charts.view.cursor is not None
        assert screen._at == 8.0


async def test_slider_and_charts_are_clicked(empty_store: LiveStore) -> None:
    run = replayed_run(empty_store)
    async with replaying(empty_store, run) as (screen, pilot):
        slider = screen.query_one(Slider)
        await pilot.click(Slider, offset=(slider.size.width // 2 + 1, 0))
        assert screen._at == pytest.approx(12, abs=1)
        chart = screen.query_one("#loss", Chart)
        assert chart.plot is not None
        await pilot.click("#loss", offset=(chart.plot.left + chart.plot.width - 1, 5))
        assert screen._at == pytest.approx(24, abs=1)


async def test_it_opens_from_live_and_goes_back(empty_store: LiveStore) -> None:
    run = replayed_run(empty_store)
    waiting = empty_store.launch("xlstm")
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(80, 24)) as pilot:
        live = await show_live(pilot)
        await select(pilot, waiting)
        await wait_for(pilot, lambda: live.charts.main.run, "the queued run")  # type: ignore[union-attr]
        await pilot.press("R")
        assert app.screen is live
        await select(pilot, run)
        await wait_for(
            pilot,
            lambda: live.charts.main.run and live.charts.main.run.id == run,
            "the run",  # type: ignore[union-attr]
        )
        await pilot.press("R")
        await wait_for(pilot, lambda: isinstance(app.screen, ReplayScreen), "the replay")
        await settled(pilot)
        await pilot.press("escape")
        await wait_for(pilot, lambda: app.screen is live, "back")


async def test_a_run_that_is_gone_is_said(empty_store: LiveStore) -> None:
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await app.push_screen(ReplayScreen("nobody-s1-abcde"))
        await wait_for(
            pilot, lambda: "nothing to replay" in "\n".join(screen_text(app)), "the sentence"
        )
        await pilot.press("space", "left", "k", "up", "0", "e", "g", "end", "escape")
        await wait_for(pilot, lambda: not isinstance(app.screen, ReplayScreen), "back")

"""The large chart, and runs laid over each other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from live_app import curves_read, know_the_surroundings, select, show_live
from live_lines import screen_text
from live_runs import LiveStore, populate
from pilots import settled, wait_for
from textual.events import MouseScrollUp
from textual.pilot import Pilot

from engine.store.connect import connect_writer
from engine.store.database import write
from tui.app import SeqbenchApp
from tui.charts.braille.chart import Chart
from tui.charts.braille.view import ChartView
from tui.charts.overlay import OverlayScreen
from tui.charts.run_charts import RunCharts
from tui.charts.screen import ChartScreen
from tui.charts.specs import MOST_RUNS
from tui.live.screen import LiveScreen
from tui.messages import StoreChanged
from tui.run.replay.screen import ReplayScreen
from tui.run.screen import RunScreen


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)


@asynccontextmanager
async def live(
    store: LiveStore, run: str, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[LiveScreen, Pilot[None]]]:
    app = SeqbenchApp(store.location)
    async with app.run_test(size=size) as pilot:
        screen = await show_live(pilot)
        await select(pilot, run)
        yield screen, pilot


async def open_chart(pilot: Pilot[None]) -> ChartScreen:
    await pilot.press("c")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, ChartScreen), "the chart")
    screen = pilot.app.screen
    assert isinstance(screen, ChartScreen)
    await wait_for(pilot, lambda: screen.charts.main is not None, "its run")
    await curves_read(pilot, screen)
    return screen


def text(pilot: Pilot[None]) -> str:
    return "\n".join(screen_text(pilot.app))


async def test_every_key_shows_in_the_title(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    async with live(empty_store, runs["running"], (80, 24)) as (_, pilot):
        screen = await open_chart(pilot)
        assert "epoch 27/60" in text(pilot)
        chart = screen.query_one("#loss", Chart)
        assert chart.size.height >= 18
        for key, tag in (("s", "ema.6"), ("s", "ema.9"), ("l", "log ema.9"), ("plus", "×2")):
            await pilot.press(key)
            await pilot.pause()
            assert tag in screen_text(pilot.app)[2]
        for unit in ("step", "time", "epoch"):
            await pilot.press("e")
            await pilot.pause()
            assert screen_text(pilot.app)[-3].rstrip().endswith(unit)
        await pilot.press("s", "l", "minus")
        await pilot.pause()
        assert screen_text(pilot.app)[2].split()[:2] == ["Loss", "epoch"]
        for title in ("Validation", "Gradient norm", "Learning rate", "Loss"):
            await pilot.press("g")
            await pilot.pause()
            assert screen_text(pilot.app)[2].strip().startswith(title)


async def test_the_cursor_tells_the_figures_of_its_x(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    async with live(empty_store, runs["done"], (80, 24)) as (_, pilot):
        screen = await open_chart(pilot)
        await pilot.press("g")
        newest = screen_text(pilot.app)[2]
        await pilot.press("home")
        await pilot.pause()
        first = screen_text(pilot.app)[2]
        charts = screen.charts
        curve = charts.main.curves["epoch.valid_ndcg"]  # type: ignore[union-attr]
        assert f"NDCG {curve.ys[0]:.4f}" in first
        assert f"NDCG {curve.ys[-1]:.4f}" in newest
        await pilot.press("end", "left")
        assert charts.view.cursor == pytest.approx(31 - charts._visible.span)
        await pilot.press("plus", "plus", "plus", "pageup", "pageup", "pageup", "pageup")
        low, high = charts.view.window  # type: ignore[misc]
        assert low <= charts.view.cursor <= high  # type: ignore[operator]
        await pilot.press("0")
        assert (charts.view.cursor, charts.view.window) == (None, None)


async def test_the_mouse_points_zooms_and_drags(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    async with live(empty_store, runs["running"]) as (screen, pilot):
        charts = screen.charts
        await pilot.hover("#loss", offset=(20, 4))
        pointed = charts.view.cursor
        assert pointed is not None
        assert all(chart.view.cursor == pointed for chart in screen.query(Chart))
        await pilot._post_mouse_events([MouseScrollUp], "#loss", offset=(20, 4))
        await pilot.pause()
        window = charts.view.window
        assert window is not None
        assert window[0] < pointed < window[1]
        await pilot.mouse_down("#loss", offset=(20, 4))
        await pilot.hover("#loss", offset=(14, 4))
        await pilot.mouse_up("#loss", offset=(14, 4))
        assert charts.view.window is not None
        assert charts.view.window[0] > window[0]
        await pilot.hover("#queue")
        await pilot.pause()
        assert charts.view.cursor is None


async def choose(pilot: Pilot[None], *words: str) -> None:
    """Open the chooser, and choose the first that has each of the words."""
    await pilot.press("o")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, OverlayScreen), "the chooser")
    chooser = pilot.app.screen
    assert isinstance(chooser, OverlayScreen)
    for word in words:
        await pilot.press("ctrl+u", *word)
        await settled(pilot)
        before = len(chooser._chosen)
        await pilot.press("enter")
        await wait_for(pilot, lambda: len(chooser._chosen) != before, "chosen")  # noqa: B023
    await pilot.press("escape")
    await wait_for(pilot, lambda: not isinstance(pilot.app.screen, OverlayScreen), "back")


async def test_runs_are_laid_over_each_other_and_told_apart(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    async with live(empty_store, runs["done"]) as (screen, pilot):
        await choose(pilot, "s42", "bert4rec")
        await curves_read(pilot, screen)
        assert len(screen.charts.runs) == 3
        shown = text(pilot)
        assert "a sasrec s1 ●" in shown
        loss = screen.query_one("#loss", Chart)
        assert [trace.letter for trace in loss.traces] == ["c", "b", "a"]
        assert len({trace.style for trace in loss.traces}) == 3
        large = await open_chart(pilot)
        assert large.charts.overlay == screen.charts.overlay
        rows = screen_text(pilot.app)
        assert f"a sasrec s1 ● {large.charts.runs[0].curves['step.loss'].ys[-1]:.4f}" in rows[-2]
        assert all(letter in "".join(rows[3:-4]) for letter in "abc")
        await pilot.press("escape")
        await choose(pilot, "s42")
        await curves_read(pilot, screen)
        assert len(screen.charts.runs) == 2


async def test_the_legend_tells_the_smoothed_curves_as_they_are_drawn(
    empty_store: LiveStore,
) -> None:
    """How smooth they are depends on how wide they are drawn."""
    runs = populate(empty_store)
    async with live(empty_store, runs["running"], (80, 24)) as (_, pilot):
        screen = await open_chart(pilot)
        screen.charts.lay_over([runs["done"]])
        screen.charts.look(ChartView("step", 0.9, cursor=600.0))
        await curves_read(pilot, screen)
        told = set()
        for width in (80, 100, 130, 90):
            await pilot.resize_terminal(width, 24)
            await settled(pilot)
            chart = screen.query_one("#loss", Chart)
            told.add(values := tuple(named.text() for named in chart.values()))
            assert all(value in text(pilot) for value in values), (width, values)
        assert len(told) == 4


async def test_each_run_is_looked_at_as_it_was_left(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    async with live(empty_store, runs["done"]) as (screen, pilot):
        await pilot.press("s", "e")
        await choose(pilot, "s42")
        overlay = screen.charts.overlay
        await select(pilot, runs["second"])
        # Another run begins as the last one was looked at, with nothing laid over it.
        assert (screen.charts.overlay, screen.charts.view.smoothing) == ((), 0.6)
        await pilot.press("s", "l")
        await select(pilot, runs["done"])
        view = screen.charts.view
        assert (screen.charts.overlay, view.smoothing, view.log) == (overlay, 0.6, False)
        await select(pilot, overlay[0])
        assert len(screen.charts.runs) == 1


async def test_a_run_s_look_is_the_same_in_every_view(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    async with live(empty_store, runs["done"]) as (screen, pilot):
        await pilot.press("s")
        large = await open_chart(pilot)
        assert large.charts.view.smoothing == 0.6
        await pilot.press("l", "e", "plus")
        await choose(pilot, "s42")
        overlay, window = large.charts.overlay, large.charts.view.window
        assert overlay
        assert window
        await pilot.press("escape")
        await curves_read(pilot, screen)

        def look(charts: RunCharts) -> tuple[object, ...]:
            view = charts.view
            return charts.overlay, view.smoothing, view.log, view.unit, view.window

        assert look(screen.charts) == (overlay, 0.6, True, "step", window)
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the page")
        page = pilot.app.screen
        assert isinstance(page, RunScreen)
        await curves_read(pilot, page)
        assert look(page.charts) == look(screen.charts)
        await pilot.press("s", "R")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ReplayScreen), "the replay")
        replay = pilot.app.screen
        assert isinstance(replay, ReplayScreen)
        await wait_for(pilot, lambda: replay.charts.view.cursor is not None, "the first moment")
        assert look(replay.charts) == (overlay, 0.9, True, "time", None)
        await pilot.press("l", "escape", "escape")
        await wait_for(pilot, lambda: pilot.app.screen is screen, "back")
        assert look(screen.charts) == (overlay, 0.9, False, "step", window)
        assert screen.charts.view.cursor is None


async def test_a_run_that_is_deleted_leaves_the_overlay(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    async with live(empty_store, runs["done"]) as (screen, pilot):
        await choose(pilot, "cancelled")
        await curves_read(pilot, screen)
        with closing(connect_writer(empty_store.location)) as connection, write(connection):
            connection.execute("DELETE FROM runs WHERE id = ?", (runs["cancelled"],))
        screen.post_message(StoreChanged(screen.app.snapshot))
        await wait_for(pilot, lambda: not screen.charts.overlay, "one run less")
        assert len(screen.charts.runs) == 1


async def test_no_more_than_can_be_told_apart(empty_store: LiveStore) -> None:
    run = empty_store.launch("sasrec", seed=1)
    empty_store.train(run, 2)
    for seed in range(2, 11):
        empty_store.train(empty_store.launch("sasrec", seed=seed), 1, end="done")
    async with live(empty_store, run) as (screen, pilot):
        await pilot.press("o")
        await settled(pilot)
        chooser = pilot.app.screen
        assert isinstance(chooser, OverlayScreen)
        for _ in range(9):
            await pilot.press("enter", "down")
        assert len(chooser._chosen) == MOST_RUNS - 1
        assert f"{MOST_RUNS - 1} selected, of at most {MOST_RUNS - 1}" in text(pilot)
        await pilot.press("escape")
        await wait_for(pilot, lambda: len(screen.charts.runs) == MOST_RUNS, "eight runs")
        await curves_read(pilot, screen)
        assert "h s" in text(pilot)
        await pilot.press("o", "ctrl+n", "escape")
        await wait_for(pilot, lambda: len(screen.charts.runs) == 1, "one run")


async def test_words_that_no_run_has_are_said(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    async with live(empty_store, runs["done"], (80, 24)) as (screen, pilot):
        await pilot.press("o", *"[b]%_'")
        await settled(pilot)
        assert "No other run matches." in text(pilot)
        await pilot.press("enter", "down", "pageup", "escape")
        await wait_for(pilot, lambda: pilot.app.screen is screen, "back")
        assert screen.charts.overlay == ()
        await pilot.press("o")
        await settled(pilot)
        await pilot.press("enter", *"zzz")
        await settled(pilot)
        assert "No other run matches. 1 selected, of at most" in text(pilot)


async def test_the_run_s_page_has_the_same_keys(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await app.push_screen(RunScreen(runs["done"]))
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await pilot.press("s", "e")
        assert (screen.charts.view.smoothing, screen.charts.view.unit) == (0.6, "step")
        chart = await open_chart(pilot)
        assert chart.charts.view.unit == "step"
        await pilot.press("escape")
        await wait_for(pilot, lambda: app.screen is screen, "back")

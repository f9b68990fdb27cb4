"""Pictures of the large chart, of the chooser, and of a replay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from live_app import know_the_surroundings
from live_runs import LiveStore, populate
from pilots import settled, wait_for
from replayed_run import replayed_run
from sizes import ONE_SIZE, Sizes, by_x
from textual.pilot import Pilot

from tui.app import SeqbenchApp
from tui.charts.braille.view import ChartView
from tui.charts.looks import Look, looks_of
from tui.charts.overlay import OverlayScreen
from tui.charts.screen import ChartScreen
from tui.run.replay.screen import ReplayScreen

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)
    monkeypatch.setattr("tui.charts.overlay.ago", lambda t: "3 h ago")
    monkeypatch.setattr("tui.charts.overlay.short_id", lambda run: "abcde")


def test_runs_over_each_other(snap_sizes: Sizes, empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    view = ChartView("step", 0.9, cursor=600.0)
    app = SeqbenchApp(empty_store.location)

    async def look(pilot: Pilot[None]) -> None:
        await settled(pilot)
        over = runs["done"], runs["second"]
        looks_of(app).keep(runs["running"], Look(view, over))
        await app.push_screen(ChartScreen(runs["running"], "loss"))
        await settled(pilot)
        await pilot.pause()

    snap_sizes(app, look, by_x)


def test_choosing_runs(snap_compare: Compare, empty_store: LiveStore) -> None:
    runs = populate(empty_store)

    async def look(pilot: Pilot[None]) -> None:
        await settled(pilot)
        chooser = OverlayScreen(runs["running"], (runs["done"],))
        await pilot.app.push_screen(chooser)
        await wait_for(pilot, lambda: chooser._runs, "the runs")
        await settled(pilot)

    app = SeqbenchApp(empty_store.location)
    assert snap_compare(app, terminal_size=(80, 24), run_before=look)


@pytest.mark.parametrize("size", ONE_SIZE, ids=by_x)
def test_a_replay(
    snap_compare: Compare,
    empty_store: LiveStore,
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = replayed_run(empty_store, gpu=True)
    monkeypatch.setattr("tui.run.replay.screen.strftime", lambda *_: "2026-09-21 08:39:08")

    async def look(pilot: Pilot[None]) -> None:
        await settled(pilot)
        screen = ReplayScreen(run)
        await pilot.app.push_screen(screen)
        await settled(pilot)
        await wait_for(pilot, lambda: screen.charts.view.cursor is not None, "the first moment")
        await pilot.press("k", "k", "k", "k", "k")
        await settled(pilot)

    app = SeqbenchApp(empty_store.location)
    assert snap_compare(app, terminal_size=size, run_before=look)

"""What a run recommends, on its page: a real model, asked in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from live_app import know_the_surroundings
from live_runs import LiveStore
from pilots import settled, wait_for
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widgets import Static

from engine.asking.predictions import Item, Recommendation, UserPrediction
from tui.app import SeqbenchApp
from tui.run.predictions import PredictionsScreen, prediction_text
from tui.run.screen import RunScreen

PATIENCE = 90.0
"""Seconds: a process that loads torch starts while others train."""


@pytest.fixture
def run(empty_store: LiveStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A run that is done, with the weights that it began with."""
    know_the_surroundings(monkeypatch, tmp_path)
    run = empty_store.launch("sasrec")
    empty_store.train(run, 3, end="done")
    empty_store.keep_model(run)
    return run


def text(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#prediction", Static).content)


async def test_users_one_after_the_other_and_by_name(empty_store: LiveStore, run: str) -> None:
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await app.push_screen(RunScreen(run))
        await settled(pilot)
        await wait_for(
            pilot,
            lambda: any(b.binding.key == "p" for b in app.screen.active_bindings.values()),
            "the run is known",
        )
        await pilot.press("p")
        await wait_for(pilot, lambda: isinstance(app.screen, PredictionsScreen), "the page")
        await wait_for(pilot, lambda: "user 1 of 2,000" in text(pilot), "a user", PATIENCE)
        assert "Held-out next item" in text(pilot)
        assert "with seen masked" in text(pilot)
        await pilot.press("right", "right")
        assert "test user 3 of 2,000" in text(pilot)
        for size in ((120, 36), (60, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            box = app.screen.query_one("#prediction", Static)
            widest = max(map(cell_len, text(pilot).splitlines()))
            assert box.content_size.width - 8 <= widest <= box.content_size.width
        await pilot.press("u", *"1999", "enter")
        await wait_for(pilot, lambda: text(pilot).startswith("User 1999"), "the one", PATIENCE)
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(app.screen, RunScreen), "the run")


@pytest.mark.parametrize("width", [40, 74, 120])
def test_lines_fit(width: int) -> None:
    named = [
        Recommendation(str(i), f"[red]Ein langer Titel {'七' * i}", 1.5 - i, i % 2 == 0, i == 3)
        for i in range(12)
    ]
    history = [Item(each.id, each.title) for each in named]
    found = UserPrediction("\x1b[31mann", history, history[3], 3, 2, [*named[:9], named[3]])
    shown = str(prediction_text(found, "   test user 1 of 9", width))
    assert max(map(cell_len, shown.splitlines())) <= max(width, 56)
    assert "\x1b" not in shown
    assert "[red]Ein" in shown
    untested = UserPrediction("ann", history, None, None, None, named)
    assert "Not evaluated" in str(prediction_text(untested, "", width))

"""Pictures of a study."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from live_app import know_the_surroundings
from live_runs import LiveStore
from pilots import settled, wait_for
from sizes import Sizes, by_x
from studied import StudiedStore, go_on
from textual.pilot import Pilot
from textual.screen import Screen

from tui.app import SeqbenchApp
from tui.study.screen import StudyScreen

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)
    monkeypatch.setattr(SeqbenchApp, "MODES", {"launch": Screen})  # the study alone


def looking(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def look(pilot: Pilot[None]) -> None:
        await settled(pilot)
        app = pilot.app
        assert isinstance(app, SeqbenchApp)
        app.open_study("one")
        await wait_for(pilot, lambda: isinstance(app.screen, StudyScreen), "the study's screen")
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    return look


def test_two_models(snap_sizes: Sizes, empty_store: LiveStore) -> None:
    study = StudiedStore(empty_store, ("sasrec", "gru4rec"), prune="asha", minutes=30)
    go_on(study)
    snap_sizes(SeqbenchApp(study.location), looking("down", "down"), by_x)


def test_what_was_chosen_on_light(snap_compare: Compare, empty_store: LiveStore) -> None:
    study = StudiedStore(empty_store, prune="asha", trials=4)
    study.finish(study.trials[0].run, 0.08)
    study.pause(study.next(), 0.05)
    study.finish(study.next(), 0.09)
    study.finish(study.next(), 0.07)
    finals = study.end()
    empty_store.train(finals[0], 12, end="done")
    app = SeqbenchApp(study.location)
    look = looking("f2", "g", "g", "end")
    assert snap_compare(app, terminal_size=(80, 24), run_before=look)


def test_the_list(snap_compare: Compare, empty_store: LiveStore) -> None:
    study = StudiedStore(empty_store, ("sasrec", "gru4rec"))
    study.finish(study.trials[0].run, 0.08)
    app = SeqbenchApp(study.location)
    assert snap_compare(app, terminal_size=(80, 24), run_before=looking("T"))

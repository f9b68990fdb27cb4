"""What can be met on any screen, in three sizes: letters, a column explained, sixteen colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from live_app import know_the_surroundings
from live_runs import LiveStore
from pilots import settled, wait_for
from sizes import EACH_SIZE, by_x
from textual.pilot import Pilot

from tui.app import SeqbenchApp
from tui.dialogs.help import HelpScreen
from tui.dialogs.jump import JumpScreen

sizes = pytest.mark.parametrize("size", EACH_SIZE, ids=by_x)


@pytest.fixture
def app(busy_store: LiveStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SeqbenchApp:
    """An app that says nothing of this machine or of where its store lies."""
    know_the_surroundings(monkeypatch, tmp_path)
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    return SeqbenchApp(busy_store.location)


@sizes
def test_letters(app: SeqbenchApp, snap_compare: Any, size: tuple[int, int]) -> None:
    async def letters(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("o", "ctrl+o")
        await wait_for(pilot, lambda: isinstance(app.screen, JumpScreen), "letters")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=letters)


@sizes
def test_a_column_is_explained(app: SeqbenchApp, snap_compare: Any, size: tuple[int, int]) -> None:
    async def explained(pilot: Pilot[None]) -> None:
        await pilot.press("3")
        await settled(pilot)
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: isinstance(app.screen, HelpScreen), "help")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=explained)


@sizes
def test_sixteen_colours(app: SeqbenchApp, snap_compare: Any, size: tuple[int, int]) -> None:
    app.theme = "seqbench-ansi"

    async def selected(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("space", "down", "f5")
        await wait_for(pilot, lambda: app.low_bandwidth, "the header says so")
        await pilot.press("left")
        await settled(pilot)  # the plan of what is selected

    assert snap_compare(app, terminal_size=size, run_before=selected)

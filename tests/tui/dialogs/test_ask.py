"""Dialogs name their keys in words where the terminal can't show the signs."""

from __future__ import annotations

from pilots import settled
from textual.widgets import Button

from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.dialogs.ask import AskScreen
from tui.shell.preferences import Preferences


async def test_keys_of_a_question_in_ascii(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store, preferences=Preferences(glyphs="ascii"))
    async with app.run_test() as pilot:
        await settled(pilot)
        await app.push_screen(AskScreen("Delete", "Delete it?", "Delete"))
        labels = [str(button.label) for button in app.screen.query(Button)]
        assert labels == ["enter  Delete", "esc  Back"]

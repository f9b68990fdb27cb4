"""Dialogs name their keys in words where the terminal can't show the signs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from live_lines import screen_text
from live_runs import LiveStore
from measured_runs import MeasuredStore
from pilots import settled, wait_for
from textual.widgets import Button, Input

from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.dialogs.ask import AskScreen
from tui.live.run_facts import RunFacts
from tui.live.screen import LiveScreen
from tui.shell.preferences import Preferences
from tui.widgets.key_button import KeyButton

ASCII = Preferences(glyphs="ascii")


async def test_keys_of_a_question_in_ascii(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store, preferences=ASCII)
    async with app.run_test() as pilot:
        await settled(pilot)
        await app.push_screen(AskScreen("Delete", "Delete it?", "Delete"))
        await settled(pilot)
        labels = [str(button.label) for button in app.screen.query(Button)]
        assert labels == ["enter  Delete", "esc  Back"]


slow = partial(pytest.param, marks=pytest.mark.slow)


@pytest.mark.parametrize("answer", [True, False])
async def test_a_button_does_what_its_key_does(absent_store: StoreLocation, answer: bool) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test() as pilot:
        await settled(pilot)
        answers: list[bool | None] = []
        app.push_screen(AskScreen("Delete", "Delete it?", "Delete"), answers.append)
        await settled(pilot)
        await pilot.click("#yes" if answer else "#no")
        await wait_for(pilot, lambda: answers, "an answer")
        assert answers == [answer]


async def assert_enter_in_words(location: StoreLocation, keys: str, words: str) -> None:
    app = SeqbenchApp(location, preferences=ASCII)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        for key in keys.split():
            await pilot.press(key)
            await settled(pilot)
        shown = "\n".join(screen_text(app))
        assert words in shown
        assert "⏎" not in shown
        for button in app.screen.query(KeyButton):
            names = f"action_{button.id}", f"_action_{button.id}"  # the palette's are Textual's
            assert any(callable(getattr(app.screen, name, None)) for name in names), button.id
        for frame in app.screen.query(".dialog"):  # one look: keys at the foot, flat fields
            assert frame.query(".buttons").last().region.bottom == frame.content_region.bottom
            assert all(field.region.height == 1 for field in frame.query(Input) if field.display)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("3 n", "enter  Save"),
        slow("3 #", "enter  Save"),
        slow("3 I", "enter  Look"),
        slow("3 C", "enter  Show"),
        ("3 e", "enter  Write"),
        slow("3 p x", "enter  Choose"),
    ],
)
async def test_dialogs_of_the_comparison_in_ascii(tmp_path: Path, keys: str, words: str) -> None:
    store = MeasuredStore(tmp_path)
    store.add()
    await assert_enter_in_words(store.location, keys, words)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("1 v down", "enter keep"),
        ("1 enter", "enter  Launch"),
        slow("1 s", "enter  Save"),
        slow("1 S", "enter  Load"),
        slow("2 o", "enter  Choose"),
        ("2 x", "enter  Cancel the run"),
        slow("q", "enter  Quit"),
        slow("ctrl+p", "enter  Choose"),
    ],
)
async def test_dialogs_of_runs_in_ascii(busy_store: LiveStore, keys: str, words: str) -> None:
    await assert_enter_in_words(busy_store.location, keys, words)


async def test_what_to_press_for_a_failed_run_in_ascii(busy_store: LiveStore) -> None:
    app = SeqbenchApp(busy_store.location, preferences=ASCII)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        await settled(pilot)
        live = app.screen
        assert isinstance(live, LiveScreen)
        states = [run.state for run in live.queue._runs]
        await pilot.press("home", *["down"] * states.index("failed"))
        await settled(pilot)
        lines = live.query_one(RunFacts).draw(width=60, height=30)
        assert [("press t to retry, enter for details", "$accent")] in lines

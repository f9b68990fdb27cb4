"""Jump: every field and panel has a letter."""

from __future__ import annotations

import pytest
from live_runs import LiveStore
from pilots import screen_text, settled, wait_for
from textual.widgets import Input

from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.dialogs.jump import LETTERS, JumpScreen, targets


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_every_letter_gives_the_focus_to_its_own(
    busy_store: LiveStore, size: tuple[int, int]
) -> None:
    app = SeqbenchApp(busy_store.location)
    async with app.run_test(size=size) as pilot:
        for mode in "123":
            await settled(pilot)
            await pilot.press(mode)
            await settled(pilot)
            beneath = app.screen
            found = targets(beneath)
            assert found
            for letter, (widget, _) in zip(LETTERS, found, strict=False):
                await pilot.press("ctrl+o")
                await wait_for(pilot, lambda: isinstance(app.screen, JumpScreen), "letters")
                await pilot.press(letter)
                await wait_for(pilot, lambda: beneath.focused is widget, "the focus")  # noqa: B023
                assert app.screen is beneath
            await pilot.press("escape")  # out of a field that takes a figure for text


async def test_letters_stand_on_what_they_mean(busy_store: LiveStore) -> None:
    app = SeqbenchApp(busy_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        found = targets(app.screen)
        await pilot.press("ctrl+o")
        await wait_for(pilot, lambda: isinstance(app.screen, JumpScreen), "letters")
        await pilot.pause()
        lines = screen_text(app).splitlines()
        for letter, (_, offset) in zip(LETTERS, found, strict=False):
            assert lines[offset.y][offset.x : offset.x + 3] == f" {letter} "
        assert "SASRec" in screen_text(app)  # what is beneath shows


async def test_a_click_on_a_letter_jumps_too(busy_store: LiveStore) -> None:
    app = SeqbenchApp(busy_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("3")
        await settled(pilot)
        (field, offset) = next((w, o) for w, o in targets(app.screen) if isinstance(w, Input))
        await pilot.press("ctrl+o")
        await wait_for(pilot, lambda: isinstance(app.screen, JumpScreen), "letters")
        await pilot.pause()
        await pilot.click(offset=(offset.x + 1, offset.y))
        await wait_for(pilot, lambda: app.focused is field, "the focus")


async def test_any_other_key_leaves_the_focus(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test() as pilot:
        await settled(pilot)
        before, beneath = app.focused, app.screen
        for key in ("escape", "f9", "ctrl+o"):
            await pilot.press("ctrl+o")
            await wait_for(pilot, lambda: isinstance(app.screen, JumpScreen), "letters")
            await pilot.press(key)
            await wait_for(pilot, lambda: app.screen is beneath, "gone")
            assert app.focused is before


async def test_another_size_takes_the_letters_away(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+o")
        await wait_for(pilot, lambda: isinstance(app.screen, JumpScreen), "letters")
        await pilot.resize_terminal(80, 24)
        await wait_for(pilot, lambda: not isinstance(app.screen, JumpScreen), "gone")

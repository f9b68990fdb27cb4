"""Themes: the one that is remembered, sixteen colours, and none."""

from __future__ import annotations

from typing import Any

import pytest
from live_runs import LiveStore
from pilots import painted, screen_text, settled, wait_for
from rich.color import ColorType
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.command import CommandPalette

from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.shell.preferences import Preferences
from tui.shell.remembered import keep, recall
from tui.shell.terminal.fewcolours import FewColours
from tui.shell.theme import ANSI, SEQBENCH, SEQBENCH_LIGHT


def styles(app: App[Any]) -> set[Style]:
    """Of everything that stands on the screen, as it is sent to the terminal."""
    filters, ground = app.get_line_filters(), app.background_colors[1]
    found = set()
    for strip in painted(app):
        segments = list(strip)
        for line_filter in filters:
            segments = line_filter.apply(segments, ground)
        found |= {segment.style for segment in segments if segment.style}
    return found


async def test_a_theme_that_was_chosen_is_there_the_next_time(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert app.theme == SEQBENCH.name
        await pilot.press("f4")
        await wait_for(pilot, lambda: isinstance(app.screen, CommandPalette), "the themes")
        await pilot.press(*"nord", "enter")
        await wait_for(pilot, lambda: app.theme == "nord", "the theme")
        await wait_for(pilot, lambda: recall("appearance") == {"theme": "nord"}, "remembered")
    assert SeqbenchApp(absent_store).theme == "nord"
    named = SeqbenchApp(absent_store, preferences=Preferences(theme="gruvbox"))
    assert named.theme == "gruvbox"


async def test_f2_changes_between_dark_and_light(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test() as pilot:
        await settled(pilot)
        for theme in (SEQBENCH_LIGHT.name, SEQBENCH.name):
            await pilot.press("f2")
            await wait_for(pilot, lambda: app.theme == theme, theme)  # noqa: B023


def test_a_theme_that_is_gone_is_forgotten(absent_store: StoreLocation) -> None:
    keep("appearance", {"theme": ["nord"]})
    assert SeqbenchApp(absent_store).theme == SEQBENCH.name


@pytest.mark.parametrize("term", ["xterm", "screen", "vt100", "xterm-16color"])
def test_terminals_with_sixteen_colours_are_known(
    absent_store: StoreLocation, term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    assert SeqbenchApp(absent_store).theme == SEQBENCH.name
    monkeypatch.delenv("COLORTERM")
    assert SeqbenchApp(absent_store).theme == ANSI.name


async def test_sixteen_colours_are_the_terminals_own(
    busy_store: LiveStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "linux")
    monkeypatch.delenv("COLORTERM")
    app = SeqbenchApp(busy_store.location)
    assert app.theme == ANSI.name
    async with app.run_test(size=(100, 30)) as pilot:
        for key in ("1", "2", "3", "question_mark"):
            await pilot.press(key)
            await settled(pilot)
            found = styles(app)
            assert all(style.bgcolor is None for style in found)
            inks = {style.color.type for style in found if style.color}
            assert inks == {ColorType.STANDARD}


async def test_without_colours_there_are_none_and_signs_tell(
    busy_store: LiveStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = SeqbenchApp(busy_store.location)
    async with app.run_test(size=(100, 30)) as pilot:
        for key in ("1", "2", "3", "question_mark", "escape"):
            await pilot.press(key)
            await settled(pilot)
            found = styles(app)
            assert all(style.bgcolor is None and style.color is None for style in found)
            assert any(style.reverse for style in found), "a cursor or a tab"
        assert "◐ 1  ○ 2  ● 2  ✗ 1" in screen_text(app)
        await pilot.press("f2", "f4")
        await settled(pilot)
        assert app.theme == ANSI.name
        assert not isinstance(app.screen, CommandPalette)


def test_grounds_are_told_apart_without_colours() -> None:
    names = (
        "block-cursor-background",
        "block-cursor-blurred-background",
        "selection-background",
        "selection-cursor-background",
        "background",
    )
    colours = [ANSI.variables.get(name, "ansi_default") for name in names]
    segments = [Segment("x", Style(bgcolor=Color.parse(c).rich_color)) for c in colours]
    drawn = FewColours(colourless=True).apply(segments, Color(0, 0, 0))
    looks = {
        (bool(s.reverse), bool(s.underline), bool(s.bold)) for _, s, _ in drawn if s is not None
    }
    assert len(looks) == len(names)


def test_a_cursor_s_bar_has_one_colour_which_is_not_that_of_text() -> None:
    bar = Color.parse(ANSI.variables["block-cursor-background"]).rich_color
    inks = (None, "ansi_default", "ansi_green", "ansi_bright_black", "ansi_white")
    colours = [ink and Color.parse(ink).rich_color for ink in inks]
    segments = [Segment("x", Style(color=colour, bgcolor=bar)) for colour in colours]
    drawn = FewColours(colourless=False).apply(segments, Color(0, 0, 0))
    accent = Color.parse(ANSI.primary).rich_color
    assert {(s.color, s.reverse, s.dim) for _, s, _ in drawn if s} == {(accent, True, None)}

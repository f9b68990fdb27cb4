"""What is typed in one packet: in every kind of field, and what enter at its end takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from bursts import BACKSPACE, ENTER, ESCAPE, HOME, LEFT, REST, TAB, pasted, type_at_once
from comparing import column_of, comparing
from live_app import know_the_surroundings, show_live
from live_runs import LiveStore, populate
from measured_runs import filled_store
from pilots import settled, wait_for
from terminals import APP, Terminal
from textual.screen import ModalScreen

from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.charts.overlay import OverlayScreen
from tui.compare.annotating import TagsScreen
from tui.compare.screen import CompareScreen
from tui.dialogs.limit import LimitScreen
from tui.launch.form import LaunchForm
from tui.launch.screen import LaunchScreen
from tui.parts.palette import Palette
from tui.results.note import NoteScreen


@pytest.mark.parametrize("end", ["", ENTER, TAB, ESCAPE])
async def test_lengths_are_those_that_were_typed(absent_store: StoreLocation, end: str) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("o", "tab")
        type_at_once(pilot.app, f"56{BACKSPACE}0,78{BACKSPACE}5{end}")
        await settled(pilot)
        form = pilot.app.screen.query_one(LaunchForm)
        assert (form.choices.lengths, form.problem) == ((50, 75), "")
        screen = pilot.app.screen
        assert isinstance(screen, LaunchScreen)
        assert screen.query_one("#lengths").has_focus == (not end)
        assert screen.grid.has_focus == (end in (ENTER, ESCAPE))


async def test_settings_of_several_lines(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        pilot.app.screen.query_one("#settings").focus()
        await pilot.pause()
        sent = f"epochs=3{BACKSPACE}20{ENTER}x{BACKSPACE}{pasted('lr=0.01')}{LEFT}{BACKSPACE}5"
        type_at_once(pilot.app, sent)
        await settled(pilot)
        form = pilot.app.screen.query_one(LaunchForm)
        assert form.choices.settings == {"epochs": "20", "lr": "0.51"}


@pytest.mark.parametrize(
    ("dialog", "typed", "answer"),
    [
        (NoteScreen(""), f"god{BACKSPACE}od{HOME}{REST}G{pasted('o')}", "Goood"),
        (TagsScreen((), 1), f"paperx{BACKSPACE} best", ("paper", "best")),
        (LimitScreen(100, 120), f"20{BACKSPACE}40", 240),
    ],
)
async def test_a_dialog_answers_with_what_was_typed_before_enter(
    absent_store: StoreLocation, dialog: ModalScreen[object], typed: str, answer: object
) -> None:
    answers: list[object] = []
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        pilot.app.push_screen(dialog, answers.append)
        await settled(pilot)
        type_at_once(pilot.app, typed + ENTER)
        await wait_for(pilot, lambda: answers, "the answer")
    assert answers == [answer]


async def test_a_filter_finds_what_was_typed(tmp_path: Path) -> None:
    async with comparing(filled_store(tmp_path)[0]) as (app, pilot):
        await pilot.press("slash")
        type_at_once(app, f"model:sasrex{BACKSPACE}c{ENTER}")
        await settled(pilot)
        assert isinstance(app.screen, CompareScreen)
        assert set(column_of(app, "model")) == {"sasrec"}


async def test_enter_in_the_palette_waits_for_what_the_words_find(
    absent_store: StoreLocation,
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p")
        await settled(pilot)
        assert isinstance(pilot.app.screen, Palette)
        screen = pilot.app.screen_stack[0]
        assert isinstance(screen, LaunchScreen)
        type_at_once(pilot.app, f"every celx{BACKSPACE}l{ENTER}")
        await wait_for(pilot, lambda: pilot.app.screen is screen, "the palette closed")
        assert screen.grid.selected == set(screen.grid.keys())


async def test_enter_in_the_chooser_of_runs_waits_for_what_the_words_find(
    empty_store: LiveStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    know_the_surroundings(monkeypatch, tmp_path)
    populate(empty_store)
    async with SeqbenchApp(empty_store.location).run_test(size=(120, 36)) as pilot:
        await show_live(pilot)
        await pilot.press("o")
        await settled(pilot)
        chooser = pilot.app.screen
        assert isinstance(chooser, OverlayScreen)
        first = chooser._runs[0][0].model
        wanted = next(run.model for run, _ in chooser._runs if run.model != first)
        type_at_once(pilot.app, f"{wanted}x{BACKSPACE}{ENTER}")
        await wait_for(pilot, lambda: chooser._chosen, "a run is chosen")
        await settled(pilot)
        assert [run.model for run, _ in chooser._runs if run.id in chooser._chosen] == [wanted]


@pytest.fixture
def terminal(busy_store: LiveStore, quick_line: None) -> Iterator[Terminal]:
    terminal = Terminal([*APP, busy_store.location.db], size=(120, 36))
    yield terminal
    terminal.end()


def test_a_real_terminal_sends_all_in_one_write(terminal: Terminal, busy_store: LiveStore) -> None:
    """From the screen through a field to the dialog: each key goes where the one before it led."""
    terminal.shows("Queue ·")
    terminal.type("1")
    terminal.shows("1 to launch")
    terminal.type(f"o{TAB}56{BACKSPACE}0,78{BACKSPACE}5{ENTER}")
    terminal.shows("50,75")
    terminal.type(f"3/delays{HOME}{REST}x{ENTER}")
    terminal.shows("xelays", "0 of", "d Delete")  # the table has the focus again
    assert "─ Delete" not in terminal.picture.text
    terminal.type("q")
    terminal.shows("Leave")
    terminal.type(ENTER)
    assert terminal.read_to_end() == 0
    terminal.assert_put_right()
    with closing(connect_reader(busy_store.location)) as store:
        assert store.execute("SELECT count(*) FROM requests").fetchone()[0] == 0

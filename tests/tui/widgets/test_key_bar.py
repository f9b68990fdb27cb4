"""The keys at the bottom: arranged in one line or two, clicked, and enough to find one's way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_runs import LiveStore
from pilots import settled, wait_for
from rich.cells import cell_len
from textual.widgets._toast import Toast

from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.dialogs.help import HelpScreen
from tui.keys import ACTIONS
from tui.shell.action import actions_for
from tui.widgets.key_bar import GAP, MARGIN, BarRow, Entry, KeyBar, arrange

END = [Entry("?", "Help"), Entry("q", "Quit")]
entries = st.lists(
    st.builds(Entry, st.sampled_from(["s", "esc", "space"]), st.text("abc", min_size=3)),
    max_size=20,
)


def row(line: BarRow) -> str:
    text = ""
    for start, entry in line:
        text += " " * (start - cell_len(text)) + f"{entry.key} {entry.label}"
    return text


def test_what_fits_stands_in_one_line_with_help_and_quit_at_the_right_end() -> None:
    (line,) = arrange([Entry("s", "Sort"), Entry("/", "Filter")], END, 40)
    assert row(line) == " s Sort  / Filter        ? Help  q Quit"


def test_entries_of_two_lines_stand_below_each_other() -> None:
    main = [Entry("a", "One"), Entry("b", "Fourteen"), Entry("c", "Two"), Entry("d", "Nine")]
    upper, lower = arrange(main, END, 38)
    assert row(upper) == " a One  b Fourteen"
    assert row(lower) == " c Two  d Nine         ? Help  q Quit"


def test_what_has_no_room_goes_from_the_end() -> None:
    main = [Entry("a", "A" * 10), Entry("b", "B" * 10), Entry("c", "C" * 30)]
    assert [e.key for line in arrange(main, END, 40) for _, e in line] == ["a", "b", "?", "q"]


@given(entries, st.integers(30, 200), st.sampled_from([1, 2]))
def test_nothing_overlaps_or_leaves_the_line(main: list[Entry], width: int, most: int) -> None:
    lines = arrange(main, END, width, most)
    assert 1 <= len(lines) <= most
    for line in lines:
        ends = [MARGIN - GAP]
        for start, entry in line:
            assert start >= ends[-1] + GAP
            ends.append(start + entry.width)
        assert ends[-1] <= width - MARGIN
    shown = [entry for line in lines for _, entry in line]
    assert shown == [*main[: len(shown) - 2], *END]


@pytest.mark.parametrize(("key", "area"), [("1", "launch"), ("2", "live"), ("3", "compare")])
async def test_80_columns_name_every_action_of_a_screen(
    busy_store: LiveStore, key: str, area: str
) -> None:
    app = SeqbenchApp(busy_store.location)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key, *(["space", "up", "space"] if area == "compare" else []))
        await settled(pilot)
        named = {entry.label for entry in app.screen.query_one(KeyBar).entries}
    passing = {
        "Keep",
        "Drop",
        "Back to the grid",
        "Next field",
        "Open run",
        "Undo",
        "Clear",
        "More epochs",
        "Refit",
    }
    wanted = {action.label for action in actions_for(area, ACTIONS) if action.show} - passing
    assert wanted | {"Help", "Quit"} <= named


async def test_a_click_does_what_the_key_does(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        bar = app.screen.query_one(KeyBar)
        place = next(
            (start, y)
            for y, line in enumerate(bar._rows)
            for start, entry in line
            if entry.label == "Help"
        )
        await pilot.hover(bar, place)
        assert bar.tooltip == "Keys, and what metrics and states mean"
        await pilot.click(bar, place)
        await wait_for(pilot, lambda: isinstance(app.screen, HelpScreen), "help")


async def test_the_bar_keeps_its_height_while_keys_come_and_go(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        bar = app.screen.query_one(KeyBar)
        assert bar.size.height == 2
        await pilot.press("o")
        await wait_for(pilot, lambda: len(bar.entries) == 2, "the form's keys alone")
        await pilot.pause()
        assert bar.size.height == 2
        await pilot.press("escape")
        await pilot.resize_terminal(80, 15)
        await wait_for(pilot, lambda: bar.size.height == 1, "one line where there are few")
        await pilot.resize_terminal(80, 24)
        await wait_for(pilot, lambda: bar.size.height == 2, "two again")
        await pilot.resize_terminal(200, 24)
        await wait_for(pilot, lambda: bar.size.height == 1, "one line")


async def test_what_is_said_covers_no_key(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        bar = app.screen.query_one(KeyBar)
        assert bar.region.height == 2
        app.notify("a sentence that goes on " * 9)
        await wait_for(pilot, lambda: app.screen.query(Toast), "what is said")
        await pilot.pause()
        toast = app.screen.query_one(Toast).region
        assert toast.area
        assert toast.bottom <= bar.region.y

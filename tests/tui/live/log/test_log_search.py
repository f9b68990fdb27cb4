"""Searching a log and wrapping its lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_app import know_the_surroundings, select, show_live, still
from live_lines import Stage, screen_text
from live_runs import LiveStore, populate
from pilots import wait_for
from rich.cells import cell_len
from sizes import ONE_SIZE, by_x
from textual.pilot import Pilot

from tui.app import SeqbenchApp
from tui.live.log.buffer import KEPT_LINES, LogBuffer, LogRow, LogSearch
from tui.live.log.panel import LogPanel, SearchField
from tui.live.log.tail import LogTail
from tui.live.queue_table import QueueTable
from tui.shell.run_log import LogLine


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)


def lines_of(texts: Sequence[str]) -> list[LogLine]:
    return [LogLine(text) for text in texts]


def rows(app: Stage) -> list[str]:
    return [row.strip() for row in screen_text(app)]


def marked(tail: LogTail) -> list[str]:
    """The texts that are marked, the current line's in brackets."""
    lines = tail.draw(tail.content_size.width, tail.content_size.height)
    return [
        f"[{text}]" if "$warning" in style else text
        for line in lines
        for text, style in line
        if " on $" in style and text
    ]


async def test_matches_are_marked_counted_and_gone_to() -> None:
    tail = LogTail()
    async with Stage(tail).run_test(size=(40, 5)) as pilot:
        tail.add(lines_of([f"epoch {i}: loss {'nan' if i % 20 == 0 else i}" for i in range(100)]))
        tail.search("NaN")
        assert tail.summary() == "/NaN · not found", "a capital is meant"
        tail.search("nan")
        await pilot.pause()
        assert marked(tail) == ["[nan]"]
        assert tail.summary() == "/nan · 5 of 5 lines · f follows"
        assert "epoch 80: loss nan" in rows(pilot.app)
        tail.next_match(-1)
        assert tail.summary().startswith("/nan · 4 of 5")
        tail.next_match(1)
        tail.next_match(1)
        await pilot.pause()
        assert tail.summary().startswith("/nan · 1 of 5"), "around the end"
        assert "epoch 0: loss nan" in rows(pilot.app)
        tail.add(lines_of(["one more nan"]))
        assert tail.summary().startswith("/nan · 1 of 6")
        tail.search("")
        assert (marked(tail), tail.summary()) == ([], "f follows")
        tail.follow()
        assert tail.summary() == ""


async def test_every_match_in_sight_is_marked_and_none_is_clipped_away() -> None:
    tail = LogTail()
    async with Stage(tail).run_test(size=(30, 4)):
        tail.add(lines_of(["a loss, a loss", "x" * 200 + " the loss"]))
        tail.search("loss")
        assert marked(tail) == ["loss", "loss", "[loss]"]
        tail.wrap()
        assert marked(tail) == ["[loss]"]
        tail.add(lines_of(["y" * 28 + "loss"]))
        tail.next_match(1)
        assert marked(tail) == ["loss", "[lo]", "[ss]"], "across the edge"


async def test_wrapped_lines_are_whole_and_scrolled_by_rows() -> None:
    tail = LogTail()
    async with Stage(tail).run_test(size=(10, 4)) as pilot:
        tail.add(lines_of(["short", "0123456789" * 3 + "end", "last"]))
        await pilot.pause()
        assert rows(pilot.app)[1] == "012345678…"
        tail.wrap()
        await pilot.pause()
        assert rows(pilot.app) == ["0123456789", "0123456789", "end", "last"]
        tail.scroll(-1)
        await pilot.pause()
        assert rows(pilot.app) == ["0123456789"] * 3 + ["end"]
        tail.scroll(-100)
        await pilot.pause()
        assert rows(pilot.app) == ["short", *["0123456789"] * 3]
        assert not tail.follows
        tail.scroll(2)
        assert tail.follows, "at the end it follows again"


async def test_what_is_searched_for_is_marked_in_the_next_log_too() -> None:
    tail = LogTail()
    async with Stage(tail).run_test(size=(40, 4)):
        tail.add([], lines_of(["epoch 1 loss"]))
        tail.search("loss")
        assert marked(tail) == ["[loss]"]
        tail.add(lines_of(["a log with loss"]))
        tail.next_match(1)
        assert marked(tail) == ["[loss]"], "what was open is gone"
        tail.clear()
        tail.add(lines_of(["another loss", "no more"]))
        assert marked(tail) == ["[loss]"]


lines = st.lists(st.text(st.characters(exclude_categories=("C", "M")), max_size=60), max_size=30)


@given(lines, st.integers(1, 40), st.booleans())
def test_up_and_down_go_the_same_way(texts: list[str], width: int, wrap: bool) -> None:
    buffer = LogBuffer()
    buffer.lay_out(width, wrap)
    buffer.add(lines_of(texts))
    if buffer.end is None:
        assert not texts
        return
    up = list(buffer.upward(buffer.end))
    assert list(buffer.downward(up[-1])) == up[::-1]
    for number, text in enumerate(texts):
        assert "".join(buffer.rows(number)) == text
        if wrap:
            assert all(cell_len(row) <= max(width, 2) for row in buffer.rows(number))


@given(st.lists(st.text("abA ", max_size=8), min_size=1, max_size=30), st.text("abA", min_size=1))
def test_matches_are_those_of_a_plain_search(texts: list[str], wanted: str) -> None:
    buffer = LogBuffer()
    search = LogSearch(buffer, wanted)
    for text in texts:  # as they come
        buffer.add([LogLine(text)])
        assert search.found is search.found
    fold = str if wanted != wanted.lower() else str.lower
    expected = [i for i, text in enumerate(texts) if fold(wanted) in fold(text)]
    assert list(search.found) == expected


def test_the_buffer_forgets_the_oldest_and_their_matches() -> None:
    buffer = LogBuffer()
    buffer.lay_out(10, wrap=True)
    search = LogSearch(buffer, "7")
    buffer.add(LogLine(str(i)) for i in range(KEPT_LINES))
    before = len(search.found)
    for number in buffer.numbers:
        buffer.rows(number)
    buffer.add(LogLine("x") for _ in range(KEPT_LINES))
    assert (before > 0, list(search.found)) == (True, [])
    assert (len(buffer), len(buffer._rows)) == (KEPT_LINES, 0)
    assert buffer.kept(LogRow(3)) == LogRow(KEPT_LINES)


async def test_from_the_screen(empty_store: LiveStore, surroundings: None) -> None:
    runs = populate(empty_store)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(80, 24)) as pilot:
        await show_live(pilot)
        screen = await select(pilot, runs["running"])
        panel, table = screen.query_one(LogPanel), screen.query_one(QueueTable)
        await wait_for(pilot, lambda: len(panel.tail._log) == 56, "its log")
        await pilot.press("slash", *"loss 4")
        await pilot.pause()
        assert str(panel.border_title).startswith("Log · 1 warning · /loss 4 · ")
        await pilot.press("enter")
        assert app.focused is table
        first = panel.tail._current
        await pilot.press("N")
        assert panel.tail._current != first
        await pilot.press("n")
        assert panel.tail._current == first
        await pilot.press("w")
        await pilot.pause()
        assert "wrapped" in str(panel.border_title)
        await pilot.press("escape")
        await pilot.pause()
        assert not panel.tail.searched
        await pilot.press("slash", "q")
        assert app.is_running, "a letter is text there"
        await pilot.press("escape")
        await pilot.pause()
        assert app.focused is table
        assert not panel.searches


@pytest.mark.parametrize("size", ONE_SIZE, ids=by_x)
def test_picture_of_a_search(
    snap_compare: Callable[..., bool],
    empty_store: LiveStore,
    surroundings: None,
    size: tuple[int, int],
) -> None:
    runs = populate(empty_store)

    async def look(pilot: Pilot[None]) -> None:
        await show_live(pilot)
        screen = await select(pilot, runs["running"])
        panel = screen.query_one(LogPanel)
        await wait_for(pilot, lambda: len(panel.tail._log) == 56, "its log")
        await pilot.press("slash", *"loss 4", "up", "up")
        field = screen.query_one(SearchField)
        field.cursor_blink = False
        await wait_for(pilot, lambda: field.styles.background_tint.a > 0, "the focus's look")
        await still(pilot)

    assert snap_compare(SeqbenchApp(empty_store.location), terminal_size=size, run_before=look)

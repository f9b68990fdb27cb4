"""What is done with runs on the Compare screen: copies, notes, tags, deletion and its undoing."""

from __future__ import annotations

import shlex
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from comparing import column_of, comparing, table
from measured_runs import MeasuredStore, filled_store
from pilots import screen_text, settled, wait_for
from textual.widgets import OptionList

from engine.store import transitions
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import fetch, write
from engine.store.requests import change_tags, request_delete, set_note
from engine.supervisor.requests import answer
from tui.app import SeqbenchApp
from tui.compare.annotating import TagsScreen
from tui.compare.screen import CompareScreen
from tui.dialogs.ask import AskScreen
from tui.dialogs.trash import TrashScreen
from tui.shell import remembered


@pytest.fixture
def measured(tmp_path: Path) -> MeasuredStore:
    return filled_store(tmp_path)[0]


def stored(store: MeasuredStore, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(connect_reader(store.location)) as con:
        return [tuple(row) for row in fetch(con, sql, values)]


def asked(store: MeasuredStore) -> list[str]:
    """Runs that the supervisor is asked to delete."""
    return [row[0] for row in stored(store, "SELECT run FROM requests WHERE action = 'delete'")]


def work(store: MeasuredStore) -> None:
    """Do what is asked of the supervisor."""
    with closing(connect_writer(store.location)) as connection:
        with write(connection):
            for live in transitions.live_attempts(connection):
                transitions.mark_exited(connection, live.run, live.attempt)
        for request in transitions.requests(connection):
            answer(connection, store.location, request)


def said(app: SeqbenchApp) -> list[str]:
    """What toasts said."""
    return [notification.message for notification in app._notifications]


def screen(app: SeqbenchApp) -> CompareScreen:
    found = app.screen
    assert isinstance(found, CompareScreen)
    return found


async def test_a_row_is_copied_with_tabs_and_every_digit(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("Y")
        cells = app.clipboard.split("\t")
        assert len(cells) == len(table(app).columns)
        assert cells[:5] == ["done", "sasrec", "ml-100k", "50", "42"]
        assert len(cells[5]) > len(column_of(app, "test_ndcg_best")[0])
        assert float(cells[5]) == pytest.approx(
            float(column_of(app, "test_ndcg_best")[0]), abs=1e-4
        )
        await pilot.press("b")
        await settled(pilot)
        await pilot.press("y")
        assert app.clipboard == column_of(app, "test_ndcg_best")[0]
        await pilot.press("Y")
        assert app.clipboard.split("\t")[:5] == ["▸", "sasrec reference", "ml-100k", "50", "2"]


async def test_the_copied_command_launches_the_same_run(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("down", "down", "ctrl+y")
        await settled(pilot)
        words = shlex.split(app.clipboard)
        assert words[:4] == ["seqbench", "run", "--model", "sasrec"]
        assert {"lr=0.002", "dim=32"} <= set(words)
        await pilot.press("b")
        await settled(pilot)
        await pilot.press("ctrl+y")
        assert shlex.split(app.clipboard) == words


async def test_a_note_is_written_and_found(measured: MeasuredStore) -> None:
    remembered.keep("compare", {"columns": ["NDCG@10/test", "note"]})
    async with comparing(measured) as (app, pilot):
        run = table(app).cursor_key
        await pilot.press("n")
        await settled(pilot)
        await pilot.press(*"fine", "enter")
        await wait_for(pilot, lambda: any("✎" in m for m in column_of(app, "model")), "its sign")
        await pilot.press("C", *"4", "enter")
        await wait_for(pilot, lambda: "fine" in column_of(app, "note"), "the note is shown")
        signed = [model for model in column_of(app, "model") if model.endswith(" ✎")]
        assert len(signed) == 1, "the sign stands beside the run that has a note"
        assert stored(measured, "SELECT note FROM runs WHERE id = ?", run) == [("fine",)]


async def test_tags_are_given_to_marked_runs_and_taken_away(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        first, second = (row.key for row in table(app)._rows[:2])
        change_tags(measured.location, [first], ["old", "mine"], [])
        change_tags(measured.location, [second], ["old"], [])
        await pilot.press("space", "space", "number_sign")
        await wait_for(pilot, lambda: isinstance(app.screen, TagsScreen), "the dialog")
        await pilot.press("ctrl+u", *"a=b")
        await pilot.press("enter")
        assert isinstance(app.screen, TagsScreen)
        assert "can't be a tag" in str(app.screen.query_one("Static").render())
        await pilot.press("ctrl+u", *"paper best", "enter")
        await wait_for(pilot, lambda: "paper best" in column_of(app, "tags"), "tags are shown")
        tags = dict(stored(measured, "SELECT id, tags FROM runs WHERE tags <> '[]'"))
        assert tags == {first: '["mine", "paper", "best"]', second: '["paper", "best"]'}
        await pilot.press("slash", *"tag:mine")
        await wait_for(pilot, lambda: table(app).total == 1, "filtered")


async def test_the_last_deletion_is_undone_on_every_screen(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        first, second = (row.key for row in table(app)._rows[:2])
        await pilot.press("d")
        await wait_for(pilot, lambda: asked(measured) == [first], "asked")
        await wait_for(pilot, lambda: table(app).total == 22, "out of sight")
        assert "1 run deleted: u brings it back" in said(app)
        assert table(app).cursor_key == second
        await pilot.press("d")
        await wait_for(pilot, lambda: asked(measured) == [first, second], "asked")
        await wait_for(pilot, lambda: table(app).total == 21, "out of sight")
        work(measured)
        await pilot.press("u")
        await wait_for(pilot, lambda: table(app).total == 22, "back")
        assert second in [row.key for row in table(app)._rows]
        await pilot.press("2", "u")
        await wait_for(pilot, lambda: f"{first} restored (deleted just now)." in said(app), "said")
        await pilot.press("2", "u")
        await wait_for(pilot, lambda: "The trash is empty." in said(app), "said")
        await pilot.press("3")
        await wait_for(pilot, lambda: asked(measured) == [], "the deletion is withdrawn")
        await wait_for(pilot, lambda: table(app).total == 23, "back")


async def test_what_nobody_has_deleted_yet_is_out_of_sight(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        run = table(app).cursor_key
        await pilot.press("d")
        await wait_for(pilot, lambda: asked(measured) == [run], "asked")
        await wait_for(pilot, lambda: table(app).total == 22, "out of sight")
        await settled(pilot)
        assert run not in [row.key for row in table(app)._rows]
        assert not screen(app).deleting.hidden
    assert [row[0] for row in stored(measured, "SELECT id FROM runs WHERE id = ?", run)] == [run]


async def test_the_trash_lists_what_nobody_has_deleted_yet(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        run = table(app).cursor_key
        await pilot.press("d")
        await wait_for(pilot, lambda: asked(measured) == [run], "asked")
        await pilot.press("U")
        await wait_for(pilot, lambda: isinstance(app.screen, TrashScreen), "the trash")
        assert run is not None
        assert run in screen_text(app)
        await pilot.press("enter")
        await wait_for(pilot, lambda: table(app).total == 23, "back")
    assert asked(measured) == []


async def test_another_app_undoes_it_tomorrow(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        run = table(app).cursor_key
        await pilot.press("d")
        await wait_for(pilot, lambda: asked(measured) == [run], "asked")
    work(measured)
    async with comparing(measured) as (app, pilot):
        assert table(app).total == 22
        await pilot.press("u")
        await wait_for(pilot, lambda: table(app).total == 23, "back")


async def test_several_are_deleted_after_asking(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("space", "space", "d")
        await wait_for(pilot, lambda: isinstance(app.screen, AskScreen), "the question")
        await pilot.press("escape", "d")
        await wait_for(pilot, lambda: isinstance(app.screen, AskScreen), "the question")
        await pilot.press("enter")
        await wait_for(pilot, lambda: table(app).total == 21, "out of sight")
        assert not screen(app).selection.marked
        await wait_for(pilot, lambda: len(asked(measured)) == 2, "asked")
        await pilot.press("u")
        await wait_for(pilot, lambda: table(app).total == 23, "both are back")


async def test_what_took_long_or_has_a_note_is_deleted_after_asking(
    measured: MeasuredStore,
) -> None:
    async with comparing(measured) as (app, pilot):
        first, second = (row.key for row in table(app)._rows[:2])
        set_note(measured.location, first, "for the paper")
        with closing(connect_writer(measured.location)) as connection, write(connection):
            connection.execute("UPDATE summaries SET total_seconds = 7620 WHERE run = ?", (second,))
        for run, words in ((first, "has a note"), (second, "trained for 2 h 07 m.")):
            await pilot.press("d")
            await wait_for(pilot, lambda: isinstance(app.screen, AskScreen), "the question")
            asks = str(app.screen.query_one("Static").render())
            assert run in asks
            assert words in asks
            assert "Press u within 30 days to bring it back." in asks
            await pilot.press("escape", "down")
        await settled(pilot)
    assert asked(measured) == []


async def test_single_runs_come_back_from_the_trash(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("U")
        await wait_for(pilot, lambda: "The trash is empty." in said(app), "said")
        first, second, third = (row.key for row in table(app)._rows[:3])
        set_note(measured.location, first, "for the [b]paper")
        for runs in ([first, second], [third]):
            request_delete(measured.location, runs)
            work(measured)
        await wait_for(pilot, lambda: table(app).total == 20, "out of sight")
        await pilot.press("U")
        await wait_for(pilot, lambda: isinstance(app.screen, TrashScreen), "the trash")
        shown = screen_text(app)
        for word in ("Trash: 3 deleted runs", first, second, third, "for the [b]paper"):
            assert word in shown
        await pilot.press("down", "enter")  # the oldest two are in the order of their names
        await wait_for(pilot, lambda: app.screen.query_one(OptionList).option_count == 2, "back")
        await pilot.press("enter")
        await wait_for(pilot, lambda: app.screen.query_one(OptionList).option_count == 1, "back")
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, CompareScreen), "nothing is left")
        await wait_for(pilot, lambda: table(app).total == 23, "all are back")


async def test_a_cell_and_a_running_run_are_not_deleted(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        running = column_of(app, "state").index("◐")
        table(app).move_to(running)
        await settled(pilot)
        await pilot.press("d", "b")
        await settled(pilot)
        await pilot.press("d", "number_sign", "n")
        await settled(pilot)
        assert screen(app).deleting.hidden == ()
        assert any("It is running" in text for text in said(app))
        assert any("press enter to expand the cell" in text for text in said(app))

"""What is done with runs on the Compare screen: copies, notes, tags, deletion taken back or not."""

from __future__ import annotations

import shlex
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from comparing import column_of, comparing, status, table
from measured_runs import MeasuredStore, filled_store
from pilots import settled, wait_for

from engine.store.connect import connect_reader
from engine.store.database import fetch
from engine.store.requests import change_tags
from tui.app import SeqbenchApp
from tui.compare import deletions as compare_deleting
from tui.compare.annotating import TagsScreen
from tui.compare.deletions import UNDO_SECONDS, Deletions
from tui.compare.screen import CompareScreen
from tui.dialogs.ask import AskScreen


@pytest.fixture
def measured(tmp_path: Path) -> MeasuredStore:
    return filled_store(tmp_path)[0]


def stored(store: MeasuredStore, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(connect_reader(store.location)) as con:
        return [tuple(row) for row in fetch(con, sql, values)]


def asked(store: MeasuredStore) -> list[str]:
    """Runs that the supervisor is asked to delete."""
    return [row[0] for row in stored(store, "SELECT run FROM requests WHERE action = 'delete'")]


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
    async with comparing(measured) as (app, pilot):
        run = table(app).cursor_key
        await pilot.press("n")
        await settled(pilot)
        await pilot.press(*"fine", "enter")
        await wait_for(pilot, lambda: "fine" in column_of(app, "note"), "the note is shown")
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


async def test_deletion_is_taken_back(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        first, second, third = (row.key for row in table(app)._rows[:3])
        await pilot.press("d")
        await wait_for(pilot, lambda: table(app).total == 22, "out of sight")
        assert "1 run deleted: u takes it back" in status(app)
        assert table(app).cursor_key == second
        await pilot.press("d")
        await wait_for(pilot, lambda: table(app).total == 21, "out of sight")
        assert screen(app).deleting.hidden == tuple(sorted((first, second)))
        await pilot.press("u")
        await wait_for(pilot, lambda: table(app).total == 22, "back")
        assert second in [row.key for row in table(app)._rows]
        await pilot.press("u")
        await wait_for(pilot, lambda: table(app).total == 23, "back")
        assert screen(app).check_action("undo", ()) is False
        assert not screen(app).deleting.hidden
    assert asked(measured) == []
    assert third


async def test_after_its_time_the_supervisor_is_asked(
    measured: MeasuredStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare_deleting, "UNDO_SECONDS", 0.0)
    async with comparing(measured) as (app, pilot):
        run = table(app).cursor_key
        await pilot.press("d")
        await wait_for(pilot, lambda: asked(measured) == [run], "asked")
        await wait_for(pilot, lambda: table(app).total == 22, "out of sight")
        await settled(pilot)
        # Nobody has done it yet; all the same it doesn't come back.
        assert run not in [row.key for row in table(app)._rows]
        assert not screen(app).deleting.hidden


async def test_leaving_deletes_what_was_deleted(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        run = table(app).cursor_key
        await pilot.press("d")
        await wait_for(pilot, lambda: table(app).total == 22, "out of sight")
        assert asked(measured) == []
    assert asked(measured) == [run]


async def test_several_are_deleted_after_asking(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("space", "space", "d")
        await settled(pilot)
        assert isinstance(app.screen, AskScreen)
        await pilot.press("escape", "d", "enter")
        await wait_for(pilot, lambda: table(app).total == 21, "out of sight")
        assert not screen(app).selection.marked
        await pilot.press("u")
        await wait_for(pilot, lambda: table(app).total == 23, "both are back")


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
        said = [notification.message for notification in app._notifications]
        assert any("It is running" in text for text in said)
        assert any("enter unfolds a cell" in text for text in said)


def test_deletions_are_due_one_by_one() -> None:
    deletions = Deletions()
    assert deletions.take_back() == ()
    assert deletions.left(0.0) is None
    deletions.add(["a", "b"], 0.0)
    deletions.add(["c"], 4.0)
    assert deletions.left(4.0) == UNDO_SECONDS
    assert deletions.take_due(UNDO_SECONDS - 0.1) == []
    assert deletions.take_due(UNDO_SECONDS) == ["a", "b"]
    assert deletions.hidden == ("a", "b", "c")
    assert deletions.take_back() == ("c",)
    assert deletions.hidden == ("a", "b")

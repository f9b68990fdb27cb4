"""Keys that arrive in one packet act on what the first of them shows, once that is read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from bursts import ENTER, HOME, type_at_once
from comparing import column_of, comparing, table
from measured_runs import MeasuredStore, filled_store
from pilots import settled, wait_for

from engine.store.connect import connect_writer
from engine.store.requests import set_note
from tui.app import SeqbenchApp
from tui.compare.screen import CompareScreen
from tui.live.screen import LiveScreen
from tui.pivot import screen as pivot
from tui.pivot.reading import Shown, read_pivot
from tui.pivot.screen import PivotScreen
from tui.results.export import ExportScreen
from tui.results.note import NoteScreen
from tui.run.screen import RunScreen
from tui.widgets.field import Field

DOWN = "\x1b[B"


@pytest.fixture
def measured(tmp_path: Path) -> MeasuredStore:
    return filled_store(tmp_path)[0]


def compare_screen(app: SeqbenchApp) -> CompareScreen:
    screen = app.screen
    assert isinstance(screen, CompareScreen)
    return screen


async def test_a_cell_is_expanded_that_was_not_there_yet(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        type_at_once(app, "b" + ENTER)
        await wait_for(pilot, lambda: "▾" in column_of(app, "state"), "a cell is expanded")
        assert column_of(app, "state")[0] == "▾"


async def test_the_cursor_moves_when_it_was_typed(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        type_at_once(app, "b" + ENTER + DOWN)
        await wait_for(pilot, lambda: "▾" in column_of(app, "state"), "a cell is expanded")
        await settled(pilot)
        assert column_of(app, "state")[0] == "▾"
        assert table(app).cursor_index == 1


async def test_rows_are_marked_that_come_first_in_the_new_order(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        before = [row.key for row in table(app)._rows]
        type_at_once(app, "s  ")
        await wait_for(pilot, lambda: len(compare_screen(app).selection.marked) == 2, "two marks")
        await settled(pilot)
        after = [row.key for row in table(app)._rows]
        assert after[:2] != before[:2]
        assert list(compare_screen(app).selection.marked) == after[:2]


async def test_the_best_run_is_opened_as_compare_opens(measured: MeasuredStore) -> None:
    app = SeqbenchApp(measured.location)
    async with app.run_test(size=(120, 36)) as pilot:
        await wait_for(pilot, lambda: app.snapshot.version, "the store is known")
        type_at_once(app, "3" + ENTER)
        await wait_for(pilot, lambda: isinstance(app.screen, RunScreen), "a run's page")
        compare = next(screen for screen in app.screen_stack if isinstance(screen, CompareScreen))
        assert isinstance(app.screen, RunScreen)
        assert app.screen.run_id == compare.table._rows[0].key


async def test_the_cursor_waits_for_the_first_rows(
    measured: MeasuredStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Event()

    def read_once_let(*arguments: Any) -> Shown:
        assert gate.wait(60)
        return read_pivot(*arguments)

    monkeypatch.setattr(pivot, "read_pivot", read_once_let)
    async with comparing(measured) as (app, pilot):
        await pilot.press("v")
        type_at_once(app, DOWN + DOWN + " ")
        await pilot.pause()
        gate.set()
        await settled(pilot)
        assert isinstance(app.screen, PivotScreen)
        second = app.screen._sight[2]
        assert second.is_cell
        assert list(app.screen._marked) == [second.cell]


async def test_without_runs_nothing_waits_for_the_first(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    app = SeqbenchApp(store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        type_at_once(app, "3" + ENTER)
        await wait_for(pilot, lambda: isinstance(app.screen, CompareScreen), "Compare")
        store.fill()
        await wait_for(pilot, lambda: compare_screen(app).table._rows, "runs")
        await settled(pilot)
        assert isinstance(app.screen, CompareScreen)


async def test_the_first_run_of_the_queue_is_opened(measured: MeasuredStore) -> None:
    app = SeqbenchApp(measured.location)
    async with app.run_test(size=(120, 36)) as pilot:
        await wait_for(pilot, lambda: app.snapshot.version, "the store is known")
        type_at_once(app, "2" + ENTER)
        await wait_for(pilot, lambda: isinstance(app.screen, RunScreen), "a run's page")
        live = next(screen for screen in app.screen_stack if isinstance(screen, LiveScreen))
        assert live.queue.selected is not None
        assert isinstance(app.screen, RunScreen)
        assert app.screen.run_id == live.queue.selected.id


async def test_a_pivot_is_exported_that_was_not_read_yet(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        type_at_once(app, "ve")
        await wait_for(pilot, lambda: isinstance(app.screen, ExportScreen), "the dialog")
        assert isinstance(app.screen_stack[-2], PivotScreen)
        assert not app._notifications


async def test_a_note_is_changed_and_not_written_over(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        type_at_once(app, HOME)
        run = table(app)._rows[0].key
        set_note(measured.location, run, "seen twice")
        type_at_once(app, ENTER + "n")
        await wait_for(pilot, lambda: isinstance(app.screen, NoteScreen), "the dialog")
        await wait_for(pilot, lambda: app.screen.query(Field), "its field")
        assert app.screen.query_one(Field).value == "seen twice"


async def test_what_was_typed_where_nothing_could_be_read_is_not_kept(
    measured: MeasuredStore,
) -> None:
    async with comparing(measured) as (app, pilot):
        known = dict(app.snapshot.counts)
        with closing(connect_writer(measured.location)) as con:
            con.execute("ALTER TABLE summaries RENAME TO elsewhere")
            type_at_once(app, "a")
            await wait_for(pilot, lambda: not table(app).display, "why there are no rows")
            type_at_once(app, ENTER + "n")
            await settled(pilot)
            con.execute("ALTER TABLE elsewhere RENAME TO summaries")
        await wait_for(pilot, lambda: table(app).display, "the rows")
        await settled(pilot)
        assert isinstance(app.screen, CompareScreen), "keys of a while ago"
        assert app.snapshot.counts == known

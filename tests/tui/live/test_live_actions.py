"""Keys of the Live screen, and what they ask of the supervisor."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from live_app import know_the_surroundings, select, show_live
from live_lines import screen_text
from live_runs import LiveStore, populate
from measured_runs import MeasuredStore
from pilots import DEADLINE, wait_for

from engine.config import Catalogue
from engine.store import queries
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.location import StoreLocation
from engine.store.transitions import hold
from tui.app import SeqbenchApp
from tui.charts.braille.chart import Chart
from tui.dialogs.ask import AskScreen
from tui.dialogs.limit import LimitScreen
from tui.live.queue_table import QueueTable
from tui.live.reading import (
    Forecast,
    KeptReader,
    Known,
    LiveUpdate,
    read_live,
)
from tui.run.screen import RunScreen


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)


def requests(location: StoreLocation) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(location.db)) as connection:
        return list(connection.execute("SELECT action, run FROM requests ORDER BY id"))


async def test_a_paused_queue_says_what_key_resumes_it(empty_store: LiveStore) -> None:
    populate(empty_store)
    app = SeqbenchApp(empty_store.location)

    def shown() -> str:
        return " ".join(" ".join(screen_text(app)).split())

    async with app.run_test(size=(120, 36)) as pilot:
        await show_live(pilot)
        assert "p Pause" in shown()
        with closing(connect_writer(empty_store.location)) as con, write(con):
            hold(con, "user", "Paused by hand.")
        await wait_for(pilot, lambda: "Queue paused. Press p to resume." in shown(), "the banner")
        await wait_for(pilot, lambda: "p Resume" in shown(), "the key")
        assert "Pause " not in shown()
        await pilot.press("p")
        await wait_for(pilot, lambda: requests(empty_store.location), "the request")
        assert requests(empty_store.location) == [("resume", "")]


async def test_cancelling_asks_first(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(80, 24)) as pilot:
        await show_live(pilot)
        await select(pilot, runs["running"])
        await pilot.press("x")
        await wait_for(pilot, lambda: "Cancel sasrec" in "\n".join(screen_text(app)), "question")
        await pilot.press("escape")
        await pilot.pause()
        assert requests(empty_store.location) == []
        await pilot.press("x", "y")
        await wait_for(pilot, lambda: requests(empty_store.location), "the request")
        assert requests(empty_store.location) == [("cancel", runs["running"])]


async def test_the_chart_key_shows_each_alone(empty_store: LiveStore) -> None:
    populate(empty_store)
    app = SeqbenchApp(empty_store.location)

    def shown() -> list[str | None]:
        return [chart.id for chart in app.screen.query(Chart) if chart.size.area]

    async with app.run_test(size=(120, 36)) as pilot:
        await show_live(pilot)
        assert shown() == ["loss", "valid", "grad"], "the learning rate is constant: a line"
        for only in ("loss", "valid", "grad", "lr"):
            await pilot.press("g")
            await pilot.pause()
            assert shown() == [only]
        await pilot.resize_terminal(80, 24)
        assert shown() == ["lr"]
        await pilot.resize_terminal(120, 36)
        assert shown() == ["lr"]
        await pilot.press("g")
        await pilot.pause()
        assert len(shown()) == 3
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert shown() == ["loss"]
        await pilot.press("g")
        await pilot.pause()
        assert shown() == ["valid"]


async def test_enter_opens_the_run_and_escape_comes_back(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await show_live(pilot)
        await select(pilot, runs["done"])
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, RunScreen), "its details")
        await pilot.press("escape")
        await wait_for(pilot, lambda: app.screen is screen, "back")


async def test_keys_act_on_the_run_under_the_cursor_before_it_is_read(
    empty_store: LiveStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = populate(empty_store)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await show_live(pilot)
        await select(pilot, runs["running"])
        may_read = Event()

        def read_later(
            store: KeptReader,
            known: Known,
            catalogue: Catalogue | None,
            forecast: Forecast,
            now: float,
        ) -> LiveUpdate:
            assert may_read.wait(DEADLINE)
            return read_live(store, known, catalogue, forecast, now)

        monkeypatch.setattr("tui.live.screen.read_live", read_later)
        order = [run.id for run in screen.queue._runs]
        steps = order.index(runs["failed"]) - order.index(runs["running"])
        await pilot.press(*["down" if steps > 0 else "up"] * abs(steps), "t")
        await wait_for(pilot, lambda: requests(empty_store.location), "it is asked for")
        assert requests(empty_store.location) == [("retry", runs["failed"])]
        steps = order.index(runs["queued"]) - order.index(runs["failed"])
        await pilot.press(*["down" if steps > 0 else "up"] * abs(steps), "x")
        assert isinstance(app.screen, AskScreen)
        await pilot.press("y")
        await wait_for(pilot, lambda: len(requests(empty_store.location)) > 1, "the other, too")
        assert requests(empty_store.location)[-1] == ("cancel", runs["queued"])
        may_read.set()


async def test_queue_order_and_selection_survive_changes(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await show_live(pilot)
        await select(pilot, runs["queued"])
        empty_store.train(runs["queued"], 1)
        table = screen.query_one(QueueTable)
        await wait_for(
            pilot, lambda: table.selected and table.selected.state == "running", "it runs"
        )
        assert table.selected is not None
        assert table.selected.id == runs["queued"]
        with closing(connect_reader(empty_store.location)) as connection:
            states = [run.state for run in queries.queue(connection)]
        assert states[:4] == ["running", "running", "running", "queued"]


async def test_a_run_at_its_limit_is_trained_on(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    improving = store.add("xlstm", epochs=6, improving=True)
    early = store.add("sasrec", epochs=6)
    app = SeqbenchApp(store.location)
    async with app.run_test(size=(80, 24)) as pilot:
        await show_live(pilot)
        screen = await select(pilot, early)
        assert screen.check_action("train_on", ()) is False
        await select(pilot, improving)
        assert "press m for more epochs" in " ".join(" ".join(screen_text(app)).split())
        await pilot.press("m")
        assert isinstance(app.screen, LimitScreen)
        await pilot.press("enter")

        def queued() -> list[tuple[str, int]]:
            with closing(connect_reader(store.location)) as con:
                rows = con.rows("SELECT id, epochs FROM runs WHERE state = 'queued'")
            return [(row[0], row[1]) for row in rows]

        await wait_for(pilot, queued, "the new run")
        ((new, limit),) = queued()
        assert (new.startswith("xlstm-"), limit) == (True, 12)


async def test_a_finished_run_is_refitted(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    done, waiting = store.add("sasrec", epochs=6), store.add("xlstm", epochs=0)
    app = SeqbenchApp(store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        await show_live(pilot)
        screen = await select(pilot, waiting)
        assert screen.check_action("refit", ()) is False
        await select(pilot, done)
        await pilot.press("M")
        assert isinstance(app.screen, AskScreen)
        shown = " ".join(" ".join(screen_text(app)).split())
        assert "Refit this run?" in shown
        assert done in shown

        def refits() -> list[str]:
            with closing(connect_reader(store.location)) as con:
                rows = con.rows("SELECT refits FROM runs WHERE refits IS NOT NULL")
            return [row[0] for row in rows]

        await pilot.press("escape")
        assert not refits()
        await pilot.press("M", "enter")
        await wait_for(pilot, refits, "the refit")
        assert refits() == [done]


async def test_a_failed_run_says_why_and_what_to_press(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(80, 24)) as pilot:
        await show_live(pilot)
        screen = await select(pilot, runs["failed"])
        shown = "\n".join(screen_text(app))
        assert "✗ failed · diverged" in shown
        assert "press ⏎ to see what to try" in shown
        assert screen.check_action("cancel", ()) is None
        assert screen.check_action("retry", ()) is True
        await pilot.press("t")
        await wait_for(pilot, lambda: requests(empty_store.location), "the request")
        assert requests(empty_store.location) == [("retry", runs["failed"])]

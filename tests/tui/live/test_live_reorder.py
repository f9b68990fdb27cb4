"""Changing the order of the queue from the Live screen, down to the store."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from live_app import know_the_surroundings, select, show_live
from live_lines import screen_text
from live_runs import LiveStore, populate
from pilots import wait_for

from engine.config import Settings
from engine.store import queries
from engine.store.connect import connect_reader, connect_writer
from engine.store.location import StoreLocation
from engine.supervisor.launcher import LocalLauncher, Pool
from engine.supervisor.queue import Queue
from tui.app import SeqbenchApp
from tui.live.queue_table import QueueTable


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)


def supervise(location: StoreLocation) -> None:
    """One round of a queue without a slot: it does what it is asked for and starts nothing."""
    with closing(connect_writer(location)) as connection:
        Queue(location, Settings(), {None: Pool(LocalLauncher(), ())}).tick(connection)


def asked(location: StoreLocation) -> list[tuple[str, str]]:
    with closing(connect_reader(location)) as connection:
        rows = connection.execute("SELECT action, run FROM requests ORDER BY id")
        return [tuple(row) for row in rows]


def waiting(location: StoreLocation) -> list[str]:
    with closing(connect_reader(location)) as connection:
        return [run.id for run in queries.waiting(connection)]


async def test_a_run_goes_up_down_to_the_front_and_to_the_end(empty_store: LiveStore) -> None:
    location = empty_store.location
    ids = [empty_store.launch("sasrec", seed=seed) for seed in range(4)]
    app = SeqbenchApp(location)
    async with app.run_test(size=(80, 24)) as pilot:
        await show_live(pilot)
        screen = await select(pilot, ids[2])
        table = screen.query_one(QueueTable)

        async def press(key: str, order: list[int]) -> None:
            await pilot.press(key)
            await wait_for(pilot, lambda: asked(location), "the request")
            supervise(location)
            assert waiting(location) == [ids[number] for number in order]
            await wait_for(
                pilot, lambda: [run.id for run in table._runs] == waiting(location), "the table"
            )
            assert table.selected is not None
            assert table.selected.id == ids[2]

        await press("K", [0, 2, 1, 3])
        await press("J", [0, 1, 2, 3])
        await press("ctrl+t", [2, 0, 1, 3])
        await press("ctrl+e", [0, 1, 3, 2])
        await pilot.pause()
        rows = [row for row in screen_text(app) if "○ sasrec" in row]
        assert ["next" in row for row in rows] == [True, False, False, False]
        assert "3 ahead" in rows[3]


async def test_only_what_waits_can_be_moved(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(80, 24)) as pilot:
        await show_live(pilot)
        screen = await select(pilot, runs["running"])
        assert screen.check_action("reorder", ("up",)) is None
        await pilot.press("K", "J", "ctrl+t", "ctrl+e")
        await pilot.pause()
        assert not [worker for worker in app.workers if worker.group == "live-request"]
        assert asked(empty_store.location) == []
        screen = await select(pilot, runs["queued"])
        assert screen.check_action("reorder", ("up",)) is True

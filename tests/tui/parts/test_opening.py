"""The screen that the app opens on."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from live_runs import LiveStore
from pilots import settled, wait_for
from terminals import APP, Terminal
from textual.widgets import Static

from engine.lifecycle import STATES
from engine.store.connect import connect_writer
from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.launch.screen import LaunchScreen
from tui.live.screen import LiveScreen
from tui.parts.opening import opening_mode

SIZE = (120, 36)


@pytest.mark.parametrize("state", STATES)
def test_live_while_a_run_is_running_or_queued(empty_store: LiveStore, state: str) -> None:
    empty_store.train(empty_store.launch("bert4rec"), 2, end="done")
    empty_store.mark(empty_store.launch("sasrec"), state)
    wanted = "live" if state in ("queued", "running") else "launch"
    assert opening_mode(empty_store.location) == wanted


def test_launch_without_runs(absent_store: StoreLocation, empty_store: LiveStore) -> None:
    assert opening_mode(absent_store) == opening_mode(empty_store.location) == "launch"


def test_launch_of_a_store_that_cant_be_read(tmp_path: Path) -> None:
    damaged = StoreLocation(tmp_path / "damaged.db")
    damaged.db.write_bytes(b"no database" * 1000)
    folder = StoreLocation(tmp_path / "folder.db")
    folder.db.mkdir()
    assert opening_mode(damaged) == opening_mode(folder) == "launch"


def test_a_store_that_is_written_to_is_read_all_the_same(empty_store: LiveStore) -> None:
    empty_store.launch("sasrec")
    with closing(connect_writer(empty_store.location)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert opening_mode(empty_store.location) == "live"
        connection.execute("ROLLBACK")


async def test_launch_and_compare_work_after_live(busy_store: LiveStore) -> None:
    app = SeqbenchApp(busy_store.location, mode=opening_mode(busy_store.location))
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, LiveScreen)
        await wait_for(pilot, lambda: app.screen.queue.selected, "the running run")  # type: ignore[attr-defined]
        await wait_for(pilot, lambda: app.catalogue, "the configuration")
        await pilot.press("1")
        await wait_for(pilot, lambda: isinstance(app.screen, LaunchScreen), "Launch")
        launch = app.screen
        assert isinstance(launch, LaunchScreen)
        await wait_for(pilot, launch.grid.keys, "the cells")
        await wait_for(pilot, lambda: launch.store.view.cells, "the states of cells")
        await pilot.press("a")
        await wait_for(pilot, lambda: launch.grid.selected == set(launch.grid.keys()), "all cells")
        await pilot.press("3")
        await wait_for(pilot, lambda: app.current_mode == "compare", "Compare")


async def test_launch_after_live_says_what_is_wrong_with_the_configuration(
    busy_store: LiveStore, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "x.yaml").write_text("name: x\ntitle: X\nprofils: {}\n")
    app = SeqbenchApp(busy_store.location, folder, mode="live")
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.catalogue_problem, "the problem")
        await pilot.press("1")
        await wait_for(pilot, lambda: isinstance(app.screen, LaunchScreen), "Launch")
        await wait_for(pilot, lambda: app.screen.query("#trouble"), "the panel")
        trouble = app.screen.query_one("#trouble", Static)
        await wait_for(pilot, lambda: "profil" in str(trouble.content), "the sentence")


def test_the_command_opens_where_something_happens(
    empty_store: LiveStore, quick_line: None
) -> None:
    def opens_with(frame: str) -> None:
        terminal = Terminal([*APP, empty_store.location.db], size=SIZE)
        try:
            terminal.shows(frame)
        finally:
            terminal.end()

    opens_with("╭─ Cells")
    empty_store.train(empty_store.launch("sasrec"), 2)
    opens_with("╭─ Queue")

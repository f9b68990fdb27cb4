"""The grid is filled before the configuration is read, and only with what is true."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event

import pytest
from live_runs import LiveStore
from pilots import DEADLINE, settled, wait_for
from textual.pilot import Pilot

from tui.app import SeqbenchApp
from tui.data.screen import DataScreen
from tui.launch.confirm import ConfirmScreen
from tui.launch.screen import LaunchScreen
from tui.shell.presence import topic_of
from tui.shell.remembered import recall

SIZE = (160, 48)
LONG_AGO = 1_600_000_000


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    """A folder for ``--config-dir`` with a data set and another title for a model."""
    folder = tmp_path / "configs"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "sasrec.yaml").write_text("name: sasrec\ntitle: Ours\n")
    age(folder)
    return folder


def age(folder: Path) -> None:
    """Date everything back: what has only just changed isn't relied on."""
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (LONG_AGO, LONG_AGO))


def launch_screen(pilot: Pilot[None]) -> LaunchScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, LaunchScreen)
    return screen


def titles(screen: LaunchScreen) -> set[str]:
    return {row.title for row in screen.grid.rows_and_columns[0]}


async def kept(store: LiveStore, configs: Path) -> None:
    """Open and leave the app, which keeps what it showed."""
    async with SeqbenchApp(store.location, configs).run_test(size=SIZE) as pilot:
        await settled(pilot)
        topic = topic_of("launch", store.location)
        await wait_for(pilot, lambda: recall(topic).get("configuration"), "it is kept")


@asynccontextmanager
async def opened(
    store: LiveStore, configs: Path
) -> AsyncIterator[tuple[Pilot[None], SeqbenchApp, Callable[[], None]]]:
    """Open the app again, and hold it at its first view until the function is called."""
    app = SeqbenchApp(store.location, configs)
    read_the_rest, held = app._start_threads, Event()
    app._start_threads = held.set  # type: ignore[method-assign]
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, held.is_set, "the first view")
        yield pilot, app, read_the_rest


def test_cells_are_read_without_the_classes_of_the_configuration(busy_store: LiveStore) -> None:
    code = """
import sys
from pathlib import Path
import tui.app, tui.launch.screen
from engine.store.location import StoreLocation
from tui.launch.grid.reading import read_store

view = read_store(StoreLocation(Path(sys.argv[1])))
heavy = {"torch", "pandas", "numpy", "sqlite_utils", "pydantic", "yaml"}
print(len(view.cells) > 1, sorted(heavy & sys.modules.keys()))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(busy_store.location.db)],
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "True []", done.stderr


async def test_cells_are_there_before_the_configuration(
    busy_store: LiveStore, configs: Path
) -> None:
    await kept(busy_store, configs)
    async with opened(busy_store, configs) as (pilot, app, read_the_rest):
        screen = launch_screen(pilot)
        await wait_for(pilot, lambda: screen.store.view.cells, "the store's cells")
        assert app.catalogue is None
        early = screen.grid.rows_and_columns[0], screen.grid._cells
        assert "Ours" in titles(screen)
        read_the_rest()
        await settled(pilot)
        assert (screen.grid.rows_and_columns[0], screen.grid._cells) == early


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "models" / "sasrec.yaml").write_text(
            "name: sasrec\ntitle: Mine\n"
        ),
        lambda folder: (folder / "models" / "sasrec.yaml").unlink(),
        lambda folder: (folder / "datasets").mkdir(),
    ],
    ids=["another title", "a file less", "a folder more"],
)
async def test_another_configuration_is_waited_for(
    busy_store: LiveStore, configs: Path, change: Callable[[Path], object]
) -> None:
    await kept(busy_store, configs)
    change(configs)
    async with opened(busy_store, configs) as (pilot, app, read_the_rest):
        screen = launch_screen(pilot)
        assert screen.grid.cursor_key is None
        read_the_rest()
        await settled(pilot)
        assert app.catalogue is not None
        names = {model.title for model in app.catalogue.models.values()}
        assert titles(screen) == names


async def test_runs_that_came_meanwhile_are_shown(busy_store: LiveStore, configs: Path) -> None:
    await kept(busy_store, configs)
    key = ("xlstm", "synthetic", 20)
    busy_store.launch(key[0], length=key[2])
    async with opened(busy_store, configs) as (pilot, *_):
        await wait_for(pilot, lambda: launch_screen(pilot).store.view.cells, "the store's cells")
        view = launch_screen(pilot).store.view
        assert view.cells[key].counts == {"queued": 1}


async def test_enter_means_the_cell_that_the_cursor_stood_on(
    busy_store: LiveStore, configs: Path
) -> None:
    await kept(busy_store, configs)
    async with opened(busy_store, configs) as (pilot, app, read_the_rest):
        screen = launch_screen(pilot)
        await pilot.press("end", "pagedown")
        meant = screen.grid.cursor_key
        await pilot.press("L", "home")
        gone_to = screen.grid.cursor_key
        assert meant is not None
        assert gone_to not in (None, meant)
        read_the_rest()
        await wait_for(pilot, lambda: isinstance(app.screen, ConfirmScreen), "confirm")
        assert isinstance(app.screen, ConfirmScreen)
        (run,) = app.screen._runs
        assert (run.spec.model, run.spec.dataset, run.spec.length) == meant
        await pilot.press("escape")
        await settled(pilot)
        assert screen.grid.cursor_key == gone_to
        assert screen.desk.order is not None
        assert screen.desk.order.cells == {gone_to}


async def test_what_needs_the_configuration_waits_for_it(
    busy_store: LiveStore, configs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    await kept(busy_store, configs)
    async with opened(busy_store, configs) as (pilot, app, read_the_rest):
        names = [column.dataset for column in launch_screen(pilot).grid.rows_and_columns[1]]
        await pilot.press("home", *["right"] * names.index("ml-100k"), "D", "home")
        read_the_rest()
        await wait_for(pilot, lambda: isinstance(app.screen, DataScreen), "the data sets")
        assert isinstance(app.screen, DataScreen)
        assert app.screen._current.name == "ml-100k"

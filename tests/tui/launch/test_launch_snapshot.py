"""Pictures of the Launch screen and of the dialogs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from live_app import know_the_surroundings
from live_runs import NOW, LiveStore
from pilots import settled, wait_for
from sizes import Sizes
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.launch import cell_runs
from tui.launch.devices.slots import DeviceSlots

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)
    monkeypatch.setattr(cell_runs, "wall_clock", lambda: NOW)
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)


def looking(location: StoreLocation, *keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Press keys, and wait until all is there that a picture shows."""

    async def look(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, SeqbenchApp)
        await settled(pilot)
        if location.db.exists():
            await wait_for(pilot, lambda: app.snapshot.counts, "the store is known")
            await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)
        panel = app.screen_stack[0].query_one(DeviceSlots)
        await wait_for(pilot, lambda: app.catalogue_problem or panel.machine.devices, "the machine")
        await settled(pilot)
        for field in app.screen.query("Input, TextArea"):
            assert isinstance(field, Input | TextArea)
            field.cursor_blink = False
        await pilot.pause()

    return look


def picture(
    snap_compare: Compare,
    location: StoreLocation,
    size: tuple[int, int],
    *keys: str,
    configs: Path | None = None,
) -> bool:
    app = SeqbenchApp(location, configs)
    return snap_compare(app, terminal_size=size, run_before=looking(location, *keys))


def pictures(snap_sizes: Sizes, location: StoreLocation, *keys: str) -> None:
    snap_sizes(SeqbenchApp(location), looking(location, *keys))


def test_fresh_machine(snap_sizes: Sizes, absent_store: StoreLocation) -> None:
    pictures(snap_sizes, absent_store)


def test_busy_store(snap_sizes: Sizes, busy_store: LiveStore) -> None:
    pictures(snap_sizes, busy_store.location, "down", "r", "up")


def test_busy_store_in_light(snap_compare: Compare, busy_store: LiveStore) -> None:
    assert picture(snap_compare, busy_store.location, (120, 36), "f2", "c")


def test_rectangle(snap_sizes: Sizes, busy_store: LiveStore) -> None:
    pictures(snap_sizes, busy_store.location, "right", "v", "down", "right")


def test_devices_on_a_narrow_screen(snap_compare: Compare, busy_store: LiveStore) -> None:
    assert picture(snap_compare, busy_store.location, (80, 24), "d")


def test_save_as_a_suite(
    snap_sizes: Sizes, absent_store: StoreLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    keys = ["space", "v", "right", "down", "enter", "down", "space", "s", *"mine"]
    pictures(snap_sizes, absent_store, *keys)


def test_load_a_suite(snap_compare: Compare, absent_store: StoreLocation) -> None:
    assert picture(snap_compare, absent_store, (80, 24), "S", "down", "down")


def test_form_beside_a_narrow_grid(snap_compare: Compare, absent_store: StoreLocation) -> None:
    keys = ["o", "tab", "tab", "tab", *"ep=3"]
    typed = [{"=": "equals_sign"}.get(key, key) for key in keys]
    assert picture(snap_compare, absent_store, (80, 24), *typed)


def test_confirm_with_missing_data(snap_sizes: Sizes, absent_store: StoreLocation) -> None:
    pictures(snap_sizes, absent_store, "r", "enter")


def test_confirm_in_light(snap_compare: Compare, busy_store: LiveStore) -> None:
    assert picture(snap_compare, busy_store.location, (120, 36), "f2", "c", "enter")


def test_confirm_with_more_seeds(snap_compare: Compare, busy_store: LiveStore) -> None:
    assert picture(snap_compare, busy_store.location, (80, 24), "c", "enter", "s")


def test_tune(snap_sizes: Sizes, absent_store: StoreLocation) -> None:
    pictures(snap_sizes, absent_store, "space", "down", "down", "down", "space", "t")


def test_tune_with_a_mistake_in_light(snap_compare: Compare, absent_store: StoreLocation) -> None:
    assert picture(snap_compare, absent_store, (80, 24), "f2", "t", "x")


def test_help(snap_sizes: Sizes, absent_store: StoreLocation) -> None:
    pictures(snap_sizes, absent_store, "question_mark")


def test_quit(snap_sizes: Sizes, busy_store: LiveStore) -> None:
    pictures(snap_sizes, busy_store.location, "q")


def test_fetch(snap_compare: Compare, absent_store: StoreLocation) -> None:
    assert picture(snap_compare, absent_store, (80, 24), "right", "f")


def test_bad_configuration(
    snap_compare: Compare,
    absent_store: StoreLocation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine" / "models").mkdir(parents=True)
    (tmp_path / "mine" / "models" / "x.yaml").write_text("name: x\ntitle: X\nprofils: {}\n")
    assert picture(snap_compare, absent_store, (80, 24), configs=Path("mine"))

"""Pictures of the Live screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from live_app import know_the_surroundings, select, show_live, still
from live_runs import LiveStore, populate
from pilots import wait_for
from sizes import Sizes, by_x
from textual.pilot import Pilot

from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.live.log.tail import LogTail

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)


def test_a_run_in_training(snap_sizes: Sizes, empty_store: LiveStore) -> None:
    runs = populate(empty_store)

    async def look(pilot: Pilot[None]) -> None:
        await show_live(pilot)
        screen = await select(pilot, runs["running"])
        await wait_for(pilot, lambda: len(screen.query_one(LogTail)._log) == 56, "its log")
        await still(pilot)

    snap_sizes(SeqbenchApp(empty_store.location), look, by_x)


def test_a_failed_run(snap_compare: Compare, empty_store: LiveStore) -> None:
    runs = populate(empty_store)

    async def look(pilot: Pilot[None]) -> None:
        await show_live(pilot)
        await select(pilot, runs["failed"])
        await still(pilot)

    assert snap_compare(SeqbenchApp(empty_store.location), terminal_size=(120, 36), run_before=look)


def test_nothing_launched_yet(snap_compare: Compare, absent_store: StoreLocation) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await show_live(pilot)

    assert snap_compare(SeqbenchApp(absent_store), terminal_size=(80, 24), run_before=look)

"""Pictures of the pivot at three sizes, with the reference, folded, on light."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from live_app import know_the_surroundings
from measured_runs import MeasuredStore, filled_store
from pilots import settled, wait_for
from pivoting import rank, said
from textual.pilot import Pilot

from tui.app import SeqbenchApp
from tui.screens.pivot import PivotScreen

Compare = Callable[..., bool]
SIZES = [(80, 24), (120, 36), (200, 50)]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MeasuredStore:
    know_the_surroundings(monkeypatch, tmp_path)
    store, runs = filled_store(tmp_path)
    rank(store, runs.values(), 0.13)
    return store


def picture(snap_compare: Compare, store: MeasuredStore, size: tuple[int, int], *keys: str) -> bool:
    async def look(pilot: Pilot[None]) -> None:
        for key in ("3", "v", *keys):
            await settled(pilot)
            await pilot.press(key)
        screen = pilot.app.screen
        assert isinstance(screen, PivotScreen)
        await settled(pilot)
        await wait_for(pilot, lambda: "…" not in said(screen, "cell"), "intervals are read")
        await settled(pilot)

    return snap_compare(SeqbenchApp(store.location), terminal_size=size, run_before=look)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_pivot(snap_compare: Compare, measured: MeasuredStore, size: tuple[int, int]) -> None:
    assert picture(snap_compare, measured, size, "down", "down")


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_with_the_reference(
    snap_compare: Compare, measured: MeasuredStore, size: tuple[int, int]
) -> None:
    keys = ("r", "down", "down", *["right"] * 10)
    assert picture(snap_compare, measured, size, *keys)


def test_folded_and_marked_on_light(snap_compare: Compare, measured: MeasuredStore) -> None:
    keys = ("f2", "a", "enter", *["down"] * 3, "space", "space")
    assert picture(snap_compare, measured, (120, 36), *keys)

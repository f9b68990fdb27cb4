"""Pictures of the pivot at three sizes, with the reference, folded, on light."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from live_app import know_the_surroundings
from measured_runs import MeasuredStore, filled_store
from pilots import settled, wait_for
from pivoting import rank, said
from sizes import ONE_SIZE, Sizes
from textual.pilot import Pilot

from tui.app import SeqbenchApp
from tui.pivot.screen import PivotScreen

Compare = Callable[..., bool]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MeasuredStore:
    know_the_surroundings(monkeypatch, tmp_path)
    store, runs = filled_store(tmp_path)
    rank(store, runs.values(), 0.13)
    return store


def looking(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Open the pivot and press keys, each once the one before has been answered."""

    async def look(pilot: Pilot[None]) -> None:
        for key in ("3", "v", *keys):
            await settled(pilot)
            await pilot.press(key)
        screen = pilot.app.screen
        assert isinstance(screen, PivotScreen)
        await settled(pilot)
        await wait_for(pilot, lambda: "…" not in said(screen, "cell"), "intervals are read")
        await settled(pilot)

    return look


def picture(snap_compare: Compare, store: MeasuredStore, size: tuple[int, int], *keys: str) -> bool:
    app = SeqbenchApp(store.location)
    return snap_compare(app, terminal_size=size, run_before=looking(*keys))


def test_pivot(snap_sizes: Sizes, measured: MeasuredStore) -> None:
    snap_sizes(SeqbenchApp(measured.location), looking("down", "down"))


@pytest.mark.parametrize("size", ONE_SIZE, ids=str)
def test_with_the_reference(
    snap_compare: Compare, measured: MeasuredStore, size: tuple[int, int]
) -> None:
    keys = ("r", "down", "down", *["right"] * 3)
    assert picture(snap_compare, measured, size, *keys)


def test_folded_and_marked_on_light(snap_compare: Compare, measured: MeasuredStore) -> None:
    keys = ("f2", "a", "enter", *["down"] * 3, "space", "space")
    assert picture(snap_compare, measured, (120, 36), *keys)

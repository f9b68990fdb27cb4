"""An app with the comparison's pivot open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from comparing import comparing
from measured_runs import MeasuredStore
from pilots import settled, wait_for
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from tui.app import SeqbenchApp
from tui.pivot.screen import PivotScreen

USERS = 400


@asynccontextmanager
async def pivoting(
    store: MeasuredStore, *before: str, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[SeqbenchApp, Pilot[Any], PivotScreen]]:
    """The pivot, after some keys on the comparison."""
    async with comparing(store, size) as (app, pilot):
        for key in (*before, "v"):
            await pilot.press(key)
            await settled(pilot)
        screen = app.screen
        assert isinstance(screen, PivotScreen)
        await wait_for(pilot, lambda: screen.table.display, "the pivot is read")
        await settled(pilot)
        yield app, pilot, screen


def rank(store: MeasuredStore, runs: Iterable[str], rate: float, users: int = USERS) -> None:
    """Give runs ranks of their test users, so many of them within the first ten."""
    for number, run in enumerate(runs):
        generator = np.random.default_rng([number, int(1000 * rate)])
        hit = generator.random((2, users)) < rate
        ranks = np.where(hit, generator.integers(1, 11, hit.shape), 50).astype(np.int32)
        np.save(store.location.folder(run).test_ranks, ranks)


def labels(screen: PivotScreen) -> list[str]:
    """What the rows are called, of those that are held."""
    return [row.cells[0].text for row in screen.table._rows]


def said(screen: Screen[None], name: str) -> str:
    return str(screen.query_one(f"#{name}", Static).content)

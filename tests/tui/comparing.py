"""An app with the comparison open, and what it shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from measured_runs import MeasuredStore
from pilots import settled, wait_for
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from tui.app import SeqbenchApp
from tui.compare.screen import CompareScreen
from tui.widgets.table import PagedTable


@asynccontextmanager
async def comparing(
    store: MeasuredStore, size: tuple[int, int] = (120, 36), first: str = "compare"
) -> AsyncIterator[tuple[SeqbenchApp, Pilot[Any]]]:
    """An app with the comparison open: it begins with it, or with another screen."""
    app = SeqbenchApp(store.location, mode=first)
    async with app.run_test(size=size) as pilot:
        if first == "compare":
            app.on_first_view_shown()  # which the other screens tell themselves
        await pilot.press("3")
        await wait_for(pilot, lambda: has_rows(app), "the comparison is read")
        await settled(pilot)
        yield app, pilot


def has_rows(app: SeqbenchApp) -> bool:
    """The screen is there, has the focus where keys go, and shows what it read first."""
    screen = app.screen
    return isinstance(screen, CompareScreen) and bool(table(app)._rows) and table(app).has_focus


def table(app: SeqbenchApp, screen: Screen[Any] | None = None) -> PagedTable:
    """A screen's table, or else the topmost one: a dialog may still stand over it."""
    screens = reversed(app.screen_stack) if screen is None else [screen]
    return next(found for shown in screens for found in shown.query(PagedTable))


def lines(app: SeqbenchApp) -> list[str]:
    shown = table(app)
    return [shown.render_line(y).text for y in range(shown.size.height)]


def column_of(app: SeqbenchApp, name: str, screen: Screen[Any] | None = None) -> list[str]:
    """The texts of one column, of the rows that are held."""
    shown = table(app, screen)
    keys = [column.key for column in shown.columns]
    return [row.cells[keys.index(name)].text for row in shown._rows]


def status(app: SeqbenchApp) -> str:
    return str(app.screen.query_one("#status", Static).content)

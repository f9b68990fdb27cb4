"""Draw the pictures of the README and of the tour: ``make pictures``, which trains runs first.
 ``python docs/make_pictures.py --db runs.db`` draws them from a store that is there. It needs
finished runs, at least two of them on the same data set, and one in training.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import TextArea

from engine.store.location import StoreLocation, store_location
from tui.app import SeqbenchApp
from tui.dialogs.news import read_news
from tui.dialogs.since import SinceScreen

PICTURES = Path(__file__).parent / "pictures"
SIZE = (120, 36)
LOOKING, MOMENT = 8.0, 2.0
"""Seconds until the device panel has a history, and until a dialog has read what it shows."""


async def launch(pilot: Pilot[Any]) -> None:
    """The grid, with the results of the cell under the cursor."""
    await pilot.press("1")
    await asyncio.sleep(LOOKING)
    await pilot.press("escape", "right")
    await asyncio.sleep(LOOKING)


async def confirm(pilot: Pilot[Any]) -> None:
    """What is missing from the first three models of a data set, with 24 epochs per run."""
    await pilot.press(*["shift+down"] * 8, "o")
    pilot.app.screen.query_one("#settings", TextArea).text = "epochs=24"
    await pilot.press("escape")
    await asyncio.sleep(MOMENT)
    await pilot.press("enter")
    await asyncio.sleep(LOOKING)


async def live(pilot: Pilot[Any]) -> None:
    """The run in training."""
    await pilot.press("escape", "2", "home")
    await asyncio.sleep(LOOKING)


async def chart(pilot: Pilot[Any]) -> None:
    """One chart large, smoothed, with the cursor on it."""
    await pilot.press("c", "g", "s", "left", "left", "left", "left")
    await asyncio.sleep(MOMENT)


async def leave(pilot: Pilot[Any]) -> None:
    """What keeps running without the terminal."""
    await pilot.press("escape", "q")
    await asyncio.sleep(MOMENT)


async def since(pilot: Pilot[Any]) -> None:
    """What you find if you left before the first run was done."""
    app = pilot.app
    assert isinstance(app, SeqbenchApp)
    await pilot.press("escape", "1")
    news = read_news(app.location, first_end(app.location) - 60, app.catalogue)
    assert news is not None, "no run is done"
    await app.push_screen(SinceScreen(news))
    await asyncio.sleep(MOMENT)


async def compare(pilot: Pilot[Any]) -> None:
    """All runs, with the published results below."""
    await pilot.press("escape", "3", "home")
    await asyncio.sleep(LOOKING)


async def diff(pilot: Pilot[Any]) -> None:
    """The two best finished runs, compared."""
    await pilot.press("slash", *"state:done", "enter")
    await asyncio.sleep(MOMENT)
    await pilot.press("home", "space", "space", "equals_sign")
    await asyncio.sleep(LOOKING)


async def export(pilot: Pilot[Any]) -> None:
    """The comparison as a file."""
    await pilot.press("escape", "escape", "e")
    await asyncio.sleep(MOMENT)


STEPS: tuple[Callable[[Pilot[Any]], Awaitable[None]], ...] = (
    *(launch, confirm, live, chart, leave, since, compare, diff, export),
)
"""In the order in which each leads to the next; a picture has its step's name."""


def first_end(location: StoreLocation) -> float:
    """When the first run was done, in seconds since 1970."""
    with closing(sqlite3.connect(f"file:{location.db}?mode=ro", uri=True)) as con:
        found = con.execute("SELECT min(finished) FROM runs WHERE state = 'done'").fetchone()
    return float(found[0])


async def draw(db: Path, folder: Path) -> None:
    app = SeqbenchApp(store_location(db), None)
    async with app.run_test(size=SIZE) as pilot:
        await asyncio.sleep(MOMENT)
        for step in STEPS:
            await step(pilot)
            app.save_screenshot(f"{step.__name__}.svg", path=str(folder))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--to", type=Path, default=PICTURES, help="the folder of the pictures")
    chosen = parser.parse_args()
    chosen.to.mkdir(exist_ok=True)
    asyncio.run(draw(chosen.db, chosen.to))


if __name__ == "__main__":
    main()

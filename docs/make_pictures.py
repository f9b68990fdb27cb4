"""Draw the README's pictures from a real store: ``python docs/make_pictures.py --db runs.db``.

The app runs headless at 120×36 on the store as it is; launch a run first to see one in training.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from engine.store.location import store_location
from tui.app import SeqbenchApp

PICTURES = Path(__file__).parent / "pictures"
SIZE = (120, 36)
SETTLE_SECONDS = 6.0
"""Long enough for the device panel to have a history."""

SCREENS = {"launch": ["1", "right"], "live": ["2"], "compare": ["3", "down"]}
"""The keys that lead to each picture."""


async def draw(db: Path) -> None:
    app = SeqbenchApp(store_location(db), None)
    async with app.run_test(size=SIZE) as pilot:
        for name, keys in SCREENS.items():
            for key in keys:
                await pilot.press(key)
                await asyncio.sleep(SETTLE_SECONDS)
            app.save_screenshot(f"{name}.svg", path=str(PICTURES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", type=Path, required=True)
    PICTURES.mkdir(exist_ok=True)
    asyncio.run(draw(parser.parse_args().db))


if __name__ == "__main__":
    main()

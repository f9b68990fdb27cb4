"""``python -m benchmarks.watchedapp --db PATH --marks FILE``: the app, which says what it painted.

Into ``FILE`` goes a line of JSON for every paint that showed something new: ``t`` (wall time, s),
``screen``; on the Launch screen ``cells`` (whether it showed the store's cells) and ``cursor``; on
the Live screen ``run`` and ``step``, the newest of that run; on the Compare screen ``rows``, the
text of the first ones, once none of them waits for the store.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TextIO

import tui.app
from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.screens.compare import CompareScreen
from tui.screens.launch import LaunchScreen
from tui.screens.live import LiveScreen
from tui.text import whole
from tui.widgets.run_facts import RunFacts
from tui.widgets.table import HEADER

ROWS = 5


class WatchedApp(SeqbenchApp):
    """Marks each paint, once it has been written to the terminal."""

    CSS_PATH = str(Path(tui.app.__file__).with_name("app.tcss"))

    def __init__(self, location: StoreLocation, marks: TextIO) -> None:
        super().__init__(location)
        self._marks = marks
        self._painted: dict[str, object] | None = None

    def post_display_hook(self) -> None:
        painted = self._shown()
        if painted != self._painted:
            self._painted = painted
            print(json.dumps({"t": time.time(), **painted}), file=self._marks, flush=True)

    def _shown(self) -> dict[str, object]:
        screen = self.screen
        name = {"screen": type(screen).__name__}
        if isinstance(screen, LaunchScreen):
            return {
                **name,
                "cells": bool(screen._store.cells),
                "cursor": str(screen.grid.cursor_key),
            }
        if isinstance(screen, CompareScreen):
            lines = [screen.table.render_line(y).text for y in range(HEADER, HEADER + ROWS)]
            return {**name, **({"rows": lines} if all(map(str.strip, lines)) else {})}
        if isinstance(screen, LiveScreen):
            facts = screen.query_one(RunFacts)
            if facts._facts is not None:
                run = facts._facts.run
                # What stands on the screen, not what the widget was told last.
                text = "".join(text for line in facts._lines for text, _ in line)
                if run.step is not None and f"{whole(run.step)} ·" in text:
                    return {**name, "run": run.id, "step": run.step}
        return name


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--marks", type=Path, required=True)
    options = parser.parse_args()
    with options.marks.open("w") as marks:
        WatchedApp(StoreLocation(options.db), marks).run()


if __name__ == "__main__":
    main()

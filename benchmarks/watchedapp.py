"""``python -m benchmarks.watchedapp --db PATH --marks FILE``: the app, which says what it painted.

Into ``FILE`` goes a line of JSON for every paint that showed something new: ``t`` (wall time, s),
``cpu`` (CPU time of the process, s), ``screen``; on the Launch screen ``cells`` (whether it showed
the store's cells) and ``cursor``; on the Live screen ``run`` and ``step``, the newest of that run;
on the Compare screen ``rows``, the text of the first ones, once none of them waits for the store.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

gc.disable()  # before anything large is imported, as `tui.cli` does

import tui.app  # noqa: E402
from engine.store.location import StoreLocation  # noqa: E402
from tui.app import SeqbenchApp  # noqa: E402
from tui.shell.text import whole  # noqa: E402

if TYPE_CHECKING:
    # A start is measured: what the app imports when a screen is opened isn't imported here.
    from tui.compare.screen import CompareScreen
    from tui.launch.screen import LaunchScreen
    from tui.live.screen import LiveScreen

ROWS = 5

Marks = dict[str, object]


class MarkingApp(SeqbenchApp):
    """Marks each paint that shows something new, once it has been written to the terminal."""

    CSS_PATH = str(Path(tui.app.__file__).with_name("app.tcss"))

    def __init__(self, location: StoreLocation, marks: TextIO) -> None:
        super().__init__(location)
        self._marks = marks
        self._painted: Marks | None = None

    def post_display_hook(self) -> None:
        screen = self.screen
        name = type(screen).__name__
        painted: Marks = {"screen": name}
        if name == "LaunchScreen":
            painted |= _launch(cast("LaunchScreen", screen))
        elif name == "CompareScreen":
            painted |= _compare(cast("CompareScreen", screen))
        elif name == "LiveScreen":
            painted |= _live(cast("LiveScreen", screen))
        if painted != self._painted:
            self._painted = painted
            mark = {"t": time.time(), "cpu": time.process_time(), **painted}
            print(json.dumps(mark), file=self._marks, flush=True)


def _launch(screen: LaunchScreen) -> Marks:
    return {"cells": bool(screen.store.view.cells), "cursor": str(screen.grid.cursor_key)}


def _compare(screen: CompareScreen) -> Marks:
    from tui.widgets.table import HEADER

    lines = [screen.table.render_line(y).text for y in range(HEADER, HEADER + ROWS)]
    return {"rows": lines} if all(map(str.strip, lines)) else {}


def _live(screen: LiveScreen) -> Marks:
    from tui.live.run_facts import RunFacts

    facts = screen.query_one(RunFacts)
    if facts._facts is None:
        return {}
    run = facts._facts.run
    # What stands on the screen, not what the widget was told last; where there is no room for the
    # step, the other lines were drawn with it.
    text = "".join(text for line in facts._lines for text, _ in line)
    shown = run.step is not None and (f"{whole(run.step)} (" in text or "step" not in text)
    return {"run": run.id, "step": run.step} if shown else {}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--marks", type=Path, required=True)
    options = parser.parse_args()
    with options.marks.open("w") as marks:
        MarkingApp(StoreLocation(options.db), marks).run()


if __name__ == "__main__":
    main()

"""``python -m benchmarks.emptyapp FILE``: an app of Textual with nothing in it, which writes the
time of its first paint into ``FILE``: what no app of Textual is faster than."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from textual.app import App


class EmptyApp(App[None]):
    def __init__(self, marks: Path) -> None:
        super().__init__()
        self._marks = marks

    def post_display_hook(self) -> None:
        with self._marks.open("a") as marks:
            print(json.dumps({"t": time.time()}), file=marks)


if __name__ == "__main__":
    EmptyApp(Path(sys.argv[1])).run()

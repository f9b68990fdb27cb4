"""``python -m benchmarks.emptyapp --marks FILE``: an app of Textual's without anything in it.

Into ``FILE`` goes a line of JSON for its first paint, as of `benchmarks.watchedapp`: that app's
times are compared with this one's.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from pathlib import Path

gc.disable()  # as `benchmarks.watchedapp` does

from textual.app import App  # noqa: E402


class EmptyApp(App[None]):
    """Shows nothing."""

    def __init__(self, marks: Path) -> None:
        super().__init__()
        self._marks = marks

    def post_display_hook(self) -> None:
        if not self._marks.exists():
            mark = {"t": time.time(), "cpu": time.process_time(), "screen": "Screen"}
            self._marks.write_text(json.dumps(mark) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--marks", type=Path, required=True)
    EmptyApp(parser.parse_args().marks).run()

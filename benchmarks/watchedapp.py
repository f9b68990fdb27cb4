"""``python -m benchmarks.watchedapp --db PATH --marks FILE``: the app, which says what it painted.

Into ``FILE`` goes a line of JSON for every paint that showed something new: ``t`` (wall time, s),
``screen``; on the Launch screen ``cells`` (whether it showed the store's cells) and ``cursor``; on
the Live screen ``run`` and ``step``, the newest of that run; on the Compare screen ``rows``, the
text of the first ones, once none of them waits for the store.
"""

from __future__ import annotations

import argparse
import gc
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--marks", type=Path, required=True)
    options = parser.parse_args()
    gc.disable()  # as `tui.cli` does
    from benchmarks.marking import MarkingApp
    from engine.store.location import StoreLocation

    with options.marks.open("w") as marks:
        MarkingApp(StoreLocation(options.db), marks).run()


if __name__ == "__main__":
    main()

"""The real supervisor, but that it dies in the middle of taking in a journal when a file tells it.

The file ``die`` beside the database holds ``before`` (nothing of the piece is written) or
``within`` (all is written and not committed).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import engine.store.intake.ingest as ingest
from engine.supervisor.__main__ import main

_insert = ingest._insert


def _die_if_told(connection: Any, rows: ingest.Rows, offset: int) -> None:
    order = Path(connection.path).with_name("die")
    told = order.read_text() if order.exists() else ""
    if told:
        order.unlink()
    if told != "before":
        _insert(connection, rows, offset)
    if told:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    ingest._insert = _die_if_told
    sys.exit(main())

"""The real supervisor, but that it dies in the middle of taking in a journal when a file tells it.

The file ``die`` beside the database holds ``before`` (nothing of the piece is written) or
``within`` (all is written and not committed).

With `SHARED` in its environment one process trains four runs at once, as on a GPU, on the CPU.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import engine.store.intake.ingest as ingest
from engine.config import Slots
from engine.machine.slots import Slot
from engine.supervisor import __main__ as supervisor
from engine.supervisor import sharing

SHARED = "SEQBENCH_CHAOS_SHARED"

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


def _shared_slots(_: Slots) -> list[Slot]:
    return [Slot(f"shared/{n}", "cpu", "CPU", 1, visible="shared") for n in range(4)]


if __name__ == "__main__":
    ingest._insert = _die_if_told
    if SHARED in os.environ:
        supervisor.detect_slots = _shared_slots
        # Every kill is of all: none of them is ever to be trained alone.
        sharing.MOST_SHARED_LOSSES = sys.maxsize
    sys.exit(supervisor.main())

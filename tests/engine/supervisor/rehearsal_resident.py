"""A resident worker whose runs are rehearsals: it has no torch."""

from __future__ import annotations

import sys
from pathlib import Path

from rehearsal_worker import rehearse

from engine.worker.resident import __main__ as resident


class Alone:
    """What the attempts share: nothing but the worker's name."""

    broken = False

    def __init__(self, worker: str) -> None:
        self.worker = worker

    def room_mib(self) -> None:
        return None


if __name__ == "__main__":
    resident.COMMAND = (sys.executable, str(Path(__file__)))
    sys.exit(resident.main(lambda name, _: (rehearse, Alone(name))))

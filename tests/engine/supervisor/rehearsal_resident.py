"""A resident worker whose runs are rehearsals: it has no torch."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

from rehearsal_worker import rehearse

from engine.worker.resident import __main__ as resident

if __name__ == "__main__":
    resident.COMMAND = (sys.executable, str(Path(__file__)))
    sys.exit(resident.main(lambda name, _: (rehearse, SimpleNamespace(worker=name, broken=False))))

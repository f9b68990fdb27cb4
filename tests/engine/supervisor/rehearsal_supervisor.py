"""The real supervisor, with rehearsal workers. It looks often, so that tests needn't wait for it;
``REHEARSAL_GONE_SECONDS`` says how long it waits for a store that was taken away."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from engine.supervisor import __main__ as supervisor
from engine.supervisor.launcher import LocalLauncher
from engine.supervisor.resident import ResidentLauncher

WORKER = (sys.executable, "-P", str(Path(__file__).with_name("rehearsal_worker.py")))
RESIDENT = (sys.executable, str(Path(__file__).with_name("rehearsal_resident.py")))


def resident_launcher(niceness: int = 0) -> ResidentLauncher:
    """Return the launcher of this machine's runs, all of which are rehearsals."""
    return ResidentLauncher(niceness, RESIDENT, LocalLauncher(WORKER, niceness))


if __name__ == "__main__":
    supervisor.TICK_SECONDS = 0.05
    if seconds := os.environ.get("REHEARSAL_GONE_SECONDS"):
        supervisor.GONE_SECONDS = float(seconds)
    sys.exit(supervisor.main(launcher=resident_launcher()))

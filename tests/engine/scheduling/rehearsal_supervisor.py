"""The real supervisor, with rehearsal workers."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.scheduling.launcher import LocalLauncher
from engine.scheduling.supervisor import main

WORKER = (sys.executable, "-P", str(Path(__file__).with_name("rehearsal_worker.py")))

if __name__ == "__main__":
    sys.exit(main(launcher=LocalLauncher(WORKER)))

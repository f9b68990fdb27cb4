"""``python -m engine.worker RUN_FOLDER --attempt N --device cpu --threads 2``.

Reads the run folder, trains, and writes journal, checkpoints and results there. It never opens
the store. SIGTERM, or SIGUSR2 (with which Slurm warns before a time limit), ends it: `cancelled` if
the file ``cancel`` stands in the folder, `preempted` (to be resumed) if not.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from engine.lock import take_lock
from engine.process import OWNER_ONLY
from engine.runfolder import RunFolder


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.worker")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as torch likes")
    parser.add_argument(
        "--lock-seconds", type=float, default=1.0, help="to wait for the run's worker before"
    )
    arguments = parser.parse_args()
    os.umask(OWNER_ONLY)
    folder = RunFolder(arguments.folder.resolve())

    # Held for life, and let go by the kernel however this process ends: whoever finds it free
    # knows that no worker of this run is alive.
    if take_lock(folder.lock, arguments.lock_seconds) is None:
        sys.stderr.write(f"another worker has {folder.run_id}; nothing to do\n")
        return 0
    if folder.newest_attempt() > arguments.attempt or folder.journal(arguments.attempt).exists():
        sys.stderr.write(f"attempt {arguments.attempt} has had its turn; nothing to do\n")
        return 0

    asked_to_stop = False

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked_to_stop
        asked_to_stop = True

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGUSR2, ask_to_stop)
    # A terminal that goes away is no reason to stop.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    from engine.worker.attempt import run_attempt

    return run_attempt(
        folder, arguments.attempt, arguments.device, arguments.threads, lambda: asked_to_stop
    )


if __name__ == "__main__":
    sys.exit(main())

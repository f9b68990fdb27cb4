"""``python -m engine.worker RUN_FOLDER --attempt N --device cpu --threads 2``.

Reads the run folder, trains, and writes journal, checkpoints and results there. It never opens
the store. SIGTERM, or SIGUSR2 (with which Slurm warns before a time limit), ends it: `cancelled` if
the file ``cancel`` stands in the folder, `preempted` (to be resumed) if not.

With ``--processes 2`` it is one of two that ``torchrun`` started for the run, each on a device of
its own. The first does all of the above, and the other lives as long as it.
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
    parser.add_argument("--processes", type=int, default=1, help="of the run, started by torchrun")
    arguments = parser.parse_args()
    os.umask(OWNER_ONLY)
    folder = RunFolder(arguments.folder.resolve())
    # A terminal that goes away is no reason to stop.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    if arguments.processes > 1 and os.environ["RANK"] != "0":
        for asking in (signal.SIGTERM, signal.SIGUSR2):
            signal.signal(asking, signal.SIG_IGN)  # the first one is asked too, and decides

        from engine.worker.together import follow

        follow(folder, arguments.device, arguments.threads, arguments.processes)

    asked_to_stop = False

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked_to_stop
        asked_to_stop = True

    # From the start, since who is asked while waiting for the lock has a last word to write too.
    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGUSR2, ask_to_stop)

    nothing_to_do = 0 if arguments.processes == 1 else 1  # ends the others, who wait for this one

    # Held for life, and let go by the kernel however this process ends: whoever finds it free
    # knows that no worker of this run is alive.
    if take_lock(folder.lock, arguments.lock_seconds) is None:
        sys.stderr.write(f"another worker has {folder.run_id}; nothing to do\n")
        return nothing_to_do
    if folder.newest_attempt() > arguments.attempt or folder.journal(arguments.attempt).exists():
        sys.stderr.write(f"attempt {arguments.attempt} has had its turn; nothing to do\n")
        return nothing_to_do

    from engine.worker.attempt import run_attempt

    exit_status = run_attempt(
        folder,
        arguments.attempt,
        arguments.device,
        arguments.threads,
        lambda: asked_to_stop,
        arguments.processes,
    )
    if arguments.processes > 1:
        # The journal has said how it ended, which torchrun would say again at length; and what
        # the processes share can't be taken down while the others wait in it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0 if exit_status == 1 else exit_status)
    return exit_status


if __name__ == "__main__":
    sys.exit(main())

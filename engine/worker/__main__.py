"""``python -m engine.worker RUN_FOLDER --attempt N --device cpu --threads 2``: train a run.

Reads the run folder, trains, and writes journal, checkpoints and results there. It never opens
the store. SIGTERM, or SIGUSR2 (Slurm's warning before a time limit), ends it: as `cancelled` if
the folder has a file ``cancel``, otherwise as `preempted`, to be resumed.

With ``--processes 2`` it is one of two processes that ``torchrun`` started for the run, each on its
own device. Rank 0 does all of the above; the other rank ends with it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from engine.files.regular import OWNER_ONLY
from engine.runfolder import RunFolder
from engine.worker.claim import NothingToDo, claim


def main() -> int:
    """Run the worker; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m engine.worker")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as torch likes")
    parser.add_argument(
        "--lock-seconds", type=float, default=1.0, help="to wait for an earlier worker to end"
    )
    parser.add_argument("--processes", type=int, default=1, help="that torchrun started")
    arguments = parser.parse_args()
    os.umask(OWNER_ONLY)
    folder = RunFolder(arguments.folder.resolve())
    # The run continues when the terminal is closed.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    if arguments.processes > 1 and os.environ["RANK"] != "0":
        for asking in (signal.SIGTERM, signal.SIGUSR2):
            signal.signal(asking, signal.SIG_IGN)  # rank 0 gets it too, and decides

        from engine.worker.distributed import train_other_rank  # torch: see below

        train_other_rank(folder, arguments.device, arguments.threads, arguments.processes)

    asked_to_stop = False

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked_to_stop
        asked_to_stop = True

    # Before it waits for the lock: an attempt that is asked to stop meanwhile still says how it
    # ended.
    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGUSR2, ask_to_stop)

    # With 1, torchrun ends the other ranks, which wait for this one.
    nothing_to_do = 0 if arguments.processes == 1 else 1

    # The lock is held until this process ends, however it does.
    try:
        claim(folder, arguments.attempt, arguments.lock_seconds)
    except NothingToDo as why:
        sys.stderr.write(f"{why}\n")
        return nothing_to_do

    # Not at the top: importing torch takes seconds, in which a signal would kill the process.
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
        # A failure is in the journal; torchrun, told of it, would report it again at length. And
        # a regular exit would wait for the process group, in which the other ranks wait.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0 if exit_status == 1 else exit_status)
    return exit_status


if __name__ == "__main__":
    sys.exit(main())

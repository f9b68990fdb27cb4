"""``python -m engine.worker.resident runs/.workers/NAME --threads 2``: train runs one after
another, each of which an assignment in the folder's inbox asks for (`engine.inbox`).

It ends by itself when no run has come for some seconds, or after a number of runs. SIGTERM, or
SIGUSR2 (Slurm's warning before a time limit), ends it at once: its runs end as `cancelled` if their
folder has a file ``cancel``, otherwise as `preempted`. For a run that this process can't train as a
process of its own would, it replaces itself by a new one.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from engine.files.lock import take_lock, write_holder
from engine.files.regular import OWNER_ONLY
from engine.inbox import Assignment, WorkerFolder
from engine.machine.environment import thread_environment
from engine.process import own_identity
from engine.supervisor.stop import Stop
from engine.worker.resident.fitness import Fitness
from engine.worker.resident.work import Resident, SharedState, Terms, Train

COMMAND = (sys.executable, "-P", "-m", "engine.worker.resident")

MAX_LOG_BYTES = 1_000_000
"""Size of the log from which it is emptied at a start."""


def training(worker: str, at_once: int) -> tuple[Train, SharedState]:
    """Return what trains attempts, and what these share."""
    # Not at the top: importing torch takes seconds, in which a signal would kill the process.
    from engine.training.lanes import Lanes
    from engine.worker.attempt import run_attempt
    from engine.worker.shared import Shared

    return run_attempt, Shared(worker, Lanes() if at_once > 1 else None)


def main(make: Callable[[str, int], tuple[Train, SharedState]] = training) -> int:
    """Run the worker; return its exit status.

    Args:
        make: makes what trains the attempts, as `training` does.
    """
    parser = argparse.ArgumentParser(prog="python -m engine.worker.resident")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--at-once", type=int, default=1, help="the most runs at the same time")
    parser.add_argument("--idle-seconds", type=float, default=5.0, help="until it ends")
    parser.add_argument(
        "--lock-seconds", type=float, default=2.0, help="to wait for an earlier worker to end"
    )
    parser.add_argument(
        "--pilot", action="store_true", help="it is a cluster's job, which alone serves the folder"
    )
    parser.add_argument("--most-runs", type=int, help="until it ends; default: no limit")
    parser.add_argument("--lock", type=int, help="the lock's descriptor, if the process has it")
    options = parser.parse_args()
    os.umask(OWNER_ONLY)
    folder = WorkerFolder(options.folder.resolve())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = Stop()
    for asking in (signal.SIGTERM, signal.SIGUSR2):
        signal.signal(asking, lambda *_: stop.set())

    lock = options.lock
    if lock is None:
        lock = take_lock(folder.lock, options.lock_seconds)
        if lock is None:
            sys.stderr.write("another worker has the inbox; nothing to do\n")
            return 0
        if os.fstat(2).st_size > MAX_LOG_BYTES:
            os.ftruncate(2, 0)
    os.set_inheritable(lock, False)
    write_holder(lock, asdict(own_identity()))

    at_once = options.at_once
    terms = Terms(at_once, options.idle_seconds, options.most_runs, options.pilot)
    train, shared = make(folder.path.name, at_once)
    fitness = Fitness(options.threads)
    # Whoever was called by the same name, and has the inbox, may be on another node.
    if options.pilot and options.lock is None and not folder.open():
        sys.stderr.write("another job has the inbox; nothing to do\n")
        return 0
    resident = Resident(folder, fitness, terms, stop, train, shared)
    following = resident.work()
    sys.stdout.flush()
    sys.stderr.flush()
    if following is not None:
        kept = ["--at-once", str(at_once), "--idle-seconds", str(options.idle_seconds)]
        kept += ["--pilot"] if options.pilot else []
        if options.most_runs is not None:
            kept += ["--most-runs", str(options.most_runs - resident.begun)]
        _become(following, folder, lock, kept)
    # A regular exit would take the time of unloading libraries, with the lock held.
    os._exit(0)


def _become(following: Assignment, folder: WorkerFolder, lock: int, kept: Sequence[str]) -> None:
    """Replace this process by a new one that keeps its number, its session and the lock, and can
    train the given run."""
    environment = {**os.environ, **thread_environment(following.threads)}
    if following.visible is not None:
        environment["CUDA_VISIBLE_DEVICES"] = following.visible
    os.set_inheritable(lock, True)
    threads = ("--threads", str(following.threads))
    command = [*COMMAND, str(folder.path), *threads, *kept, "--lock", str(lock)]
    os.execve(command[0], command, environment)  # noqa: S606 -- needs no shell


if __name__ == "__main__":
    sys.exit(main())

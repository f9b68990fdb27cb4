"""``python -m engine.worker.resident runs/.workers/NAME --threads 2``: train runs one after
another, each of which an assignment in the folder's inbox asks for (`engine.inbox`).

It ends by itself when no run has come for some seconds. SIGTERM, or SIGUSR2, ends it at once: its
runs end as `cancelled` if their folder has a file ``cancel``, otherwise as `preempted`. For a run
that this process can't train as a process of its own would, it replaces itself by a new one.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from engine.files.lock import take_lock, write_holder
from engine.files.regular import OWNER_ONLY
from engine.inbox import Assignment, WorkerFolder
from engine.machine.environment import thread_environment
from engine.process import own_identity
from engine.supervisor.stop import Stop
from engine.worker.resident.fitness import Fitness
from engine.worker.resident.work import Resident, Train

COMMAND = (sys.executable, "-P", "-m", "engine.worker.resident")

MAX_LOG_BYTES = 1_000_000
"""Size of the log from which it is emptied at a start."""


def main(train: Train | None = None) -> int:
    """Run the worker; return its exit status.

    Args:
        train: trains each attempt, in place of `run_attempt`.
    """
    parser = argparse.ArgumentParser(prog="python -m engine.worker.resident")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--idle-seconds", type=float, default=5.0, help="until it ends")
    parser.add_argument(
        "--lock-seconds", type=float, default=2.0, help="to wait for an earlier worker to end"
    )
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

    if train is None:
        # Not at the top: importing torch takes seconds, in which a signal would kill the process.
        from engine.worker.attempt import run_attempt

        train = run_attempt
    fitness = Fitness(options.threads)
    following = Resident(folder, fitness, options.idle_seconds, stop, train).work()
    sys.stdout.flush()
    sys.stderr.flush()
    if following is not None:
        _become(following, folder, lock, options.idle_seconds)
    # A regular exit would take the time of unloading libraries, with the lock held.
    os._exit(0)


def _become(following: Assignment, folder: WorkerFolder, lock: int, idle_seconds: float) -> None:
    """Replace this process by a new one that keeps its number, its session and the lock, and can
    train the given run."""
    environment = {**os.environ, **thread_environment(following.threads)}
    environment.pop("CUDA_VISIBLE_DEVICES", None)
    if following.visible is not None:
        environment["CUDA_VISIBLE_DEVICES"] = following.visible
    os.set_inheritable(lock, True)
    options = ("--idle-seconds", str(idle_seconds), "--lock", str(lock))
    command = [*COMMAND, str(folder.path), "--threads", str(following.threads), *options]
    os.execve(command[0], command, environment)  # noqa: S606 -- needs no shell


if __name__ == "__main__":
    sys.exit(main())

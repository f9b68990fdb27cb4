"""The real supervisor with workers that train nothing, for measuring all but the training.

``python -m benchmarks.standin supervisor --db PATH …`` is the supervisor, with ``python -m
benchmarks.standin worker RUN_FOLDER …`` for a worker. What the workers do is told by the file
``pace`` beside the store, which they look at all the time:

- ``quiet``: nothing but the heartbeat;
- ``steady`` and a number: so many lines a second;
- ``burst`` and a number: so many lines, as fast as the store takes them in; then quiet.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import random
import signal
import sys
import time
from contextlib import closing
from itertools import islice
from pathlib import Path

from benchmarks.attempts import end_line, start_line, training_lines
from engine.journal import JournalWriter
from engine.runfolder import RunFolder
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.supervisor.__main__ import main as supervise
from engine.supervisor.launcher import LocalLauncher

SUPERVISOR = (sys.executable, "-P", "-m", "benchmarks.standin", "supervisor")
WORKER = (sys.executable, "-P", "-m", "benchmarks.standin", "worker")

EPOCHS = 10_000
"""More than any measurement lasts."""

HOUR_LINES = 72_000
"""Of an attempt that writes 20 lines a second."""
AHEAD_BYTES = 300_000
"""How much of its journal an attempt writes before the store has taken it in: some 2,000 lines."""

LOOK_SECONDS = 0.05


def pace_file(location: StoreLocation) -> Path:
    return location.db.with_name("pace")


def work(folder: RunFolder, attempt: int) -> None:
    """Be an attempt until asked to end."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    location = StoreLocation(folder.path.parent.parent / "runs.db")
    lines = training_lines(random.Random(folder.run_id))
    with JournalWriter(folder.journal(attempt)) as journal:
        kind, fields = start_line(attempt, EPOCHS)
        journal.write(kind, **fields)
        told, began, written = "", time.monotonic(), 0
        while not stopped:
            if (now_told := pace_file(location).read_text()) != told:
                told, began, written = now_told, time.monotonic(), 0
            pace, _, number = told.partition(" ")
            due = 0
            if pace == "burst":
                due = min(int(number) - written, _room(location, folder, attempt))
            elif pace == "steady":
                due = max(0, int((time.monotonic() - began) * float(number)) - written)
            written += due
            for kind, fields in islice(lines, due):
                journal.write(kind, **fields)
            time.sleep(LOOK_SECONDS)
        kind, fields = end_line("preempted", "stopped", "The machine goes down.")
        journal.write(kind, **fields)


def _room(location: StoreLocation, folder: RunFolder, attempt: int) -> int:
    """How many lines may be written now."""
    with closing(connect_reader(location)) as con:
        row = con.row(
            "SELECT offset FROM attempts WHERE run = ? AND attempt = ?", (folder.run_id, attempt)
        )
    behind = folder.journal(attempt).stat().st_size - (row[0] if row else 0)
    return max(0, AHEAD_BYTES - behind) // 150


def worker(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args(arguments)
    folder = RunFolder(options.folder)
    lock = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0
    work(folder, options.attempt)
    return 0


def main() -> int:
    role, *arguments = sys.argv[1:]
    if role == "worker":
        return worker(arguments)
    return supervise(arguments, LocalLauncher(WORKER))


if __name__ == "__main__":
    sys.exit(main())

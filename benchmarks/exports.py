"""Every run of a large store as CSV and JSON, against reading the same rows with SQLite alone.

``make bench-exports``. Each is a process of its own, and they take turns.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch

from benchmarks.bigstore import make_store
from benchmarks.common import machine, progress, run, table
from engine.store.location import StoreLocation

SELECT = "SELECT * FROM runs r JOIN summaries s ON s.run = r.id"
READ = f"import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute({SELECT!r}).fetchall()"


def export_times(location: StoreLocation, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds of each round, and those of CPU time, of reading the rows alone and of writing them.

    CPU time says more where the machine has something else to do.
    """
    db = str(location.db)
    command = [sys.executable, "-P", "-m", "tui.cli", "--db", db, "compare", "--format"]
    works = {"SELECT, rows into Python": [sys.executable, "-P", "-c", READ, db]}
    works |= {f"seqbench compare --format {each}": [*command, each] for each in ("csv", "json")}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, words in works.items():
            began, before = time.perf_counter(), _cpu_seconds()
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
            times[name].append((time.perf_counter() - began, _cpu_seconds() - before))
    return times


def _cpu_seconds() -> float:
    """CPU time, user and system, of the processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exports", description=__doc__)
    parser.add_argument("--finished", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the store is made, and left")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        location = StoreLocation(((options.folder or Path(aside)) / "runs.db").resolve())
        if not location.db.exists():
            progress("Making the store ...")
            make_store(location, 0, options.finished)
        times = export_times(location, options.rounds)
    medians = {
        name: [median(each) for each in zip(*taken, strict=True)] for name, taken in times.items()
    }
    least = min(cpu for _, cpu in medians.values())
    rows = [
        (name, f"{taken:.2f} s", f"{cpu:.2f} s", f"{cpu / least:.2f}")
        for name, (taken, cpu) in medians.items()
    ]
    print(f"Measured on {machine(torch.device('cpu'))}.\n")
    print(f"All {options.finished:,} runs of a store, medians of {options.rounds} rounds.\n")
    print(table(("what", "measured", "CPU time", "ratio"), rows))


if __name__ == "__main__":
    run(main)

"""Every run of a large store as CSV, against reading the same rows with SQLite alone.

``make bench-exports``. Each is a process of its own, and they take turns.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

import torch

from benchmarks.bigstore import make_store
from benchmarks.common import in_turns, machine, progress, run, table
from engine.store.location import StoreLocation

SELECT = "SELECT * FROM runs r JOIN summaries s ON s.run = r.id"
READ = f"import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute({SELECT!r}).fetchall()"


def export_times(location: StoreLocation, rounds: int) -> dict[str, list[float]]:
    """Seconds of each round, of reading the rows alone and of writing them as CSV."""
    db = str(location.db)
    works = {
        "SELECT, rows into Python": [sys.executable, "-P", "-c", READ, db],
        "seqbench compare --format csv": [
            *(sys.executable, "-P", "-m", "tui.cli", "--db", db),
            *("compare", "--format", "csv"),
        ],
    }
    checked = partial(subprocess.run, check=True, stdout=subprocess.DEVNULL)
    return in_turns(
        {name: partial(checked, command) for name, command in works.items()},
        rounds,
        torch.device("cpu"),
    )


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
        times = {
            name: median(taken) for name, taken in export_times(location, options.rounds).items()
        }
    least = min(times.values())
    rows = [(name, f"{taken:.2f} s", f"{taken / least:.2f}") for name, taken in times.items()]
    print(f"Measured on {machine(torch.device('cpu'))}.\n")
    print(f"All {options.finished:,} runs of a store, medians of {options.rounds} rounds.\n")
    print(table(("what", "measured", "ratio"), rows))


if __name__ == "__main__":
    run(main)

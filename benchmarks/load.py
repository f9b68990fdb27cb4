"""The supervisor, the app and the commands on a store with very many runs, eight of which report.

``make bench-load``. Everything is real but the training: see `benchmarks.standin`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil
import torch

from benchmarks.attempts import LINES_PER_EPOCH, STEPS_PER_EPOCH
from benchmarks.bigstore import make_store
from benchmarks.common import machine, progress, run, table
from benchmarks.lab import (
    Terminal,
    cpu_share,
    memory_mib,
    read_marks,
    set_pace,
    supervised,
    wait_for,
    watched_app,
)
from benchmarks.standin import HOUR_LINES
from engine.config import load_catalogue
from engine.journal import read_journal
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.requests import enqueue
from engine.store.series import attempts

WORKERS = 8
LINES_PER_SECOND = 20
ENQUEUED = 1_000
ENQUEUINGS = 3
COMMANDS = ((("ls",), 5), (("compare", "--limit", "50"), 5), (("compare",), 1))
"""With how often each is called."""
SETTLE_SECONDS = 3.0
HOUR_PATIENCE = 900.0
STAGES = (0.1, 0.5, 1.0)

Row = tuple[str, str, str]
"""What was measured, the figure, and what it may be."""


@dataclass(frozen=True)
class Watched:
    """While all workers report and the app watches one of them."""

    supervisor: float
    """Share of a core."""
    app: float
    bytes_a_second: float
    delays: list[float]
    """Seconds from the write of each of the watched run's step lines to its paint."""


def call_seconds(location: StoreLocation, *arguments: str, calls: int) -> float:
    """Median wall time of a command, from the start of its process to its end."""
    command = [sys.executable, "-P", "-m", "tui.cli", "--db", str(location.db), *arguments]
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - began)
    return median(times)


def first_mark(marks: Path, name: str) -> float:
    """When a paint first showed it; 0 if none did."""
    return next((float(mark["t"]) for mark in read_marks(marks) if mark.get(name)), 0.0)


def watch_live(terminal: Terminal, marks: Path) -> None:
    """Show the Live screen and wait until it shows the steps of a run."""
    wait_for(lambda: first_mark(marks, "cells"), "the store on the Launch screen")
    terminal.press("2")
    wait_for(lambda: first_mark(marks, "step"), "a run on the Live screen")


def watched(
    location: StoreLocation,
    supervisor: psutil.Process,
    terminal: Terminal,
    marks: Path,
    seconds: float,
) -> Watched:
    """Measure for so many seconds; workers report already and the app watches."""
    began, received = time.time(), terminal.received
    other = terminal.process.cpu_times()
    share = cpu_share(supervisor, seconds)
    now, ended = terminal.process.cpu_times(), time.time()
    used = now.user + now.system - other.user - other.system
    return Watched(
        supervisor=share,
        app=used / (ended - began),
        bytes_a_second=(terminal.received - received) / (ended - began),
        delays=delays(location, marks, began, ended),
    )


def delays(location: StoreLocation, marks: Path, began: float, ended: float) -> list[float]:
    """Seconds to the screen of each step line of the watched run that was written in between."""
    run_id = next(mark["run"] for mark in reversed(read_marks(marks)) if "run" in mark)
    written = written_steps(location, run_id, began, ended)
    last = max(step for step, _ in written)
    wait_for(lambda: read_marks(marks)[-1].get("step", 0) >= last, "the last lines' paint")
    painted = [(mark["step"], mark["t"]) for mark in read_marks(marks) if "step" in mark]
    steps = [step for step, _ in painted]
    return [painted[bisect_left(steps, step)][1] - t for step, t in written]


def written_steps(
    location: StoreLocation, run_id: str, began: float, ended: float
) -> list[tuple[int, float]]:
    """Step and wall time of the step lines of a run's newest attempt."""
    with closing(connect_reader(location)) as con:
        attempt = attempts(con, run_id)[-1]["attempt"]
    journal, offset = location.folder(run_id).journal(attempt), 0
    found: list[tuple[int, float]] = []
    while (chunk := read_journal(journal, offset)).offset > offset:
        offset = chunk.offset
        found += [
            (line.fields["step"], line.t)
            for line in chunk.lines
            if line.kind == "step" and began <= line.t <= ended
        ]
    return found


def enqueue_seconds(location: StoreLocation, runs: int) -> float:
    """Wall time of putting so many runs into the queue."""
    catalogue = load_catalogue()
    specs = [catalogue.run_spec("sasrec", "ml-100k", 50, seed) for seed in range(runs)]
    began = time.perf_counter()
    enqueue(location, specs)
    return time.perf_counter() - began


def hour(
    location: StoreLocation,
    processes: Mapping[str, psutil.Process],
    workers: int = WORKERS,
    lines: int = HOUR_LINES,
) -> tuple[float, dict[str, list[float]]]:
    """Let each worker write so many lines; seconds until all were taken in, and the processes'
    memory (MiB) at the start and at each of `STAGES`."""
    before, total = _steps(location), workers * lines * STEPS_PER_EPOCH / LINES_PER_EPOCH
    memory = {name: [memory_mib(process)] for name, process in processes.items()}
    began = time.monotonic()
    set_pace(location, f"burst {lines}")
    for stage in STAGES:
        wanted = before + 0.999 * stage * total
        wait_for(lambda: _steps(location) >= wanted, "an hour's lines", HOUR_PATIENCE)  # noqa: B023
        for name, process in processes.items():
            memory[name].append(memory_mib(process))
    return time.monotonic() - began, memory


def _steps(location: StoreLocation) -> int:
    """Steps that the store knows of, all running runs together."""
    with closing(connect_reader(location)) as con:
        found = con.rows("SELECT coalesce(sum(step), 0) FROM runs WHERE state = 'running'")
    return int(found[0][0])


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of them doesn't exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure(location: StoreLocation, marks: Path, seconds: float) -> list[Row]:
    """All figures, on a store that is there. Takes some minutes."""
    rows: list[Row] = []
    with supervised(location, WORKERS) as supervisor:
        progress("The supervisor while nothing happens ...")
        time.sleep(SETTLE_SECONDS)
        share = cpu_share(supervisor, seconds)
        rows.append(("supervisor, nothing happens: share of a core", f"{share:.1%}", "≤ 2 %"))

        progress("Commands ...")
        for command, calls in COMMANDS:
            taken = call_seconds(location, *command, calls=calls)
            rows.append((f"`seqbench {' '.join(command)}`", f"{taken:.2f} s", ""))

        with watched_app(location, marks) as terminal:
            progress("Eight runs report, and the app watches one ...")
            set_pace(location, f"steady {LINES_PER_SECOND}")
            watch_live(terminal, marks)
            time.sleep(SETTLE_SECONDS)
            rows += _watched_rows(watched(location, supervisor, terminal, marks, seconds))

            progress("Enqueueing ...")
            began = time.time()
            taken = median(enqueue_seconds(location, ENQUEUED) for _ in range(ENQUEUINGS))
            rows.append((f"enqueueing {ENQUEUED:,} runs meanwhile", f"{taken:.2f} s", "≤ 1 s"))
            time.sleep(SETTLE_SECONDS)
            late = max(delays(location, marks, began, time.time()))
            rows.append(("journal line to screen meanwhile, longest", f"{late:.2f} s", ""))

            progress("An hour's lines ...")
            processes = {"supervisor": supervisor, "app": terminal.process}
            taken, memory = hour(location, processes)
            lines = WORKERS * HOUR_LINES
            rows.append((f"an hour's {lines:,} lines taken in", f"{taken:.0f} s", ""))
            for name, stages in memory.items():
                figures = ", ".join(f"{value:.1f}" for value in stages)
                rows.append((f"{name}, MiB before, at 10 %, 50 %, 100 %", figures, "steady"))
    return rows


def _watched_rows(found: Watched) -> list[Row]:
    middle, late = (percentile(found.delays, share) for share in (0.5, 0.95))
    each = f"{WORKERS} × {LINES_PER_SECOND} lines/s"
    return [
        (f"supervisor, {each}: share of a core", f"{found.supervisor:.1%}", "≤ 10 %"),
        ("journal line to screen, median", f"{middle:.2f} s", ""),
        ("journal line to screen, 95 %", f"{late:.2f} s", "≤ 1 s"),
        (f"app on the Live screen, {each}: share of a core", f"{found.app:.1%}", ""),
        ("app's output per second", f"{found.bytes_a_second / 1e3:.1f} kB", ""),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--queued", type=int, default=10_000)
    parser.add_argument("--finished", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each measurement of CPU")
    parser.add_argument("--folder", type=Path, help="where the store is made, and left")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        folder = arguments.folder or Path(aside)
        location = StoreLocation((folder / "runs.db").resolve())
        if not location.db.exists():
            progress("Making the store ...")
            make_store(location, arguments.queued, arguments.finished)
        rows = measure(location, Path(aside) / "marks", arguments.seconds)
        size = location.db.stat().st_size / 2**20
    print(f"Measured on {machine(torch.device('cpu'))}.\n")
    print(
        f"{arguments.queued:,} queued runs and {arguments.finished:,} finished ones "
        f"({size:,.0f} MiB), {WORKERS} of them running.\n"
    )
    print(table(("what", "measured", "budget"), rows))


if __name__ == "__main__":
    run(main)

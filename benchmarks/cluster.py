"""The supervisor of a large cluster: a thousand jobs at once, a store of a hundred thousand runs.

``make bench-cluster``. Slurm and its nodes are simulated (`benchmarks.fakeslurm`) and nothing is
trained; the supervisor, the store, the journals and the app are real.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from statistics import median
from unittest.mock import patch

import psutil
import torch

from benchmarks.bigstore import make_store
from benchmarks.common import machine, progress, run, table
from benchmarks.fakeslurm import COMMANDS, Settings, save_settings
from benchmarks.lab import cpu_seconds, read_marks, wait_for, watched_app, working
from benchmarks.load import delays, percentile, watch_live, written_steps
from benchmarks.timed_supervisor import rounds_file
from engine.config import load_catalogue
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.requests import enqueue

SUPERVISOR = (sys.executable, "-P", "-m", "benchmarks.timed_supervisor")
LAUNCHER = "sim"
NODES = 1_000
FINISHED = 98_750
QUEUED = 1_250
"""Put into the queue at the start: more than there are nodes, so that one follows another."""
WATCHED = 50
"""Runs whose lines are timed."""
LOOK_SECONDS = 0.1
"""How often a reader looks at the store for them."""
SETTLE_SECONDS = 5.0
PATIENCE = 300.0

PACES = {
    "a line every 5 s": Settings(),
    "a line per second": Settings(line_seconds=1.0),
    "4 lines per second": Settings(line_seconds=0.25),
    "a line per second; of Slurm's commands 20 % fail and 10 % hang for 12 s": Settings(
        line_seconds=1.0, failing=0.2, hanging=0.1
    ),
}
"""What is measured after another, each with all nodes busy."""


@dataclass(frozen=True)
class Filling:
    """From the start of the supervisor until every node had a job."""

    jobs: int
    seconds: float
    share: float
    """Of a core, the supervisor's."""
    longest: float
    """Seconds of a round."""


@dataclass(frozen=True)
class Steady:
    """A while with every node busy."""

    share: float
    lines_a_second: float
    """Taken into the store."""
    rounds: Sequence[float]
    """Seconds each."""
    delays: Sequence[float]
    """Seconds from a line's own time until a reader of the store sees it."""


@contextmanager
def simulated(nodes: int, settings: Settings) -> Iterator[Path]:
    """A cluster whose commands come first on the path; its folder, which holds its settings."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_settings(folder, settings)
        command = [sys.executable, "-P", "-m", "benchmarks.fakeslurm", name, "--nodes", str(nodes)]
        cluster = subprocess.Popen(command)
        try:
            wait_for(lambda: all((folder / each).exists() for each in COMMANDS), "the cluster")
            with patch.dict(os.environ, PATH=f"{folder}{os.pathsep}{os.environ['PATH']}"):
                yield folder
        finally:
            cluster.terminate()
            cluster.wait(30)


@contextmanager
def supervised(
    location: StoreLocation, nodes: int, poll_seconds: float = 10.0
) -> Iterator[psutil.Process]:
    """A supervisor that keeps every node busy."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "launchers").mkdir()
        # The simulated jobs are attempts.
        profile = (
            f"name: {LAUNCHER}\nkind: slurm\njobs: {nodes}\nruns_per_job: 1\n"
            f"poll_seconds: {poll_seconds}\n"
        )
        (Path(name) / "launchers" / f"{LAUNCHER}.yaml").write_text(profile)
        with working(location, Path(name), SUPERVISOR) as supervisor:
            yield supervisor


def fill_queue(location: StoreLocation, runs: int) -> None:
    """Put runs into the launcher's queue; their data is generated and needs no preparation."""
    catalogue = load_catalogue()
    specs = [catalogue.run_spec("sasrec", "synthetic", 50, seed) for seed in range(runs)]
    enqueue(location, specs, launcher=LAUNCHER)


def filling(location: StoreLocation, supervisor: psutil.Process, nodes: int) -> Filling:
    """Wait until every node has a job, or had one."""
    wait_for(lambda: _submitted(location) >= nodes, f"{nodes} jobs", PATIENCE)
    ended = time.time()
    began = supervisor.create_time()
    rounds = _rounds(location, began, ended)
    return Filling(
        jobs=_submitted(location),
        seconds=ended - began,
        share=cpu_seconds(supervisor) / (ended - began),
        longest=max(rounds),
    )


def steady(location: StoreLocation, supervisor: psutil.Process, seconds: float) -> Steady:
    """Measure for so many seconds."""
    with closing(connect_reader(location)) as con:
        sql = "SELECT id FROM runs WHERE state = 'running' AND step > 0 ORDER BY random() LIMIT ?"
        watched = [str(row[0]) for row in con.rows(sql, (WATCHED,))]
        began, used, lines = time.time(), cpu_seconds(supervisor), _lines(location)
        seen = {run_id: [(time.time(), 0)] for run_id in watched}
        while time.time() < began + seconds:
            _look(location, seen)
            time.sleep(LOOK_SECONDS)
        ended = time.time()
        share = (cpu_seconds(supervisor) - used) / (ended - began)
        taken = (_lines(location) - lines) / (ended - began)
    rounds = _rounds(location, began, ended)
    # What was written just before the end may be seen a little later.
    written = {run_id: written_steps(location, run_id, began, ended) for run_id in watched}
    while not _all_seen(written, seen):
        time.sleep(LOOK_SECONDS)
        _look(location, seen)
    late = [
        seen[run_id][bisect_left(seen[run_id], step, key=itemgetter(1))][0] - t
        for run_id, steps in written.items()
        for step, t in steps
    ]
    return Steady(share, taken, rounds, late)


def _look(location: StoreLocation, seen: dict[str, list[tuple[float, int]]]) -> None:
    """Note which runs have come further, and when that was seen."""
    marks = ", ".join("?" * len(seen))
    with closing(connect_reader(location)) as con:
        rows = con.rows(f"SELECT id, step FROM runs WHERE id IN ({marks})", tuple(seen))
    now = time.time()
    for run_id, step in rows:
        if step is not None and step > seen[run_id][-1][1]:
            seen[run_id].append((now, step))


def _all_seen(
    written: Mapping[str, Sequence[tuple[int, float]]],
    seen: Mapping[str, Sequence[tuple[float, int]]],
) -> bool:
    return all(not steps or seen[each][-1][1] >= steps[-1][0] for each, steps in written.items())


def _submitted(location: StoreLocation) -> int:
    """Attempts that are jobs, or were."""
    with closing(connect_reader(location)) as con:
        return int(con.rows("SELECT count(*) FROM attempts WHERE job IS NOT NULL")[0][0])


def _unsaved(location: StoreLocation) -> int:
    """Run folders that are behind the store."""
    with closing(connect_reader(location)) as con:
        return int(con.rows("SELECT count(*) FROM runs WHERE revision > saved")[0][0])


def _lines(location: StoreLocation) -> int:
    """That the jobs' journals have, as far as the store knows them."""
    sql = (
        "SELECT coalesce(sum((SELECT max(seq) FROM steps WHERE run = a.run)), 0)"
        " FROM attempts a WHERE job IS NOT NULL"
    )
    with closing(connect_reader(location)) as con:
        return int(con.rows(sql)[0][0])


def _rounds(location: StoreLocation, began: float, ended: float) -> list[float]:
    """Seconds of each round of the supervisor that ended in between."""
    marks = read_marks(rounds_file(location))
    return [mark["seconds"] for mark in marks if began <= mark["t"] <= ended]


def states(location: StoreLocation) -> dict[str, int]:
    """Of the runs that went to the cluster."""
    sql = "SELECT state, count(*) FROM runs WHERE launcher IS NOT NULL GROUP BY state"
    with closing(connect_reader(location)) as con:
        return {str(state): number for state, number in con.rows(sql)}


def measure(location: StoreLocation, marks: Path, nodes: int, seconds: float) -> None:
    """Print all figures, on a store with runs for the cluster in its queue."""
    with simulated(nodes, Settings()) as folder, supervised(location, nodes) as supervisor:
        progress(f"{nodes:,} jobs are submitted ...")
        filled = filling(location, supervisor, nodes)
        # The folders of the runs that are queued are made little by little.
        wait_for(lambda: _unsaved(location) < max(1, nodes // 20), "the run folders", PATIENCE)
        found = {}
        for name, settings in PACES.items():
            progress(f"Each job writes {name} ...")
            save_settings(folder, settings)
            # Lines that were due at the old pace come first.
            time.sleep(SETTLE_SECONDS + Settings().line_seconds)
            found[name] = steady(location, supervisor, seconds)
        progress("The app watches one of them ...")
        save_settings(folder, replace(Settings(), line_seconds=1.0))
        with watched_app(location, marks) as terminal:
            watch_live(terminal, marks)
            time.sleep(SETTLE_SECONDS)
            began = time.time()
            time.sleep(seconds)
            screen = delays(location, marks, began, time.time())
    print(_report(filled, found, screen))
    print("\nThe cluster's runs:", end=" ")
    print(", ".join(f"{number:,} {state}" for state, number in states(location).items()) + ".")


def _report(filled: Filling, found: Mapping[str, Steady], screen: Sequence[float]) -> str:
    rows = [
        (
            name,
            f"{each.share:.0%}",
            f"{each.lines_a_second:,.0f}",
            f"{median(each.rounds):.2f}, {max(each.rounds):.2f}",
            f"{median(each.delays):.2f}, {percentile(each.delays, 0.95):.2f}",
        )
        for name, each in found.items()
    ]
    head = (
        "each job writes",
        "supervisor, of a core",
        "lines/s ingested",
        "round, s: median, longest",
        "line to store, s: median, 95 %",
    )
    return "\n".join(
        (
            f"{filled.jobs:,} jobs submitted in {filled.seconds:.0f} s "
            f"({filled.jobs / filled.seconds:.0f} a second), by {filled.share:.0%} of a core; "
            f"longest round {filled.longest:.2f} s.\n",
            table(head, rows),
            f"\nJournal line to screen, the app watching, a line per second: median "
            f"{percentile(screen, 0.5):.2f} s, 95 % {percentile(screen, 0.95):.2f} s.",
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--nodes", type=int, default=NODES)
    parser.add_argument("--finished", type=int, default=FINISHED)
    parser.add_argument("--queued", type=int, default=QUEUED)
    parser.add_argument("--seconds", type=float, default=25.0, help="of each measurement")
    parser.add_argument("--folder", type=Path, help="where the store is made, and left")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        folder = (arguments.folder or Path(aside)).resolve()
        location = StoreLocation(folder / "runs.db")
        progress("Making the store ...")
        make_store(location, 0, arguments.finished)
        fill_queue(location, arguments.queued)
        print(
            f"Measured on {machine(torch.device('cpu'))}, load {os.getloadavg()[0]:.1f} at the "
            f"start.\n\n{arguments.finished:,} finished runs, {arguments.queued:,} queued ones, "
            f"{arguments.nodes:,} nodes.\n"
        )
        measure(location, Path(aside) / "marks", arguments.nodes, arguments.seconds)
        print(f"Load {os.getloadavg()[0]:.1f} at the end.")


if __name__ == "__main__":
    run(main)

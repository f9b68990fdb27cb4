"""``make bench-chaos``: a suite of real runs, while workers, the supervisor, the ingest step and
the app are killed with SIGKILL at random moments; then everything is compared with an undisturbed
execution of the same runs.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from benchmarks.chaos.killing import KILLS, App, Victim
from benchmarks.chaos.supervisor import SHARED
from benchmarks.chaos.verdict import losses, orphans
from benchmarks.common import run as run_main
from engine.config import load_catalogue
from engine.errors import StoreError
from engine.spec import RunSpec
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation, store_location
from engine.store.requests import enqueue
from engine.supervisor.start import SUPERVISOR, ensure_supervisor, supervisor_running

DISTURBED = (sys.executable, "-P", "-m", "benchmarks.chaos.supervisor")
SETTINGS = "slots: {cpu: 2}\nniceness: 0\nretries: 100\npause_after: 0\nidle_seconds: 1\n"
STILL_SECONDS = 180.0
"""The suite is thought stuck when no epoch comes for so long."""


@dataclass(frozen=True)
class Report:
    kills: list[Victim]
    seconds: float
    attempts: int
    lost: list[str]
    """What is wrong, a sentence each; empty if nothing was lost."""


def chaos(
    folder: Path,
    specs: Sequence[RunSpec],
    kills: int,
    seed: int,
    say: Callable[[str], None] = print,
    *,
    shared: bool = False,
) -> Report:
    """Execute the runs undisturbed, then again with so many kills, and compare.

    Args:
        shared: whether one process trains four runs at once when they are disturbed.

    Raises:
        TimeoutError: nothing goes on any more.
    """
    configs = folder / "configs"
    configs.mkdir(parents=True)
    (configs / "settings.yaml").write_text(SETTINGS)
    quiet = store_location(folder / "undisturbed" / "runs.db")
    twins = enqueue(quiet, specs)
    ensure_supervisor(quiet, configs, SUPERVISOR)
    _wait(quiet, lambda: _done(quiet) == len(specs), lambda: None)
    say(f"undisturbed: {len(specs)} runs, {_epochs(quiet)} epochs")

    location = store_location(folder / "disturbed" / "runs.db")
    runs = enqueue(location, specs)
    started, chance = time.monotonic(), random.Random(seed)
    total, killed = _epochs(quiet), list[Victim]()
    app = App(location, configs)

    def disturb() -> None:
        with patch.dict(os.environ, {SHARED: "1"} if shared else {}):
            ensure_supervisor(location, configs, DISTURBED)
        # Spread over the work: a kill is due when so much of it is done.
        if len(killed) >= kills or _epochs(location) < total * len(killed) / kills * 0.9:
            return
        victim = chance.choice(KILLS)(location, app, chance)
        if victim is not None:
            killed.append(victim)
            since = time.monotonic() - started
            say(f"{since:7.1f} s  {victim.kind:<10} {victim.pid:>8}  {victim.about}")
        time.sleep(chance.uniform(0.2, 1.5))

    try:
        _wait(location, lambda: _done(location) == len(specs), disturb)
    finally:
        app.end()
        location.db.with_name("die").unlink(missing_ok=True)
    ensure_supervisor(location, configs, SUPERVISOR)
    _wait(location, lambda: not supervisor_running(location), lambda: None)
    # Supervisors that were started beside the one that worked end a moment later.
    _until(lambda: not orphans(location), 30.0)
    seconds = time.monotonic() - started
    found = losses(location, quiet, list(zip(runs, twins, strict=True)))
    return Report(killed, seconds, _count(location, "SELECT count(*) FROM attempts"), found)


def _wait(
    location: StoreLocation, condition: Callable[[], bool], meanwhile: Callable[[], None]
) -> None:
    reached, since = -1, time.monotonic()
    while not condition():
        meanwhile()
        if (epochs := _epochs(location)) != reached:
            reached, since = epochs, time.monotonic()
        if time.monotonic() - since > STILL_SECONDS:
            raise TimeoutError(f"nothing went on for {STILL_SECONDS:g} s in {location.db.parent}")
        time.sleep(0.1)


def _until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)


def _done(location: StoreLocation) -> int:
    return _count(location, "SELECT count(*) FROM runs WHERE state = 'done'")


def _epochs(location: StoreLocation) -> int:
    return _count(location, "SELECT count(*) FROM epochs")


def _count(location: StoreLocation, sql: str) -> int:
    try:
        with closing(connect_reader(location)) as connection:
            return int(connection.rows(sql)[0][0])
    except StoreError:
        return 0


def short_runs(count: int, epochs: int) -> list[RunSpec]:
    """Real runs of the three models by turns, small enough to have many."""
    catalogue = load_catalogue()
    settings = {"epochs": epochs, "patience": epochs, "dim": 32, "batch_size": 256}
    return [
        catalogue.run_spec(
            ("sasrec", "bert4rec", "xlstm")[n % 3], "synthetic", 20, n, overrides=settings
        )
        for n in range(count)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--shared", action="store_true", help="disturb a process that trains four runs at once"
    )
    options = parser.parse_args()
    specs = short_runs(options.runs, options.epochs)
    with tempfile.TemporaryDirectory(prefix="seqbench-chaos-") as folder:
        report = chaos(Path(folder), specs, options.kills, options.seed, shared=options.shared)
    by_kind = Counter(victim.kind for victim in report.kills)
    kinds = ", ".join(f"{count} × {kind}" for kind, count in sorted(by_kind.items()))
    print(f"\n{len(report.kills)} kills (seed {options.seed}): {kinds}")
    print(f"{report.attempts} attempts at {options.runs} runs in {report.seconds:.0f} s")
    print("nothing was lost" if not report.lost else "\n".join(report.lost))
    sys.exit(bool(report.lost))


if __name__ == "__main__":
    run_main(main)

"""The wall time of whole suites of runs, from ``seqbench run --wait`` to its return, and what a run
costs beyond its training; and whether runs that share the GPU have the figures of runs alone."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.common import progress
from benchmarks.gpu.report import Part
from engine.journal import read_journal
from engine.runfolder import RunFolder
from engine.specfile import load_spec
from engine.store.connect import connect_reader
from engine.store.location import store_location

SECONDS = 1_800.0
"""For one suite."""
FIGURES = ("epoch", "step", "loss", "grad_norm", "best_epoch")
"""Fields of an epoch that are compared, beside its metrics."""
QUIET = {"idle_seconds": 1, "niceness": 0}
"""Settings: nothing else is to use the machine meanwhile."""
COMMAND = (sys.executable, "-m", "tui.cli")
"""``seqbench``."""


@dataclass(frozen=True)
class Suite:
    """Every combination."""

    models: Sequence[str]
    datasets: Sequence[str]
    lengths: Sequence[int]
    seeds: Sequence[int] = (42, 43, 44)

    @property
    def options(self) -> list[str]:
        """Options of ``seqbench run``."""
        lengths, seeds = (",".join(map(str, each)) for each in (self.lengths, self.seeds))
        named = ["--model", ",".join(self.models), "--dataset", ",".join(self.datasets)]
        return [*named, "--length", lengths, "--seed", seeds]


@dataclass(frozen=True)
class Executed:
    """What a suite took, and what came of it."""

    wall: float
    """Seconds until the command returned."""
    trained: float
    """Seconds of training and evaluation, summed over runs: more than ``wall`` if they overlap."""
    beyond: float | None
    """Seconds that the attempts at a run took beside, the median of the runs."""
    states: Mapping[str, int]
    """Number of runs by state."""
    figures: Mapping[str, str]
    """Digest of all figures of a run, by its configuration."""


def suites(models: Sequence[str], datasets: Sequence[str], lengths: Sequence[int]) -> list[Suite]:
    """Return one length of the first data set, all lengths of it, and all of all data sets."""
    return [
        Suite(models, datasets[:1], lengths[:1]),
        Suite(models, datasets[:1], lengths),
        Suite(models, datasets, lengths),
    ]


def measured(
    wanted: Sequence[Suite], slots: Sequence[str], device: str, settings: Sequence[str] = ()
) -> Part:
    """Execute suites, the first of them with each of ``slots``, the others with the last.

    Args:
        slots: runs at once, as ``slots`` of the settings has it; the first is what others are
            compared with.
        device: ``gpu`` or ``cpu``, whose slots these are.
        settings: options ``--set`` of the runs.
    """
    part = Part(
        "Whole suites, from seqbench run to its return",
        [
            *("runs", "at once", "wall, s", "training and evaluation, s"),
            *("beyond them, s a run", "ended", "figures as alone"),
        ],
        notes=[
            "Training and evaluation are summed over runs, also of those that ran at once. "
            "*Beyond them* is the rest of an attempt's time, the median of the runs.",
        ],
    )
    alone: Mapping[str, str] = {}
    for suite in wanted:
        for at_once in slots if suite is wanted[0] else slots[-1:]:
            progress(f"{' '.join(suite.options)}, {at_once} at once ...")
            with tempfile.TemporaryDirectory() as folder:
                found = executed(suite, Path(folder), {device: at_once}, settings)
            alone = alone or found.figures
            runs = sum(found.states.values())
            both = found.figures.keys() & alone.keys()
            equal = sum(found.figures[name] == alone[name] for name in both)
            ended = ", ".join(f"{number} {state}" for state, number in found.states.items())
            told = f"{equal} of {len(both)}"
            part.add(runs, at_once, found.wall, found.trained, found.beyond, ended, told)
    return part


def executed(
    suite: Suite, folder: Path, slots: Mapping[str, str], settings: Sequence[str]
) -> Executed:
    """Execute a suite in a store of its own."""
    (folder / "configs").mkdir()
    content = {"slots": {name: json.loads(_json(each)) for name, each in slots.items()}}
    (folder / "configs" / "settings.yaml").write_text(json.dumps(content | QUIET))
    location = store_location(folder / "runs.db")
    given = ["--db", str(location.db), "--config-dir", str(folder / "configs"), "run"]
    options = [*suite.options, *(part for each in settings for part in ("--set", each)), "--wait"]
    began = time.monotonic()
    done = subprocess.run(
        [*COMMAND, *given, *options], check=False, capture_output=True, text=True, timeout=SECONDS
    )
    wall = time.monotonic() - began
    if done.returncode:
        progress(done.stdout[-1000:] + done.stderr[-2000:])
    with closing(connect_reader(location)) as con:
        states = Counter(str(state) for (state,) in con.rows("SELECT state FROM runs"))
        sql = "SELECT run, sum(train_seconds + eval_seconds) FROM epochs GROUP BY run"
        trained = dict(con.rows(sql))
        sql = "SELECT run, sum(coalesce(exited, ended) - launched) FROM attempts GROUP BY run"
        beyond = [took - trained.get(run, 0.0) for run, took in con.rows(sql) if took is not None]
    figures = {load_spec(each).fingerprint(): _figures(each) for each in location.folders()}
    middle = median(beyond) if beyond else None
    return Executed(wall, sum(trained.values()), middle, states, figures)


def _json(value: str) -> str:
    return value if value.isdigit() else json.dumps(value)


def _figures(folder: RunFolder) -> str:
    """Digest what a run found: its epochs' figures, the weights, test ranks and lists."""
    digest = hashlib.sha256()
    for _, path in folder.journals():
        for line in read_journal(path).lines:
            if line.kind == "epoch":
                digest.update(json.dumps(_compared(line.fields), sort_keys=True).encode())
    for path in (folder.best_model, folder.test_ranks, folder.test_top, folder.test_top_masked):
        digest.update(path.read_bytes() if path.exists() else b"none")
    return digest.hexdigest()


def _compared(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in fields.items()
        if name in FIGURES or name.startswith(("valid_", "test_"))
    }

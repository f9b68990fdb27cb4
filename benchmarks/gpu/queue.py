"""``python -m benchmarks.gpu.queue``: the wall time of many runs through the supervisor, on one GPU
and on several, one run at a time on each; or on several that train every run together
(``--gpus-per-run``).

From the moment at which the runs are in the queue until the last one is done: start-up of the
supervisor and of every worker counted in. Without GPUs nothing is measured.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from unittest.mock import patch

from benchmarks.common import MODELS, progress, run
from benchmarks.gpu.report import Part
from benchmarks.lab import wait_for
from engine.config import load_catalogue
from engine.errors import UserError
from engine.machine.gpus import usable_gpus
from engine.spec import RunSpec
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation, store_location
from engine.store.requests import enqueue
from engine.supervisor.start import ensure_supervisor

SECONDS = 3_600.0


def queue(options: argparse.Namespace) -> Part:
    gpus = usable_gpus(os.environ).gpus
    if len(gpus) < max(options.gpus):
        raise UserError(f"There are {len(gpus)} GPUs that PyTorch can use: name fewer in --gpus.")
    specs = _specs(options)
    part = Part(
        f"{len(specs)} runs through the queue",
        ["GPUs", "of a run", "ended", "wall, s", "all runs' attempts, s", "ratio"],
    )
    first: float | None = None
    for number in options.gpus:
        progress(f"{len(specs)} runs on {number} ...")
        visible = ",".join(gpu.visible for gpu in gpus[:number])
        with tempfile.TemporaryDirectory() as folder:
            wall, busy, states = executed(Path(folder), specs, visible, options.gpus_per_run)
        first = first or wall
        part.add(number, options.gpus_per_run, states, wall, busy, f"× {first / wall:.2f}")
    return part


def executed(
    folder: Path, specs: Sequence[RunSpec], visible: str, gpus_per_run: int
) -> tuple[float, float, str]:
    """Execute runs; return the wall time, the sum of their attempts' times, and how they ended."""
    (folder / "configs").mkdir()
    settings = f"slots: {{gpu: 1, gpus_per_run: {gpus_per_run}}}\nidle_seconds: 1\n"
    (folder / "configs" / "settings.yaml").write_text(settings)
    location = store_location(folder / "runs.db")
    with patch.dict(os.environ, CUDA_VISIBLE_DEVICES=visible):
        began = time.monotonic()
        enqueue(location, specs)
        ensure_supervisor(location, folder / "configs")
        for number in range(1, len(specs) + 1):
            wait_for(partial(_have_ended, location, number), "a run's end", SECONDS)
            progress(f"{time.monotonic() - began:7.1f} s: {number} of {len(specs)} ended")
    wall = time.monotonic() - began
    with closing(connect_reader(location)) as con:
        busy = con.rows("SELECT sum(exited - launched) FROM attempts")[0][0]
        states = Counter(state for (state,) in con.rows("SELECT state FROM runs"))
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    return wall, float(busy or 0), told


def _have_ended(location: StoreLocation, number: int) -> bool:
    with closing(connect_reader(location)) as con:
        ended = con.rows("SELECT count(*) FROM runs WHERE finished IS NOT NULL")[0][0]
    return int(ended) >= number


def _specs(options: argparse.Namespace) -> list[RunSpec]:
    catalogue = load_catalogue()
    overrides = {} if options.epochs is None else {"epochs": options.epochs}
    return [
        catalogue.run_spec(model, dataset, length, seed, "reference", overrides=overrides)
        for dataset in options.datasets
        for model in options.models
        for length in options.lengths
        for seed in options.seeds
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.queue", description=__doc__)
    parser.add_argument("--gpus", type=int, nargs="+", default=(1, 2))
    parser.add_argument("--gpus-per-run", type=int, default=1)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--datasets", nargs="+", default=("ml-1m", "ml-100k"))
    parser.add_argument("--lengths", nargs="+", type=int, default=(50, 75, 100))
    parser.add_argument("--seeds", nargs="+", type=int, default=(42, 43, 44))
    parser.add_argument("--epochs", type=int, help="at most; the recipes' limit without it")
    print(queue(parser.parse_args()).markdown())


if __name__ == "__main__":
    run(main)

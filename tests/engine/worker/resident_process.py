"""Resident workers as real processes, and what tests look at of them."""

from __future__ import annotations

import hashlib
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
from worker_process import Conditions, is_stopped, start_worker

from engine.config import load_catalogue
from engine.inbox import WORKERS, Assignment, WorkerFolder
from engine.journal import JournalLine, read_journal
from engine.metrics import EPOCH_ENERGY, EPOCH_TIMES
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import save_spec

DEADLINE = 180.0
OFTEN = {
    "engine.training.loop:CHECKPOINT_SECONDS": 0.0,
    "engine.worker.fence:LOOK_SECONDS": 0.0,
}
"""A checkpoint of every epoch, a look for newer attempts at every update."""
OWN_MODEL = """\
import os
import sys

from torch import nn

from engine.models import Definition, ModelSettings, OutputLayer, SequenceModel

nn.Dropout.forward = lambda _, given: given


class Settings(ModelSettings):
    dim: int = 8


class Own(SequenceModel):
    def __init__(self, settings, num_items, length):
        super().__init__()
        self.num_items, self.length = num_items, length
        self.items = nn.Embedding(num_items + 1, settings.dim)

    def hidden(self, items, *, last_only=False):
        states = self.items(items)
        return states[:, -1:] if last_only else states

    def output_layer(self):
        return OutputLayer(self.items.weight)


MODEL = Definition("Own", Settings, Own)
"""
"""A model of the user's own, which changes torch for all other models."""
SMALL = {"users": 120, "items": 60, "interactions": 3_600}


def small_spec(model: str = "sasrec", seed: int = 7, **overrides: Any) -> RunSpec:
    spec = load_catalogue().run_spec(model, "synthetic", 20, seed, overrides=overrides)
    source = spec.source.model_dump() | SMALL
    return RunSpec.model_validate(spec.model_dump() | {"source": source})


def make_run(runs: Path, name: str, spec: RunSpec, code: str | None = None) -> RunFolder:
    """A run's folder, with the file that defines its model if that is one of the user's own."""
    folder = RunFolder(runs / name)
    folder.path.mkdir(parents=True)
    if code is not None:
        folder.code.write_text(code)
        own = {"file": "own.py", "sha256": hashlib.sha256(code.encode()).hexdigest()}
        content = {"model": "own", "architecture": {"model": "own", "dim": 8}, "code": own}
        spec = RunSpec.model_validate(spec.model_dump() | content)
    save_spec(folder, spec, created=1.0)
    return folder


def worker_of(runs: Path, name: str = "cpu-0") -> WorkerFolder:
    return WorkerFolder(runs / WORKERS / name)


def hand_over(worker: WorkerFolder, *runs: RunFolder, attempt: int = 1, threads: int = 1) -> None:
    for run in runs:
        worker.hand_over(Assignment(str(run.path), attempt, "cpu", threads))


def start_resident(
    worker: WorkerFolder, *options: str, idle_seconds: float = 0.0, **conditions: Any
) -> BaseProcess:
    arguments = [str(worker.path), "--threads", "1", "--idle-seconds", str(idle_seconds)]
    made = Conditions(**conditions)
    return start_worker([*arguments, *options], worker.log, made, "engine.worker.resident")


def lines(run: RunFolder, kind: str, attempt: int = 1) -> list[JournalLine]:
    return [each for each in read_journal(run.journal(attempt)).lines if each.kind == kind]


def ended(run: RunFolder, attempt: int = 1) -> tuple[str, str]:
    """Status and cause of an attempt, which has ended once."""
    (end,) = lines(run, "end", attempt)
    return end.fields["status"], end.fields["cause"]


def figures(run: RunFolder) -> tuple[Any, ...]:
    """All that must be equal to the digit in two executions of a run."""
    measured = {*EPOCH_TIMES, *EPOCH_ENERGY, "beside"}
    epochs: dict[int, dict[str, Any]] = {}
    for attempt, _ in run.journals():
        for line in lines(run, "epoch", attempt):
            kept = {key: value for key, value in line.fields.items() if key not in measured}
            epochs[kept["epoch"]] = kept
    attempt = run.newest_attempt()
    results = [line.fields["results"] for line in lines(run, "end", attempt)]
    arrays = [
        np.load(path, allow_pickle=False).tobytes()
        for path in (run.test_ranks, run.test_top, run.test_top_masked)
    ]
    return sorted(epochs.items()), results, arrays, run.best_model.read_bytes()


def wait_for(condition: Callable[[], object], process: BaseProcess, what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert process.is_alive(), f"the worker ended before {what}"
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def wait_for_end(process: BaseProcess, worker: WorkerFolder) -> None:
    process.join(DEADLINE)
    assert process.exitcode == 0, worker.log.read_text()


def kill_halted(process: BaseProcess) -> None:
    """Kill a process where it stops itself."""
    wait_for(lambda: is_stopped(process), process, "it to stop")
    process.kill()
    process.join(DEADLINE)
    assert process.exitcode == -signal.SIGKILL

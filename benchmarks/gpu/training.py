"""Training as the loop does it: time an epoch, memory, utilization."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.common import progress
from benchmarks.generated import TEN_MILLION, TWENTY_MILLION, Shape, drawn_items, drawn_lengths
from benchmarks.gpu.report import Part
from engine.config import load_catalogue
from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.load import load_interactions
from engine.machine.telemetry import Sampler
from engine.models.registry import definition_of
from engine.spec import RunSpec
from engine.training.loop import Interrupted, Outcome, train
from engine.training.recorder import EpochRecord, StepRecord

SEED = 42
MOST = {"ml-100k": 40, "ml-1m": 6}
"""Epochs of runs that aren't trained to their end: enough for the driver's utilization, which looks
at a sixth of a second or more."""
SAMPLE_SECONDS = 0.1
PROFILE = "reference"
SHAPES = {"ml-10m": TEN_MILLION, "ml-20m": TWENTY_MILLION}
HEADERS = (
    *("data set", "L", "model", "training, s per epoch", "evaluation, s"),
    *("peak GPU memory, MiB", "utilization, %"),
)
QUALITY = ("recall", "ndcg", "recall_masked", "ndcg_masked")


class Epochs:
    """Keeps the epochs' times."""

    def __init__(self) -> None:
        self.records: list[EpochRecord] = []
        self.started: float | None = None
        """When training was under way."""

    def steps(self, records: list[StepRecord]) -> None:  # noqa: ARG002
        self.started = self.started or time.monotonic()

    def epoch(self, record: EpochRecord) -> None:
        self.records.append(record)


class Utilization(threading.Thread):
    """Samples the GPU that PyTorch computes on until it is told to stop."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, float]] = []
        self._stopped = threading.Event()

    def run(self) -> None:
        sampler, uuid = Sampler(), str(torch.cuda.get_device_properties(0).uuid)
        while not self._stopped.wait(SAMPLE_SECONDS):
            for gpu in sampler.sample().gpus:
                if gpu.uuid.removeprefix("GPU-") == uuid and gpu.utilization is not None:
                    self.samples.append((time.monotonic(), gpu.utilization))
        sampler.close()

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def since(self, started: float | None) -> float | None:
        """The mean from a moment on, the driver's period after it."""
        if started is None:
            return None
        values = [value for t, value in self.samples if t > started + 0.3]
        return sum(values) / len(values) if values else None


def speed(models: Sequence[str], datasets: Sequence[str], lengths: Sequence[int]) -> Part:
    """One run after the other, alone on the GPU: of the first length to its end, of the others
    some epochs."""
    quality = ("Recall@10", "NDCG@10", "Recall@10, seen masked", "NDCG@10, seen masked")
    part = Part("Runs alone on the GPU", (*HEADERS, "epochs", *quality))
    catalogue = load_catalogue()
    for dataset in datasets:
        interactions = load_interactions(catalogue.dataset(dataset))
        for length in lengths:
            for model in models:
                progress(f"{model} × {dataset} × {length} ...")
                spec = catalogue.run_spec(model, dataset, length, SEED, PROFILE)
                most = None if length == lengths[0] else MOST.get(dataset, 4)
                row, outcome = train_alone(spec, interactions, most)
                part.rows.append(row | _quality(outcome))
    return part


def _quality(outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return dict.fromkeys(("epochs", *QUALITY))
    found = outcome.best.metrics
    return {"epochs": outcome.epochs_trained} | {name: found[f"test_{name}"] for name in QUALITY}


def train_alone(
    spec: RunSpec, interactions: Interactions, most: int | None = None
) -> tuple[dict[str, Any], Outcome | None]:
    """Train a run, and what that took: of the epochs after the first, if there are any.

    Args:
        most: epochs after which it is broken off, and has no outcome.
    """
    device = torch.device("cuda")
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    epochs, utilization = Epochs(), Utilization()
    utilization.start()
    outcome: Outcome | None = None
    try:
        with suppress(Interrupted):
            outcome = train(
                spec,
                definition_of(spec),
                interactions,
                device,
                epochs,
                stop=lambda: len(epochs.records) == most,
            )
    finally:
        utilization.stop()
    counted = epochs.records[1:] or epochs.records
    row = {
        "dataset": spec.dataset,
        "length": spec.length,
        "model": spec.model,
        "train_seconds": median(record.train_seconds for record in counted),
        "eval_seconds": median(record.eval_seconds for record in counted),
        "memory_mib": torch.cuda.max_memory_allocated() / 2**20,
        "utilization": utilization.since(epochs.started),
    }
    return row, outcome


def large(models: Sequence[str], shapes: Sequence[str], length: int) -> Part:
    part = Part("Large data sets (generated)", HEADERS)
    catalogue = load_catalogue()
    for name in shapes:
        progress(f"generating {name} ...")
        interactions = generated(SHAPES[name])
        for model in models:
            progress(f"{model} × {name} ...")
            spec = catalogue.run_spec(model, "ml-10m", length, SEED, PROFILE)
            row, _ = train_alone(spec, interactions, most=1)
            part.rows.append(row | {"dataset": name})
    return part


def generated(shape: Shape) -> Interactions:
    """Histories of this shape. There is nothing to learn in them but popularity."""
    generator = np.random.default_rng(SEED)
    offsets = np.concatenate([[0], np.cumsum(drawn_lengths(shape, generator))])
    drawn = drawn_items(shape, generator)
    return make_interactions(drawn.astype(np.int32), offsets, shape.items)

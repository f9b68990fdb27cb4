"""Training as the loop does it: time an epoch, memory, utilisation; and real runs to their end,
several on one GPU at once, through the supervisor."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.common import progress
from benchmarks.gpu.report import Part
from engine.analysis.comparison import compare_rows
from engine.config import load_catalogue
from engine.datasets.interactions import Interactions
from engine.datasets.load import load_interactions
from engine.errors import TrainingError
from engine.scheduling.start import ensure_supervisor
from engine.spec import RunSpec
from engine.store.connect import connect_reader
from engine.store.location import store_location
from engine.store.queries import list_runs
from engine.store.requests import enqueue
from engine.telemetry import Sampler
from engine.training.loop import Interrupted, Outcome, train
from engine.training.recorder import EpochRecord, StepRecord

SEED = 42
MOST = {"ml-100k": 40, "ml-1m": 6}
"""Epochs of runs that aren't trained to their end: enough for the driver's utilization, which looks
at a sixth of a second or more."""
SAMPLE_SECONDS = 0.1
PROFILE = "reference"
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
    headers = ["data set", "L", "model", "training, s an epoch", "evaluation, s"]
    headers += ["peak GPU memory, MiB", "utilization, %", "epochs", "Recall@10", "NDCG@10"]
    headers += ["Recall@10, seen masked", "NDCG@10, seen masked"]
    part = Part("Runs alone on the GPU", headers)
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
                spec, interactions, device, epochs, stop=lambda: len(epochs.records) == most
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


def together(
    models: Sequence[str],
    datasets: Sequence[str],
    lengths: Sequence[int],
    at_once: int,
    seconds: float,
) -> Part:
    """Real runs to their end: enqueued, worked off by a supervisor, ``at_once`` on each GPU.

    Raises:
        TrainingError: they didn't end in time.
    """
    headers = ["data set", "L", "model", "Recall@10", "NDCG@10"]
    headers += ["Recall@10, seen masked", "NDCG@10, seen masked", "epochs"]
    part = Part(f"Runs to their end, {at_once} at once on a GPU", headers)
    catalogue = load_catalogue()
    specs = [
        catalogue.run_spec(model, dataset, length, SEED, PROFILE)
        for dataset in datasets
        for length in lengths
        for model in models
    ]
    with tempfile.TemporaryDirectory(prefix="seqbench-gpu-") as folder:
        location = store_location(Path(folder) / "runs.db")
        configs = Path(folder) / "configs"
        configs.mkdir()
        (configs / "settings.yaml").write_text(f"slots: {{gpu: {at_once}}}\nidle_seconds: 0\n")
        started, most = time.monotonic(), 0
        enqueue(location, specs)
        ensure_supervisor(location, configs)
        sampler = Sampler()
        while True:
            with closing(connect_reader(location)) as connection:
                counts = Counter(run.state for run in list_runs(connection))
            most = max(most, *(len(gpu.processes) for gpu in sampler.sample().gpus))
            if not counts["queued"] + counts["running"]:
                break
            if time.monotonic() - started > seconds:
                raise TrainingError("error", f"Not done within {seconds:.0f} s: {dict(counts)}.")
            time.sleep(0.5)
        sampler.close()
        taken = time.monotonic() - started
        with closing(connect_reader(location)) as connection:
            rows = compare_rows(connection)
        for row in sorted(rows, key=lambda row: (row["dataset"], row["length"], row["model"])):
            masked = " (seen masked)"
            part.rows.append(
                {
                    "dataset": row["dataset"],
                    "length": row["length"],
                    "model": row["model"],
                    "recall": row["Recall@10/test"],
                    "ndcg": row["NDCG@10/test"],
                    "recall_masked": row[f"Recall@10/test{masked}"],
                    "ndcg_masked": row[f"NDCG@10/test{masked}"],
                    "epochs": row["Total Epoch Trained"],
                }
            )
        part.notes.append(
            f"{len(specs)} runs in {taken:.0f} s; at most {most} processes seen on the GPU; "
            f"ended as {', '.join(f'{count} {state}' for state, count in counts.items() if count)}."
        )
    return part

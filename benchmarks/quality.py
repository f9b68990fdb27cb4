"""What a model learns of a large catalogue by each loss, in as many epochs."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.common import progress, table
from engine.config import load_catalogue
from engine.datasets.interactions import Interactions
from engine.datasets.load import load_interactions
from engine.datasets.synthetic import bayes_optimum
from engine.spec import RunSpec
from engine.training.loop import train
from engine.training.recorder import EpochRecord, StepRecord

ITEMS = 60_000
NAME = "large-catalogue"
DATASET = {
    "name": NAME,
    "title": "Large catalogue",
    "size": "small",
    "reader": "synthetic",
    "users": 5_000,
    "items": ITEMS,
    "interactions": 250_000,
    # Steep popularity, and one lag: what follows an item can be learned from so few histories.
    "synthetic": {"order": 1, "zipf": 1.0, "successors": 4, "decay": 0.6},
}
LENGTH = 50
NEGATIVES = 1024
LOSSES = {
    "softmax over all items": "full",
    f"softmax, {NEGATIVES:,} sampled items": "sampled",
    f"gBCE, {NEGATIVES:,} sampled items": "gbce",
}


class Epochs:
    """A recorder that keeps what it is told."""

    def __init__(self) -> None:
        self.records: list[EpochRecord] = []

    def steps(self, records: list[StepRecord]) -> None:
        pass

    def epoch(self, record: EpochRecord) -> None:
        self.records.append(record)
        progress(
            f"  epoch {record.epoch}: loss {record.loss:.3f}, "
            f"NDCG@10 {record.metrics['valid_ndcg']:.4f}, {record.train_seconds:.1f} s"
        )


def quality_table(model: str, epochs: int, device: torch.device) -> str:
    """Validation metrics of each loss at its best epoch, and of the best possible ranking."""
    specs = {words: _spec(model, loss, epochs) for words, loss in LOSSES.items()}
    source = next(iter(specs.values())).source
    interactions = load_interactions(source)
    rows = []
    for words, spec in specs.items():
        progress(f"{model}, {words} ...")
        rows.append((words, *_row(spec, interactions, device)))
    optimum = bayes_optimum(source, "valid")
    rows.append(("best possible", f"{optimum.recall:.4f}", f"{optimum.ndcg:.4f}", "–", "–"))
    headers = ["loss", "Recall@10", "NDCG@10", "epoch", "training, s an epoch"]
    return table(headers, rows)


def _row(spec: RunSpec, interactions: Interactions, device: torch.device) -> tuple[str, ...]:
    recorder = Epochs()
    best = train(spec, interactions, device, recorder).best
    fastest = min(record.train_seconds for record in recorder.records)
    recall, ndcg = best.metrics["valid_recall"], best.metrics["valid_ndcg"]
    return f"{recall:.4f}", f"{ndcg:.4f}", str(best.epoch), f"{fastest:.1f}"


def _spec(model: str, loss: str, epochs: int) -> RunSpec:
    """A run on the data set, which is configured as a user would."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "datasets").mkdir()
        # JSON is YAML too.
        (Path(folder) / "datasets" / f"{NAME}.yaml").write_text(json.dumps(DATASET))
        catalogue = load_catalogue(Path(folder))
    overrides: dict[str, str | int | float | bool] = {
        "loss": loss,
        "negatives": NEGATIVES,
        "epochs": epochs,
        "patience": epochs,
    }
    return catalogue.run_spec(model, NAME, LENGTH, 42, overrides=overrides)

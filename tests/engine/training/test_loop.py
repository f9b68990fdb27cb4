"""The loop: reproducible, resumable to the bit, honest when it stops."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from engine.config import Catalogue
from engine.datasets.load import load_interactions
from engine.datasets.optimum import bayes_optimum
from engine.errors import TrainingError
from engine.metrics import METRIC_COLUMNS
from engine.models.registry import definition_of
from engine.spec import RunSpec
from engine.training import loop
from engine.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from engine.training.loop import Interrupted, Outcome, train
from engine.training.recorder import EpochRecord, StepRecord

CPU = torch.device("cpu")
MODELS = ["sasrec", "bert4rec", "xlstm"]


@dataclass
class Memory:
    """A recorder that remembers."""

    step_records: list[StepRecord] = field(default_factory=list)
    epoch_records: list[EpochRecord] = field(default_factory=list)

    def steps(self, records: list[StepRecord]) -> None:
        self.step_records += records

    def epoch(self, record: EpochRecord) -> None:
        self.epoch_records.append(record)


def run(spec: RunSpec, **arguments: object) -> tuple[Outcome, Memory]:
    memory = Memory()
    outcome = train(
        spec,
        definition_of(spec),
        load_interactions(spec.source),
        CPU,
        memory,
        **arguments,  # type: ignore[arg-type]
    )
    return outcome, memory


def figures(memory: Memory) -> list[object]:
    """All that must be equal between two executions: everything but the times."""
    return [(r.epoch, r.step, r.loss, r.grad_norm, r.metrics) for r in memory.epoch_records]


@pytest.mark.parametrize("model", MODELS)
def test_an_epoch_reports_everything(tiny_spec, model: str) -> None:
    spec = tiny_spec(model)
    outcome, memory = run(spec)
    assert [r.epoch for r in memory.epoch_records] == [1, 2, 3]
    for record in memory.epoch_records:
        assert set(record.metrics) == set(METRIC_COLUMNS)
        assert record.train_seconds > 0
        assert record.eval_seconds > 0
        assert record.cpu_seconds > 0
    # Two of each user's items are held out: all others are targets, once an epoch.
    interactions = load_interactions(spec.source)
    expected = len(interactions.items) - 2 * (len(interactions.offsets) - 1)
    if model != "bert4rec":
        assert {r.targets for r in memory.epoch_records} == {expected}
    assert [s.step for s in memory.step_records] == list(range(1, memory.step_records[-1].step + 1))
    assert outcome.test_ranks.shape == (2, 60)
    best = memory.epoch_records[outcome.best.epoch - 1]
    assert best.metrics["valid_ndcg"] == max(r.metrics["valid_ndcg"] for r in memory.epoch_records)
    top = (outcome.test_ranks <= 10).double().mean(dim=1)
    assert float(top[0]) == pytest.approx(best.metrics["test_recall"])
    assert float(top[1]) == pytest.approx(best.metrics["test_recall_masked"])


@pytest.mark.parametrize("model", MODELS)
def test_the_same_seed_gives_the_same_run(tiny_spec, model: str) -> None:
    _, one = run(tiny_spec(model, epochs=2))
    _, two = run(tiny_spec(model, epochs=2))
    _, other = run(tiny_spec(model, epochs=2, seed=2))
    assert figures(one) == figures(two)
    assert figures(one) != figures(other)


RECIPES: list[tuple[str, dict[str, object]]] = [
    *((model, {}) for model in MODELS),
    ("sasrec", {"ema": 0.9, "lr_decay": "cosine", "warmup_steps": 3, "label_smoothing": 0.1}),
    ("bert4rec", {"tied": True, "last_mask_share": 0.3, "window_overlap": 0.5}),
    ("xlstm", {"loss": "gbce", "negatives": 16, "lr_decay": "linear"}),
    ("sasrec", {"objective": "prefix", "loss": "sampled", "negatives": 16, "batch_size": 128}),
]


@pytest.mark.parametrize(("model", "settings"), RECIPES)
def test_interrupted_or_not_the_result_is_the_same(
    tiny_spec,
    model: str,
    settings: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    spec = tiny_spec(model, epochs=4, **settings)
    whole, undisturbed = run(spec)

    path = tmp_path / "checkpoint-1.pt"
    epoch = updates = 0

    def stop_in_the_third_epoch() -> bool:
        nonlocal updates
        updates += 1
        return epoch == 2 and updates > 3

    def keep(checkpoint: Checkpoint) -> None:
        nonlocal epoch, updates
        save_checkpoint(path, checkpoint)
        epoch, updates = checkpoint.epoch, 0

    first = Memory()
    with pytest.raises(Interrupted):
        train(
            spec,
            definition_of(spec),
            load_interactions(spec.source),
            CPU,
            first,
            save=keep,
            stop=stop_in_the_third_epoch,
        )
    torch.rand(17)  # whatever happens to the global generator in between
    resumed, second = run(spec, resume=load_checkpoint(path, spec.fingerprint()))

    assert [r.epoch for r in first.epoch_records + second.epoch_records] == [1, 2, 3, 4]
    assert figures(first) + figures(second) == figures(undisturbed)
    assert resumed.best.metrics == whole.best.metrics
    assert torch.equal(resumed.test_ranks, whole.test_ranks)


def test_patience_ends_a_run_that_no_longer_improves(tiny_spec) -> None:
    outcome, memory = run(tiny_spec(epochs=300, patience=2, lr=0.01))
    assert outcome.cause == "early-stopping"
    assert outcome.epochs_trained == outcome.best.epoch + 2 == len(memory.epoch_records)


def test_a_diverging_run_says_what_to_try(tiny_spec) -> None:
    # A decay of lr × weight_decay = 100 turns every weight round and makes it 99 times as large.
    spec = tiny_spec(lr=10, weight_decay=10, epochs=200, patience=200)
    with pytest.raises(TrainingError, match=r"NaN or infinite .* lower learning rate") as caught:
        run(spec)
    assert caught.value.cause == "diverged"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_sasrec_comes_within_a_tenth_of_the_bayes_optimum(catalogue: Catalogue) -> None:
    spec = catalogue.run_spec("sasrec", "synthetic", 50, 42)
    outcome, _ = run(spec)
    optimum = bayes_optimum(spec.source, "test")
    assert outcome.best.metrics["test_recall"] >= 0.9 * optimum.recall

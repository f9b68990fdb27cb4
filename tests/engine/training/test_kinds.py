"""Models that are fitted, that compute their loss themselves, and that read times."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from own_models import FITTED, OWN, TIMED, Follows, with_model
from remembered import CPU, Memory, histories_of, run

from engine.datasets.load import load_interactions
from engine.datasets.splitting.splits import leave_one_out, split_data
from engine.fitted import settings_to_try
from engine.models import Definition
from engine.models.builtin import esasrec, gru4rec, hstu
from engine.spec import RunSpec
from engine.training import loop
from engine.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from engine.training.fitting import train_histories
from engine.training.loop import Interrupted, train
from engine.training.measure import measure
from engine.training.ranking.recommend import predict, trained_model

SMALL: dict[str, dict[str, object]] = {
    "Follows": {},
    "GRU4Rec": {"dim": 8, "samples": 20, "dropout": 0.2},
    "eSASRec": {"dim": 8, "layers": 1, "dropout": 0.2},
    "HSTU": {"dim": 8, "layers": 1, "dropout": 0.2},
}
"""Settings of small models of a title."""

KINDS = [FITTED, OWN, TIMED, gru4rec.MODEL, esasrec.MODEL, hstu.MODEL]


def figures(*memories: Memory) -> list[object]:
    """All that must be equal between two executions: everything but the times."""
    return [
        (r.epoch, r.step, r.targets, r.loss, r.grad_norm, r.lr, r.metrics, r.settings)
        for memory in memories
        for r in memory.epochs
    ]


@pytest.mark.parametrize("definition", KINDS, ids=lambda each: each.title)
def test_interrupted_or_not_the_result_is_the_same(
    tiny_spec, definition: Definition, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    settings = SMALL.get(definition.title, {"dropout": 0.2})
    spec = with_model(tiny_spec(epochs=4, ema=0.9, lr_decay="cosine"), definition, **settings)
    whole, undisturbed = run(spec, definition)

    path = tmp_path / "checkpoint-1.pt"
    saved = 0

    def keep(checkpoint: Checkpoint) -> None:
        nonlocal saved
        save_checkpoint(path, checkpoint)
        saved = checkpoint.epoch

    first = Memory()
    with pytest.raises(Interrupted):
        train(
            spec,
            definition,
            load_interactions(spec.source),
            CPU,
            first,
            save=keep,
            stop=lambda: saved == 2,
        )
    torch.rand(17)  # whatever happens to the global generator in between
    checkpoint = load_checkpoint(path, spec.fingerprint())
    resumed, second = run(spec, definition, resume=checkpoint)

    assert figures(first, second) == figures(undisturbed)
    assert [r.epoch for r in second.epochs] == list(range(3, len(undisturbed.epochs) + 1))
    assert resumed.best.metrics == whole.best.metrics
    assert resumed.best.settings == whole.best.settings
    assert torch.equal(resumed.test_ranks, whole.test_ranks)


def to_try(spec: RunSpec) -> list[dict[str, object]]:
    return settings_to_try(spec.architecture.settings, FITTED.grid)


def test_a_fitted_model_tries_every_combination_of_its_grid(tiny_spec) -> None:
    spec = with_model(tiny_spec(epochs=1, patience=1), FITTED, reach=None)
    outcome, memory = run(spec, FITTED)
    tried = [epoch.settings for epoch in memory.epochs]
    assert tried == to_try(spec)
    assert [(s["share"], s["reach"]) for s in tried if s][:3] == [(0.0, 1), (0.0, 2), (0.01, 1)]
    assert len(tried) == 8
    assert outcome.cause == "completed"
    scores = [epoch.metrics["valid_ndcg"] for epoch in memory.epochs]
    assert outcome.best.epoch == 1 + scores.index(max(scores))
    assert outcome.best.settings == tried[outcome.best.epoch - 1]
    assert not memory.updates
    for number, epoch in enumerate(memory.epochs, 1):
        assert (epoch.epoch, epoch.step, epoch.batches) == (number, number, 1)
        assert (epoch.loss, epoch.loss_sum, epoch.grad_norm, epoch.lr) == (None,) * 4
        assert epoch.train_seconds > 0
    # The best is what is evaluated at the end, though it is the last only by chance.
    found = float((outcome.test_ranks[0] <= 10).double().mean())
    assert found == pytest.approx(outcome.best.metrics["test_recall"])


def test_a_setting_that_is_set_is_not_tried(tiny_spec) -> None:
    assert to_try(with_model(tiny_spec(), FITTED, share=0.5, reach=2)) == [{}]
    tried = to_try(with_model(tiny_spec(), FITTED, share=0.5, reach=None))
    assert tried == [{"reach": 1}, {"reach": 2}]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.booleans())
def test_a_model_is_fitted_to_the_training_part_alone(lengths: list[int], timed: bool) -> None:
    data = histories_of(lengths, timed=timed)
    found = train_histories(leave_one_out(data), CPU)
    held = [2 if length >= 3 else 0 for length in lengths]
    parts = [
        (int(start), int(end) - out)
        for (start, end), out in zip(pairwise(data.offsets), held, strict=True)
    ]
    assert found.items.tolist() == [int(data.items[i]) for a, b in parts for i in range(a, b)]
    assert found.offsets.tolist() == [0, *np.cumsum([b - a for a, b in parts]).tolist()]
    if data.times is None:
        assert found.times is None
    else:
        assert found.times is not None
        assert found.times.tolist() == [int(data.times[i]) for a, b in parts for i in range(a, b)]


def test_the_weights_of_a_fitted_model_are_read_with_the_settings_it_chose(
    tiny_spec, tmp_path: Path
) -> None:
    spec = with_model(tiny_spec(), FITTED)
    outcome, _ = run(spec, FITTED)
    torch.save(outcome.best.model, tmp_path / "model.pt")
    data = load_interactions(spec.source)
    model = trained_model(
        spec, FITTED, tmp_path / "model.pt", data.num_items, outcome.best.settings
    )
    assert isinstance(model, Follows)
    assert model.settings.share == (outcome.best.settings or {})["share"]
    split = split_data(data, spec.source)
    for row, user in enumerate(split.test.users[:20].tolist()):
        found = predict(model, split, user, 5)
        assert (found.rank, found.rank_masked) == tuple(outcome.test_ranks[:, row].tolist())


@pytest.mark.parametrize("definition", KINDS, ids=lambda each: each.title)
def test_an_epoch_of_every_kind_can_be_measured(tiny_spec, definition: Definition) -> None:
    spec = with_model(tiny_spec(), definition)
    found = measure(spec, definition, load_interactions(spec.source), CPU, 0.1)
    assert found.train_seconds > 0
    assert found.eval_seconds > 0

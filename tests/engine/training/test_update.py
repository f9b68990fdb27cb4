"""One update: what it reports, and the average that follows it."""

from __future__ import annotations

import copy

import pytest
import torch
from objectives import known_objective

from engine.models.registry import definition_of
from engine.spec import RunSpec
from engine.training.update import Learner, make_optimizer, make_update, set_learning_rate
from engine.training.windows import Histories, cut_windows

CPU = torch.device("cpu")
ITEMS = torch.arange(1, 41, dtype=torch.int32)
HISTORIES = Histories(ITEMS, torch.tensor([0, 25]), torch.tensor([25, 40]))


def learner_of(spec: RunSpec) -> Learner:
    torch.manual_seed(1)
    model = definition_of(spec).build(spec.architecture.settings, 40, spec.length)
    average = copy.deepcopy(model) if spec.training.ema else None
    return Learner(model, make_optimizer(model, spec.training, CPU, None), average)


def windows_of(spec: RunSpec):
    objective = known_objective(spec)
    return cut_windows(HISTORIES, objective.width, torch.Generator().manual_seed(2))


def test_the_average_follows_the_weights(tiny_spec) -> None:
    spec = tiny_spec(ema=0.75, dropout=0.0)
    learner = learner_of(spec)
    assert learner.evaluated is learner.average
    update = make_update(learner, known_objective(spec), ITEMS, None, bfloat16=False)
    expected = [weight.detach().clone() for weight in learner.model.parameters()]
    for _ in range(3):
        update(windows_of(spec))
        expected = [
            0.75 * old + 0.25 * new.detach()
            for old, new in zip(expected, learner.model.parameters(), strict=True)
        ]
    for found, wanted in zip(learner.average.parameters(), expected, strict=True):
        torch.testing.assert_close(found.detach(), wanted)


def test_it_reports_summed_loss_targets_and_norm_before_clipping(tiny_spec) -> None:
    spec = tiny_spec(dropout=0.0, grad_clip=1e-9)
    learner = learner_of(spec)
    assert learner.evaluated is learner.model
    before = [weight.detach().clone() for weight in learner.model.parameters()]
    set_learning_rate(learner.optimizer, 0.0)
    update = make_update(learner, known_objective(spec), ITEMS, None, bfloat16=False)
    loss, targets, norm = update(windows_of(spec)).tolist()
    assert targets == 40
    assert loss / targets == pytest.approx(torch.tensor(41.0).log().item(), rel=0.1)
    assert norm > 1e-3
    assert all(weight.grad is None for weight in learner.model.parameters())
    for weight, old in zip(learner.model.parameters(), before, strict=True):
        assert torch.equal(weight, old), "a learning rate of 0 changes nothing"


def test_sampled_losses_train_too(tiny_spec) -> None:
    for loss in ("sampled", "gbce"):
        spec = tiny_spec(loss=loss, negatives=16, dropout=0.0)
        learner = learner_of(spec)
        update = make_update(learner, known_objective(spec), ITEMS, None, bfloat16=False)
        windows = windows_of(spec)
        set_learning_rate(learner.optimizer, 0.01)
        first = float(update(windows)[0])
        for _ in range(40):
            last = float(update(windows)[0])
        assert last < 0.7 * first

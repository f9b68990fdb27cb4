"""A model with a loss of its own: its windows, its loss, its preparation."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from own_models import OWN, Bigram, with_model
from remembered import CPU, histories_of, run
from torch import Tensor

from engine.datasets.load import load_interactions
from engine.datasets.splitting.splits import split_data
from engine.models import TrainingHistories
from engine.spec import Training
from engine.training.fitting import train_histories
from engine.training.objectives import Objective, batch_loss, objective_of
from engine.training.windows import Histories, cut_windows


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=12),
    st.integers(2, 7),
    st.integers(0, 2**31),
)
def test_each_item_after_the_first_is_a_target_once(
    lengths: list[int], length: int, seed: int
) -> None:
    batch = own_windows(lengths, length, seed)
    assert batch.shape[1] == length + 1
    pairs = [
        (int(a), int(b)) for row in batch for a, b in pairwise(row.tolist()) if a > 0 and b > 0
    ]
    data = histories_of(lengths)
    expected = [
        (int(data.items[i]), int(data.items[i + 1]))
        for start, end in pairwise(data.offsets.tolist())
        for i in range(start, end - 1)
    ]
    assert sorted(pairs) == expected
    # Right-aligned, and no window is without a target.
    assert ((batch > 0).diff(dim=1).int() >= 0).all()
    assert (batch[:, -2:] > 0).all()


def own_windows(lengths: list[int], length: int, seed: int) -> Tensor:
    """The windows that a model with a loss of its own is given."""
    data = histories_of(lengths)
    histories = Histories(
        torch.from_numpy(data.items),
        torch.from_numpy(data.offsets[:-1]),
        torch.from_numpy(data.offsets[1:]),
    )
    given: list[Tensor] = []

    class Keeps(OWN.module):  # type: ignore[name-defined, misc]
        def loss(self, items: Tensor) -> tuple[Tensor, Tensor]:
            given.append(items)
            return torch.zeros(()), torch.ones(())

    objective = Objective(Training(), False, length + 1, length, context=1)
    windows = cut_windows(
        histories,
        objective.width,
        torch.Generator().manual_seed(seed),
        objective.stride,
        context=objective.context,
    )
    model = Keeps(OWN.settings(), data.num_items, length)
    batch_loss(objective, model, histories.items, windows)
    return given[0]


def test_the_loss_of_a_model_is_its_own(tiny_spec) -> None:
    """Without weights, each of the next items costs the logarithm of the number of scores."""
    spec = with_model(tiny_spec(epochs=1, lr=1e-9), OWN)
    data = load_interactions(spec.source)

    class Blank(OWN.module):  # type: ignore[name-defined, misc]
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)
            for weight in self.parameters():
                torch.nn.init.zeros_(weight)

    _, memory = run(spec, replace(OWN, module=Blank))
    (epoch,) = memory.epochs
    assert epoch.loss == pytest.approx(math.log(data.num_items + 1), rel=1e-5)
    # Of each user's items, two are held out and the first has none before it.
    assert epoch.targets == len(data.items) - 3 * data.num_users
    objective = objective_of(spec, OWN)
    assert (objective.width, objective.stride) == (13, 12)


def test_a_model_with_its_own_loss_is_prepared_with_the_training_part(tiny_spec) -> None:
    prepared: list[TrainingHistories] = []

    class Prepared(Bigram):
        def prepare(self, train: TrainingHistories) -> None:
            prepared.append(train)

    spec = with_model(tiny_spec(epochs=1), OWN)
    run(spec, replace(OWN, module=Prepared))
    [given] = prepared
    expected = train_histories(split_data(load_interactions(spec.source), spec.source), CPU)
    assert torch.equal(given.items, expected.items)
    assert torch.equal(given.offsets, expected.offsets)


def test_a_model_with_its_own_loss_learns(tiny_spec) -> None:
    spec = with_model(tiny_spec(epochs=12, lr=0.02, grad_clip=1.0, ema=0.9), OWN)
    outcome, memory = run(spec, OWN)
    losses = [epoch.loss or 0 for epoch in memory.epochs]
    assert losses[-1] < losses[0] - 0.2
    assert outcome.best.metrics["valid_ndcg"] > memory.epochs[0].metrics["valid_ndcg"]
    assert len(memory.updates) == memory.epochs[-1].step

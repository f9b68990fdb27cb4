"""Losses over sampled items against their formulas, item by item."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from engine.models.base import OutputLayer
from engine.training.losses import cross_entropy
from engine.training.sampled import gbce, sampled_cross_entropy

ITEMS = 30


def drawn(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.fixture
def output() -> OutputLayer:
    return OutputLayer(drawn(ITEMS + 1, 4), drawn(ITEMS + 1, seed=1), soft_cap=3.0)


STATES = drawn(3, 4, seed=2)
TARGETS = torch.tensor([5, 0, 9])
NEGATIVES = torch.tensor([9, 2, 30])


def test_sampled_cross_entropy_by_hand(output: OutputLayer) -> None:
    scores = output.logits(STATES)
    weight = ITEMS / 3
    expected = 0.0
    for row, target, others in ((0, 5, (9, 2, 30)), (2, 9, (2, 30))):
        exps = [weight * math.exp(scores[row, item]) for item in others]
        own = float(scores[row, target])
        expected += math.log(math.exp(own) + sum(exps)) - own
    found = sampled_cross_entropy(STATES, output, TARGETS, NEGATIVES)
    assert float(found) == pytest.approx(expected, rel=1e-9)


def test_gbce_by_hand(output: OutputLayer) -> None:
    scores, t = output.logits(STATES), 0.75
    rate = 3 / (ITEMS - 1)
    power = rate * (t * (1 - 1 / rate) + 1 / rate)

    def sigmoid(x: Tensor) -> float:
        return 1 / (1 + math.exp(-float(x)))

    expected = 0.0
    for row, target, others in ((0, 5, (9, 2, 30)), (2, 9, (2, 30))):
        expected -= math.log(sigmoid(scores[row, target]) ** power)
        expected -= sum(math.log(1 - sigmoid(scores[row, item])) for item in others)
    found = gbce(STATES, output, TARGETS, NEGATIVES, t)
    assert float(found) == pytest.approx(expected / 4, rel=1e-9)


def test_with_every_item_sampled_once_it_is_the_softmax_over_all_of_them(
    output: OutputLayer,
) -> None:
    """V negatives, each standing for one item: the target's own row leaves it out."""
    states, target = STATES[:1], TARGETS[:1]
    every = torch.arange(1, ITEMS + 1)
    scores = output.logits(states)[:, 1:]
    expected = float(scores.logsumexp(dim=1) - scores[:, 4])
    assert float(sampled_cross_entropy(states, output, target, every)) == pytest.approx(expected)


def test_the_estimate_of_the_normaliser_is_unbiased(output: OutputLayer) -> None:
    generator = torch.Generator().manual_seed(0)
    states, target = STATES[:1], TARGETS[:1]
    own = float(output.logits(states)[0, 5])
    estimates = []
    for _ in range(4000):
        negatives = torch.randint(1, ITEMS + 1, (6,), generator=generator)
        loss = float(sampled_cross_entropy(states, output, target, negatives))
        estimates.append(math.exp(loss + own))
    exact = float(output.logits(states)[0, 1:].exp().sum())
    assert sum(estimates) / len(estimates) == pytest.approx(exact, rel=0.03)


@pytest.mark.parametrize("loss", ["sampled", "gbce"])
def test_gradients_are_finite_where_a_negative_is_the_target(loss: str) -> None:
    states = STATES.clone().requires_grad_()
    weight = drawn(ITEMS + 1, 4).requires_grad_()
    output = OutputLayer(weight)
    if loss == "sampled":
        value = sampled_cross_entropy(states, output, TARGETS, NEGATIVES)
    else:
        value = gbce(states, output, TARGETS, NEGATIVES, 0.75)
    value.backward()
    assert states.grad is not None
    assert torch.isfinite(states.grad).all()
    assert weight.grad is not None
    assert torch.isfinite(weight.grad).all()
    assert not states.grad[1].any(), "a target of 0 is none"


def test_the_full_loss_is_its_limit(output: OutputLayer) -> None:
    """Many samples come close to the exact loss (column 0 aside, which they never draw)."""
    weight = output.weight.clone()
    far = OutputLayer(torch.cat([-1e3 * STATES.sum(dim=0, keepdim=True), weight[1:]]), soft_cap=9.0)
    negatives = torch.randint(1, ITEMS + 1, (200_000,), generator=torch.Generator().manual_seed(4))
    full = float(cross_entropy(STATES[:1], far, TARGETS[:1]))
    sampled = float(sampled_cross_entropy(STATES[:1], far, TARGETS[:1], negatives))
    assert sampled == pytest.approx(full, rel=0.02)

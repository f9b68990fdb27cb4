"""The shuffle test: what it shuffles, and that it sees order where there is some and only there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.splitting.splits import leave_one_out, temporal
from engine.judge.judgement import OrderLoss
from engine.judge.order import (
    Unordered,
    fit_in_order,
    fit_shuffled,
    ranks_without_order,
    shuffled_training,
)
from engine.models import FittedModel, Model
from engine.models.load import load_definition
from engine.training.fitting import train_histories

V = 60
HISTORIES = st.lists(st.lists(st.integers(1, V), max_size=9), min_size=1, max_size=12)


def flat(histories: list[list[int]], times: list[int] | None = None) -> Interactions:
    items = np.array([item for history in histories for item in history], np.int32)
    offsets = np.cumsum([0, *map(len, histories)])
    return make_interactions(items, offsets, V, None if times is None else np.array(times))


@given(histories=HISTORIES, seed=st.integers(0, 3))
def test_training_is_shuffled_within_users(histories: list[list[int]], seed: int) -> None:
    split = leave_one_out(flat(histories))
    found = shuffled_training(split, seed)
    bounds = zip(found.offsets[:-1], split.train_end, found.offsets[1:], strict=True)
    for (start, end, last), history in zip(bounds, histories, strict=True):
        assert sorted(found.items[start:end]) == sorted(history[: end - start])
        assert found.items[end:last].tolist() == history[end - start :]
    assert found.checksum == shuffled_training(split, seed).checksum


class Echo(Model):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.num_items, self.shown = V, torch.zeros(0)

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:
        self.shown = items
        return torch.zeros(len(items), V + 1)


@given(histories=HISTORIES, seed=st.integers(0, 3))
def test_a_model_sees_the_same_items_in_another_order(
    histories: list[list[int]], seed: int
) -> None:
    items = torch.tensor([[0] * (9 - len(history)) + history for history in histories])
    echo = Echo()
    Unordered(echo, seed).scores(items)
    assert torch.equal(echo.shown.sort(dim=1).values, items.sort(dim=1).values)
    assert torch.equal(echo.shown == 0, items == 0)
    first = echo.shown
    Unordered(echo, seed).scores(items)
    assert torch.equal(echo.shown, first)


def test_every_order_is_as_likely() -> None:
    echo = Echo()
    Unordered(echo, 1).scores(torch.tensor([[0, 1, 2, 3]] * 6_000))
    found = torch.unique(echo.shown, dim=0, return_counts=True)[1]
    assert found.shape == (6,)
    assert (found - 1_000).abs().max() < 120


def test_several_targets_of_a_user_are_asked_in_both_orders() -> None:
    own = flat(walks(lambda item: (item + 7) % V), [*range(12)] * 200)
    split = temporal(own, 6, 9)
    ordered, shuffled = (fit("markov", split, 10).ranks for fit in (fit_in_order, fit_shuffled))
    assert ordered.shape == (2, 600)
    assert (ordered[0] == 1).all()
    loss = OrderLoss.between(ordered[0], shuffled[0], "ndcg", split.users("test"))
    assert (loss.share or 0) > 0.5
    assert loss.difference.users == 200


def test_a_large_shuffle_leaves_no_order() -> None:
    many = flat([list(range(1, V + 1))] * 500)
    found = shuffled_training(leave_one_out(many)).items.reshape(500, V)[:, : V - 2]
    assert np.abs(found.mean(axis=0) - (V - 1) / 2).max() < 5 * V / np.sqrt(12 * 500)


def walks(step: Callable[[int], int], users: int = 200, steps: int = 12) -> list[list[int]]:
    generator = np.random.default_rng(3)
    histories = []
    for start in generator.integers(0, V, users).tolist():
        walk = [start]
        while len(walk) < steps:
            walk.append(step(walk[-1]))
        histories.append([item + 1 for item in walk])
    return histories


def test_order_that_decides_is_lost() -> None:
    split = leave_one_out(flat(walks(lambda item: (item + 7) % V)))
    ordered, shuffled = (fit("markov", split, 10).ranks for fit in (fit_in_order, fit_shuffled))
    assert (ordered[0] == 1).all()
    assert (OrderLoss.between(ordered[0], shuffled[0], "recall").share or 0) > 0.3
    assert (OrderLoss.between(ordered[0], shuffled[0], "ndcg").share or 0) > 0.5
    assert np.array_equal(shuffled, fit_shuffled("markov", split, 10).ranks)


def test_without_order_nothing_is_lost() -> None:
    generator = np.random.default_rng(4)
    drawn = [[int(item) % 20 + 1 for item in generator.zipf(1.5, 15)] for _ in range(2_000)]
    split = leave_one_out(flat(drawn))
    ordered, shuffled = (fit("markov", split, 10).ranks for fit in (fit_in_order, fit_shuffled))
    assert OrderLoss.between(ordered[0], shuffled[0], "ndcg").share == pytest.approx(0, abs=0.05)


def test_a_trained_model_is_asked_with_both_orders() -> None:
    split = leave_one_out(flat(walks(lambda item: (item + 7) % V)))
    device = torch.device("cpu")
    markov, popular = (load_definition(name) for name in ("markov", "popularity"))
    for definition, order in ((markov, True), (popular, False)):
        settings = {"window": 1, "decay": 1.0, "power": 0.0} if order else {}
        model = definition.build(settings, V, 5)
        assert isinstance(model, FittedModel)
        model.fit(train_histories(split, device))
        ordered, shuffled = ranks_without_order(model, split, 5, device)
        assert np.array_equal(ordered, shuffled) is not order


def test_shares() -> None:
    best, worst = np.ones(4, np.int32), np.full(4, 11, np.int32)
    assert OrderLoss.between(best, best, "ndcg").share == 0
    assert OrderLoss.between(best, worst, "recall").share == 1
    assert OrderLoss.between(worst, best, "recall").share is None
    # Two users, of whom one has three targets.
    half = np.array([1, 1, 1, 11], np.int32)
    assert OrderLoss.between(best, half, "recall", np.array([0, 0, 0, 1])).share == 0.5

"""The shuffle test: what it shuffles, and that it sees order where there is some and only there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.splits import SPLITS, Split, leave_one_out, temporal
from engine.judge.judgement import OrderLoss
from engine.judge.order import (
    fit_in_order,
    fit_shuffled,
    ranks_without_order,
    shuffled_before,
    shuffled_training,
)
from engine.models import FittedModel
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


@given(histories=HISTORIES, part=st.sampled_from(SPLITS), length=st.integers(1, 9))
def test_a_model_sees_the_same_items_before_the_same_target(
    histories: list[list[int]], part: Split, length: int
) -> None:
    split = leave_one_out(flat(histories))
    found = shuffled_before(split, part, length)
    assert found.targets(part).tolist() == split.targets(part).tolist()
    one, other = (each.histories(part, length) for each in (split, found))
    assert np.array_equal(np.sort(one), np.sort(other))
    assert np.array_equal(one == 0, other == 0)
    for some, others in zip(split.seen(part), found.seen(part), strict=True):
        assert np.array_equal(some, others)


def test_users_without_a_target_keep_their_order() -> None:
    own = flat([list(range(1, 30)), list(range(1, 30))], [*range(29), *range(100, 129)])
    split = temporal(own, 110, 120)
    assert split.users("test").tolist() == [1]
    found = shuffled_before(split, "test", 50).interactions
    assert found.items[:29].tolist() == list(range(1, 30))
    assert found.items[29:].tolist() != list(range(1, 30))
    assert found.times is not None
    assert found.times.tolist() == [*range(29), *range(100, 129)]


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

"""Ranks and metrics against a plain, independent implementation, ties and all."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
import torch
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine.analysis.pairs.significance import per_user
from engine.datasets.interactions import make_interactions
from engine.datasets.splitting.splits import SplitData
from engine.datasets.splitting.targets import HeldOut
from engine.metrics import METRIC_COLUMNS
from engine.models.base import Model
from engine.training.ranking.evaluation import (
    EvaluationSet,
    evaluation_set,
    flat_histories,
    metric_columns,
    metrics,
    ranks,
)


class Fixed(Model):
    """Scores targets by a table, a row for each in the order in which they come."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.num_items = table.shape[1] - 1
        self.table, self.at = table, 0

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:
        self.at += len(items)
        return self.table[self.at - len(items) : self.at]


def evaluation(targets: list[int], seen: list[list[int]]) -> EvaluationSet:
    """A user for each target, whose history is what is seen."""
    histories = [[*before, target] for before, target in zip(seen, targets, strict=True)]
    return evaluated(histories, [len(history) - 1 for history in histories])


def evaluated(histories: list[list[int]], first: list[int]) -> EvaluationSet:
    """Each user's items from a place on."""
    offsets = np.cumsum([0, *map(len, histories)])
    items = np.array([item for history in histories for item in history], np.int32)
    own = make_interactions(items, offsets, 30)
    places = [(u, e) for u, h in enumerate(histories) for e in range(first[u], len(h))]
    users = np.array([user for user, _ in places], np.int64)
    ends = offsets[users] + np.array([end for _, end in places], np.int64)
    split = SplitData(own, offsets[:-1], *2 * [HeldOut(users, ends)], offsets[:-1])
    return evaluation_set(split, "test", 5, flat_histories(own, torch.device("cpu")))


def plain_rank(scores: list[float], target: int, masked: set[int]) -> int:
    """Sort, the true item last among its equals, and count."""
    order = [
        (-scores[i], i == target) for i in range(1, len(scores)) if i not in masked or i == target
    ]
    return sorted(order).index((-scores[target], True)) + 1


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[list[float]], list[int], list[list[int]]]:
    items, users = draw(st.integers(1, 30)), draw(st.integers(1, 6))
    score = st.integers(-3, 3).map(float)  # few values, many ties
    table = [draw(st.lists(score, min_size=items + 1, max_size=items + 1)) for _ in range(users)]
    targets = [draw(st.integers(1, items)) for _ in range(users)]
    seen = [draw(st.lists(st.integers(1, items), max_size=12)) for _ in range(users)]
    return table, targets, seen


@given(cases(), st.integers(1, 7))
@settings(max_examples=examples(150))
def test_ranks_equal_a_plain_sort(
    case: tuple[list[list[float]], list[int], list[list[int]]], batch_size: int
) -> None:
    table, targets, seen = case
    found = ranks(Fixed(torch.tensor(table)), evaluation(targets, seen), batch_size)

    rows = list(zip(table, targets, seen, strict=True))
    assert found[0].tolist() == [plain_rank(scores, t, set()) for scores, t, _ in rows]
    assert found[1].tolist() == [plain_rank(scores, t, set(s)) for scores, t, s in rows]


def test_a_model_of_nans_ranks_last() -> None:
    table = torch.full((2, 8), math.nan)
    found = ranks(Fixed(table), evaluation([3, 5], [[1], []]), 2)
    assert found.tolist() == [[7, 7], [6, 7]]


@st.composite
def users_with_several(draw: st.DrawFn) -> tuple[list[list[int]], list[int]]:
    histories = draw(
        st.lists(st.lists(st.integers(1, 9), min_size=2, max_size=9), min_size=1, max_size=5)
    )
    return histories, [draw(st.integers(1, len(history) - 1)) for history in histories]


@given(users_with_several(), st.integers(1, 7), st.randoms(use_true_random=False))
@settings(max_examples=examples(150))
def test_each_of_a_users_targets_is_ranked_after_all_before_it(
    case: tuple[list[list[int]], list[int]], batch_size: int, chance: Random
) -> None:
    histories, first = case
    data = evaluated(histories, first)
    table = [[float(chance.randint(-3, 3)) for _ in range(10)] for _ in range(len(data))]
    found = ranks(Fixed(torch.tensor(table)), data, batch_size)
    before = [(h[:e], h[e]) for h, begin in zip(histories, first, strict=True)
              for e in range(begin, len(h))]  # fmt: skip
    rows = list(zip(table, before, strict=True))
    assert found[0].tolist() == [plain_rank(scores, t, set()) for scores, (_, t) in rows]
    assert found[1].tolist() == [plain_rank(scores, t, set(h)) for scores, (h, t) in rows]
    shown, times = data.inputs(slice(None))
    assert shown.tolist() == [[0] * (5 - len(h[-5:])) + h[-5:] for h, _ in before]
    assert times is None
    part = data.beginning(2)
    again = ranks(Fixed(torch.tensor(table)), part, 1)
    assert again.tolist() == found[:, :2].tolist()
    assert len(part) == min(2, len(data))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=50))
def test_metrics_follow_their_definitions(rank_list: list[int]) -> None:
    found = metrics(torch.tensor(rank_list), np.arange(len(rank_list)))
    n = len(rank_list)
    top = [r for r in rank_list if r <= 10]
    assert found["recall"] == found["hit"] == pytest.approx(len(top) / n)
    assert found["mrr"] == pytest.approx(sum(1 / r for r in top) / n)
    assert found["ndcg"] == pytest.approx(sum(1 / math.log2(r + 1) for r in top) / n)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=3_000))
def test_with_one_target_a_user_the_mean_is_that_over_targets_to_the_last_bit(
    rank_list: list[int],
) -> None:
    rank = torch.tensor(rank_list, dtype=torch.int32)
    found = metrics(rank, np.arange(len(rank_list)))
    hit = (rank.double() <= 10).double()
    assert found["hit"] == float(hit.mean())
    assert found["ndcg"] == float((hit / torch.log2(rank.double() + 1)).mean())
    assert found["mrr"] == float((hit / rank.double()).mean())


@given(st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=6), min_size=1, max_size=20))
def test_a_user_counts_once(of_users: list[list[int]]) -> None:
    rank = torch.tensor([rank for some in of_users for rank in some])
    users = np.repeat(3 * np.arange(len(of_users)), [len(some) for some in of_users])
    found = metrics(rank, users)
    means = [sum(r <= 10 for r in some) / len(some) for some in of_users]
    assert found["hit"] == pytest.approx(sum(means) / len(means))
    for name in ("hit", "mrr", "ndcg"):
        each = per_user(rank.numpy(), name, users)
        assert found[name] == pytest.approx(each.mean())
        assert len(each) == len(of_users)


def test_both_splits_make_all_metric_columns() -> None:
    both, users = torch.tensor([[1, 20], [1, 4]]), np.arange(2)
    columns = metric_columns("valid", both, users) | metric_columns("test", both, users)
    assert set(columns) == set(METRIC_COLUMNS)
    assert columns["test_recall"] == 0.5
    assert columns["test_recall_masked"] == 1.0

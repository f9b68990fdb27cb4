"""Ranks and metrics against a plain, independent implementation, ties and all."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine.metrics import METRIC_COLUMNS
from engine.models.base import Model
from engine.training.evaluation import EvaluationSet, metric_columns, metrics, ranks


class Fixed(Model):
    """Scores users by a table: the first item of the history is the row."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.num_items = table.shape[1] - 1
        self.table = table

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:
        return self.table[items[:, 0]]


def evaluation(targets: list[int], seen: list[list[int]]) -> EvaluationSet:
    others = [sorted(set(s) - {t}) for s, t in zip(seen, targets, strict=True)]
    offsets = [0]
    for items in others:
        offsets.append(offsets[-1] + len(items))
    return EvaluationSet(
        histories=torch.arange(len(targets), dtype=torch.int32)[:, None],
        targets=torch.tensor(targets),
        seen=torch.tensor([i for items in others for i in items], dtype=torch.long),
        seen_users=torch.tensor([u for u, items in enumerate(others) for _ in items]).long(),
        seen_offsets=torch.tensor(offsets),
    )


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
@settings(max_examples=150)
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


@given(st.lists(st.integers(1, 40), min_size=1, max_size=50))
def test_metrics_follow_their_definitions(rank_list: list[int]) -> None:
    found = metrics(torch.tensor(rank_list))
    n = len(rank_list)
    top = [r for r in rank_list if r <= 10]
    assert found["recall"] == found["hit"] == pytest.approx(len(top) / n)
    assert found["mrr"] == pytest.approx(sum(1 / r for r in top) / n)
    assert found["ndcg"] == pytest.approx(sum(1 / math.log2(r + 1) for r in top) / n)


def test_both_splits_make_all_metric_columns() -> None:
    both = torch.tensor([[1, 20], [1, 4]])
    columns = metric_columns("valid", both) | metric_columns("test", both)
    assert set(columns) == set(METRIC_COLUMNS)
    assert columns["test_recall"] == 0.5
    assert columns["test_recall_masked"] == 1.0

"""Metrics at every cut-off, worked out target by target."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.metrics import CUTOFFS, RANK_RESULTS
from engine.results.cutoffs import rank_results, value_at
from engine.results.popularity import popularity_parts

TARGETS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 150), st.integers(0, 149)), min_size=1, max_size=40
)
"""A user, a rank, and how much better it is with seen items masked."""


def value(metric: str, rank: int, k: int) -> float:
    if rank > k:
        return 0.0
    return {"ndcg": 1 / math.log2(1 + rank), "recall": 1.0, "mrr": 1 / rank}[metric]


@given(TARGETS, st.data())
def test_a_users_targets_are_averaged_first_and_then_the_users(
    drawn: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    drawn.sort(key=lambda each: each[0])
    ranks = [(rank, max(1, rank - less)) for _, rank, less in drawn]
    tail = data.draw(st.lists(st.booleans(), min_size=len(drawn), max_size=len(drawn)))
    found = rank_results(
        np.array(ranks, np.int32).T,
        np.array([user for user, *_ in drawn], np.int32),
        {"tail": np.array(tail)},
    )
    for name, result in RANK_RESULTS.items():
        if result.scope not in ("", "tail"):
            assert name not in found
            continue
        of_users: dict[int, list[float]] = {}
        for (user, *_), both, in_tail in zip(drawn, ranks, tail, strict=True):
            if in_tail or not result.scope:
                each = value(result.metric, both[result.masked], result.k)
                of_users.setdefault(user, []).append(each)
        if not of_users:
            assert name not in found
        else:
            assert found[name] == pytest.approx(fmean(map(fmean, of_users.values())), abs=1e-12)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=30))
def test_with_one_target_a_user_users_need_not_be_told(ranks: list[int]) -> None:
    both = np.array([ranks, ranks], np.int32)
    assert rank_results(both) == rank_results(both, np.arange(len(ranks), dtype=np.int32))


@given(st.lists(st.integers(1, 300), min_size=1, max_size=30))
def test_a_larger_cut_off_never_lowers_a_metric(ranks: list[int]) -> None:
    found = np.array(ranks, np.int32)
    for metric in ("hit", "recall", "mrr", "ndcg"):
        each = [value_at(found, metric, k) for k in CUTOFFS]
        assert all((low <= high).all() for low, high in pairwise(each))


def test_the_popular_tenth_is_counted_in_training() -> None:
    counts = np.array([0, *range(20, 0, -1)])  # item 1 has twenty interactions, item 20 one
    parts = popularity_parts(counts, np.arange(1, 21))
    assert [np.flatnonzero(parts[name]).size for name in ("head", "mid", "tail")] == [2, 8, 10]
    assert parts["head"].tolist() == [True, True, *[False] * 18]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60))
def test_every_item_is_in_one_part(counts: list[int]) -> None:
    items = np.arange(1, len(counts) + 1)
    parts = popularity_parts(np.array([0, *counts]), items)
    assert (np.stack(list(parts.values())).sum(axis=0) == 1).all()
    for more, less in (("head", "mid"), ("mid", "tail"), ("head", "tail")):
        if parts[more].any() and parts[less].any():
            some = np.array(counts)
            assert some[parts[more]].min() >= some[parts[less]].max()

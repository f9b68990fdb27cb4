"""Batches of fixed shapes rank as those that are just as large as they must be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import load_catalogue
from engine.datasets.interactions import make_interactions
from engine.datasets.splitting.splits import SPLITS, leave_one_out
from engine.models.registry import definition_of
from engine.training.ranking.evaluation import EvaluationSet, evaluation_set, flat_histories, ranks
from engine.training.ranking.fixedbatches import fixed_batches

CPU = torch.device("cpu")
LENGTH = 4


def both(lengths: list[int], seed: int) -> list[EvaluationSet]:
    """The splits of histories of these lengths, of random items."""
    generator = torch.Generator().manual_seed(seed)
    items = torch.randint(1, 10, (sum(lengths),), generator=generator).int().numpy()
    offsets = np.cumsum([0, *lengths])
    split = leave_one_out(make_interactions(items, offsets, 9))
    flat = flat_histories(split.interactions, CPU)
    return [evaluation_set(split, each, LENGTH, flat) for each in SPLITS]


@given(st.lists(st.integers(3, 12), min_size=1, max_size=11), st.integers(1, 12), st.integers(0, 9))
@settings(max_examples=examples(60), deadline=None)
def test_ranks_are_the_same(lengths: list[int], batch_size: int, seed: int) -> None:
    spec = load_catalogue().run_spec("sasrec", "synthetic", LENGTH, 1, overrides={"dim": 8})
    torch.manual_seed(seed)
    model = definition_of(spec).build(spec.architecture.settings, 9, LENGTH)
    splits = both(lengths, seed)
    batches = fixed_batches(splits, batch_size)
    assert len(batches) <= 2, "all batches but the last of a split are full"

    def rank_batch(data: EvaluationSet, first: int, last: int) -> torch.Tensor:
        batch = batches[last - first]
        shape = batch.ranges.shape
        batch.set(data, first, last)
        assert batch.ranges.shape == shape
        assert int(batch.ranges[3].sum()) == batch.pairs
        return batch.ranks(model, data, bfloat16=False)

    for data in splits:
        found = ranks(model, data, batch_size, rank_batch=rank_batch)
        assert found.tolist() == ranks(model, data, batch_size).tolist()


@pytest.mark.parametrize("users", [0, 1])
def test_few_users_or_none(users: int) -> None:
    splits = both([3] * users, 1)
    assert sorted(fixed_batches(splits, 4)) == [1] * users

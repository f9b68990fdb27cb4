"""Ranking the batches of an evaluation on a GPU, each as the replay of a CUDA graph.

Batches of as many targets have the same shapes: the distinct items before their targets, whose
number varies, are padded to the most that any of them has. What a batch scores isn't padded: its
products may be computed otherwise, and ranks would be others, were it of another size.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from engine.models.base import Model
from engine.training.group import SINGLE, Group
from engine.training.lanes import ALONE, Lane
from engine.training.ranking.evaluation import EvaluationSet, RankBatch, range_ranks
from engine.training.recorded import Recorded, record


@dataclass(frozen=True)
class FixedBatch:
    """The inputs of batches of as many targets."""

    ranges: Tensor
    """int64 (4, targets + 1), of `EvaluationSet.ranges`, and padding."""
    pairs: int
    """The sum of its last row."""

    def set(self, data: EvaluationSet, first: int, last: int) -> None:
        """Make it the batch of the targets ``first`` to ``last``, without waiting for the
        device."""
        self.ranges[:, :-1].copy_(data.ranges[:, first:last])
        self.ranges[3, -1].fill_(self.pairs - data.pairs(first, last))

    def ranks(self, model: Model, data: EvaluationSet, *, bfloat16: bool) -> Tensor:
        """Rank the batch's targets, int32 (2, targets)."""
        return range_ranks(model, data, self.ranges, self.pairs, bfloat16=bfloat16, padded=True)


def fixed_batches(
    splits: Sequence[EvaluationSet], batch_size: int, group: Group = SINGLE
) -> dict[int, FixedBatch]:
    """Return a batch for each number of targets that this rank's batches of some splits have, set
    to one of these."""
    found: dict[int, FixedBatch] = {}
    bounds = [(data, *each) for data in splits for each in data.batches(batch_size, group)]
    for data, first, last in bounds:
        rows, pairs = last - first, data.pairs(first, last)
        pairs = max(pairs, found[rows].pairs) if rows in found else pairs
        ranges = torch.zeros(4, rows + 1, dtype=torch.int64, device=data.ranges.device)
        found[rows] = FixedBatch(ranges, pairs)
        found[rows].set(data, first, last)
    return found


def recorded_ranks(
    model: Model,
    splits: Sequence[EvaluationSet],
    batch_size: int,
    *,
    bfloat16: bool,
    group: Group = SINGLE,
    lane: Lane = ALONE,
    pool: Any = None,
) -> RankBatch | None:
    """Record the ranking of batches with a model, whose weights may change from one to the next,
    but not their places; ``None`` if it waits for the GPU somewhere: stderr says why.

    Puts the model in evaluation mode and leaves it there.

    Args:
        splits: all that are ranked in batches of ``batch_size``, of the same histories.
        pool: as in `record`.
    """
    model.eval()
    batches = fixed_batches(splits, batch_size, group)
    works = [partial(each.ranks, model, splits[0], bfloat16=bfloat16) for each in batches.values()]

    @torch.no_grad()  # in inference mode, nothing else could write to what is made here
    def recording() -> list[Recorded[Tensor]] | str:
        return record(works, lane, pool=pool)

    recorded = lane.in_common_thread(recording)
    if isinstance(recorded, str):
        sys.stderr.write(f"Ranking waits for the GPU, so it is not captured: {recorded}\n")
        return None
    return _replaying(batches, dict(zip(batches, recorded, strict=True)))


def _replaying(
    batches: Mapping[int, FixedBatch], recorded: Mapping[int, Recorded[Tensor]]
) -> RankBatch:
    def rank(data: EvaluationSet, first: int, last: int) -> Tensor:
        rows = last - first
        batches[rows].set(data, first, last)
        recorded[rows].graph.replay()
        return recorded[rows].result.clone()

    return rank

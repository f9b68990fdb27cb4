"""Evaluation: the rank of every target among all items, and the metrics at 10, averaged by user.

A tie with the true item counts against it. Ranks are taken twice: among all items, and with the
items that the user has seen masked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.datasets.interactions import Interactions
from engine.datasets.splits import Split, SplitData, first_places
from engine.metrics import METRICS, RANKINGS
from engine.models.base import Model
from engine.results.users import mean_by_user
from engine.spec import TOP_K
from engine.training.group import SINGLE, Group
from engine.training.lanes import ALONE, Lane
from engine.training.scoring import scores


@dataclass(frozen=True)
class FlatHistories:
    """The histories of all users on the training device, from which batches are cut."""

    items: Tensor
    """int32 (interactions,): user by user, oldest first."""
    firsts: Tensor
    """int64 (distinct,): the places in ``items`` where an item is in its history for the first
    time, ascending."""
    firsts_before: NDArray[np.int64]
    """(interactions + 1,), on the host: how many of ``firsts`` are before each place."""
    times: Tensor | None = None
    """int64 (interactions,): as in `Model.scores`; ``None`` if the model reads none, or the data
    have none."""


def flat_histories(
    interactions: Interactions, device: torch.device, *, timed: bool = False
) -> FlatHistories:
    """Copy the histories to the device.

    Args:
        timed: whether the model reads times.
    """
    firsts = first_places(interactions)
    marked = np.zeros(len(interactions.items), np.int64)
    marked[firsts] = 1
    times = interactions.times if timed else None
    return FlatHistories(
        items=torch.from_numpy(interactions.items).to(device),
        firsts=torch.from_numpy(firsts).to(device),
        firsts_before=np.concatenate([[0], np.cumsum(marked)]),
        times=None if times is None else torch.from_numpy(times).to(device),
    )


@dataclass(frozen=True)
class EvaluationSet:
    """The targets of one split, on the training device. Their histories, and what is seen in them,
    are cut from the flat ones a batch at a time: all at once, they may be more than it holds."""

    flat: FlatHistories
    length: int
    """L, the most recent items that the model sees."""
    users: NDArray[np.int64]
    """(targets,), on the host: the number of each target's user, ascending."""
    starts: Tensor
    """int64 (targets,): where each target's history begins in the flat items."""
    ends: Tensor
    """int64 (targets,): the place of each target, one past its history."""
    first_seen: Tensor
    """int64 (targets,): where the distinct items of each history begin in ``flat.firsts``."""
    seen_before: NDArray[np.int64]
    """(targets + 1,), on the host: the distinct items of the histories before each one."""

    def __len__(self) -> int:
        return len(self.users)

    def beginning(self, targets: int) -> EvaluationSet:
        """Return the first targets, at most this many."""
        return replace(
            self,
            users=self.users[:targets],
            starts=self.starts[:targets],
            ends=self.ends[:targets],
            first_seen=self.first_seen[:targets],
            seen_before=self.seen_before[: targets + 1],
        )

    def targets(self, rows: slice | Tensor) -> Tensor:
        """Return the true items of some targets, int64 (rows,)."""
        return self.flat.items[self.ends[rows]].long()

    def inputs(self, rows: slice | Tensor) -> tuple[Tensor, Tensor | None]:
        """Return what the model sees before some targets: the last items, int64 (rows, L),
        left-padded with 0, and their times."""
        starts, ends, flat = self.starts[rows, None], self.ends[rows, None], self.flat
        places = ends + torch.arange(-self.length, 0, device=ends.device)
        inside = places >= starts
        places = torch.where(inside, places, 0)  # what is before the history may be before all
        times = None if flat.times is None else torch.where(inside, flat.times[places], 0)
        return torch.where(inside, flat.items[places], 0).long(), times

    def seen(self, first: int, last: int) -> tuple[Tensor, Tensor]:
        """Return the distinct items before each of the targets ``first`` to ``last``, int64
        (pairs,), and the row among these that each belongs to, int64 (pairs,)."""
        before = self.seen_before[first : last + 1]
        device, total = self.ends.device, int(before[-1] - before[0])
        counts = torch.from_numpy(np.diff(before)).to(device)
        row = torch.repeat_interleave(
            torch.arange(last - first, device=device), counts, output_size=total
        )
        shift = self.first_seen[first:last] - torch.from_numpy(before[:-1] - before[0]).to(device)
        places = self.flat.firsts[torch.arange(total, device=device) + shift[row]]
        return self.flat.items[places].long(), row


def evaluation_set(
    data: SplitData, split: Split, length: int, flat: FlatHistories
) -> EvaluationSet:
    """Prepare the evaluation of one split.

    Args:
        length: L, the most recent items that the model sees.
        flat: the histories of ``data.interactions``.
    """
    users, ends = data.users(split), data.ends(split)
    starts = data.interactions.offsets[users]
    first_seen, device = flat.firsts_before[starts], flat.items.device
    counts = flat.firsts_before[ends] - first_seen
    return EvaluationSet(
        flat=flat,
        length=length,
        users=users,
        starts=torch.from_numpy(starts).to(device),
        ends=torch.from_numpy(ends).to(device),
        first_seen=torch.from_numpy(first_seen).to(device),
        seen_before=np.concatenate([[0], np.cumsum(counts)]),
    )


def ranks(
    model: Model,
    data: EvaluationSet,
    batch_size: int,
    *,
    bfloat16: bool = False,
    group: Group = SINGLE,
    lane: Lane = ALONE,
) -> Tensor:
    """Rank every target, from 1: int32 (2, targets), among all items and with seen masked.

    Puts the model in evaluation mode and leaves it there. Each rank of ``group`` takes a part of
    the targets.

    Args:
        batch_size: targets at once.
        bfloat16: as in `scores`.
    """
    model.eval()
    begin, end = group.span(len(data))
    found = [torch.empty(2, 0, dtype=torch.int32, device=data.ends.device)]
    with torch.inference_mode():
        for first in range(begin, end, batch_size):
            last = min(first + batch_size, end)
            lane.give_way()
            with lane.randomness():
                histories, times = data.inputs(slice(first, last))
                logits = scores(model, histories, times, bfloat16=bfloat16)
                found.append(_rank_batch(logits, data, first, last))
    return group.all_gather(torch.cat(found, dim=1), len(data))


def _rank_batch(logits: Tensor, data: EvaluationSet, first: int, last: int) -> Tensor:
    """Rank the targets ``first`` to ``last``: int32 (2, targets)."""
    targets = data.targets(slice(first, last))
    true = logits.gather(1, targets[:, None])
    # "Not below" rather than "at least": a NaN then counts against the model.
    above = ~(logits[:, 1:] < true)
    over_all = above.sum(dim=1)

    seen, row = data.seen(first, last)
    # The true item isn't masked if it was seen before.
    seen_above = above[row, seen - 1] & (seen != targets[row])
    masked = over_all - torch.zeros_like(over_all).index_add_(0, row, seen_above.long())
    return torch.stack([over_all, masked]).int()


def metrics(ranks_of_true: Tensor, users: NDArray[np.int64], k: int = TOP_K) -> dict[str, float]:
    """Average HitRate, Recall, MRR and NDCG at ``k`` over the users, each the mean over the user's
    targets, from ranks, int (targets,).

    With one relevant item, Recall@k equals HitRate@k, and NDCG@k is 1/log2(1 + rank) inside the
    first k (Järvelin & Kekäläinen 2002, with an ideal gain of 1).

    Args:
        users: (targets,), as in `EvaluationSet`.
    """
    rank = ranks_of_true.double()
    hit = (rank <= k).double()
    values = {
        "hit": hit,
        "recall": hit,
        "mrr": hit / rank,
        "ndcg": hit / torch.log2(rank + 1),
    }
    by_user = {name: mean_by_user(values[name].numpy(), users) for name in METRICS}
    return {name: float(torch.from_numpy(each).mean()) for name, each in by_user.items()}


def metric_columns(split: Split, both: Tensor, users: NDArray[np.int64]) -> dict[str, float]:
    """Compute the eight metric columns of one split from `ranks`, (2, targets), on the host, and
    the targets' users, (targets,)."""
    return {
        f"{split}_{name}{ranking}": value
        for ranking, row in zip(RANKINGS, both, strict=True)
        for name, value in metrics(row, users).items()
    }

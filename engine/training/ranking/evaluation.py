"""Evaluation: the rank of every target among all items, and the metrics at 10, averaged by user.

A tie with the true item counts against it. Ranks are taken twice: among all items, and with the
items that the user has seen masked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.datasets.interactions import Interactions
from engine.datasets.splitting.splits import Split, SplitData, first_places
from engine.metrics import METRICS, RANKINGS
from engine.models.base import Model
from engine.results.cutoffs import gains
from engine.results.users import mean_by_user
from engine.spec import TOP_K
from engine.training.group import SINGLE, Group
from engine.training.lanes import ALONE, Lane
from engine.training.ranking.scoring import scores


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

    def before(self, starts: Tensor, ends: Tensor, length: int) -> tuple[Tensor, Tensor | None]:
        """Return the last ``length`` items of histories, int64 (rows, length), left-padded with 0,
        and their times.

        Args:
            starts: int64 (rows,): where each history begins in ``items``.
            ends: int64 (rows,): one past its last item.
        """
        starts, ends = starts[:, None], ends[:, None]
        places = ends + torch.arange(-length, 0, device=ends.device)
        inside = places >= starts
        places = torch.where(inside, places, 0)  # what is before the history may be before all
        times = None if self.times is None else torch.where(inside, self.times[places], 0)
        return torch.where(inside, self.items[places], 0).long(), times

    def distinct(
        self, begins: Tensor, counts: Tensor, total: int, *, padded: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return the distinct items of histories, int64 (total,), and the row that each belongs to,
        int64 (total,).

        Args:
            begins: int64 (rows,): where each history's distinct items begin in ``firsts``.
            counts: int64 (rows,): how many there are.
            total: their sum, which is on the device.
            padded: whether the last row is padding, which may have more than there are at all.
        """
        row = torch.repeat_interleave(counts, output_size=total)
        shift = begins - (counts.cumsum(0) - counts)
        places = torch.arange(total, device=row.device) + shift[row]
        if padded:
            places = places.clamp(max=len(self.firsts) - 1)
        return self.items[self.firsts[places]].long(), row


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
    ranges: Tensor
    """int64 (4, targets): where each target's history begins in the flat items; the place of the
    target, one past its history; where the distinct items of its history begin in ``flat.firsts``;
    and how many there are."""
    seen_before: NDArray[np.int64]
    """(targets + 1,), on the host: the distinct items of the histories before each one."""

    def __len__(self) -> int:
        return len(self.users)

    def beginning(self, targets: int) -> EvaluationSet:
        """Return the first targets, at most this many."""
        return replace(
            self,
            users=self.users[:targets],
            ranges=self.ranges[:, :targets],
            seen_before=self.seen_before[: targets + 1],
        )

    def inputs(self, rows: slice | Tensor) -> tuple[Tensor, Tensor | None]:
        """Return what the model sees before some targets: the last items, int64 (rows, L),
        left-padded with 0, and their times."""
        starts, ends = self.ranges[:2, rows]
        return self.flat.before(starts, ends, self.length)

    def batches(self, size: int, group: Group = SINGLE) -> Iterator[tuple[int, int]]:
        """Yield the bounds, half open, of this rank's targets, ``size`` at a time."""
        begin, end = group.span(len(self))
        for first in range(begin, end, size):
            yield first, min(first + size, end)

    def pairs(self, first: int, last: int) -> int:
        """Return the number of distinct items before the targets ``first`` to ``last``, summed over
        them."""
        return int(self.seen_before[last] - self.seen_before[first])


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
    ranges = np.stack([starts, ends, first_seen, counts])
    return EvaluationSet(
        flat=flat,
        length=length,
        users=users,
        ranges=torch.from_numpy(ranges).to(device),
        seen_before=np.concatenate([[0], np.cumsum(counts)]),
    )


RankBatch = Callable[[EvaluationSet, int, int], Tensor]
"""Ranks the targets from one to before another: int32 (2, targets), as `ranks`."""


def ranks(
    model: Model,
    data: EvaluationSet,
    batch_size: int,
    *,
    bfloat16: bool = False,
    group: Group = SINGLE,
    lane: Lane = ALONE,
    rank_batch: RankBatch | None = None,
) -> Tensor:
    """Rank every target, from 1: int32 (2, targets), among all items and with seen masked.

    Puts the model in evaluation mode and leaves it there. Each rank of ``group`` takes a part of
    the targets.

    Args:
        batch_size: targets at once.
        bfloat16: as in `scores`.
        rank_batch: from `engine.training.recordedranks`, of this model and these settings.
    """
    by = rank_batch or lane.drawing(batch_ranks(model, bfloat16=bfloat16))
    model.eval()
    found = [torch.empty(2, 0, dtype=torch.int32, device=data.ranges.device)]
    with torch.inference_mode():
        for first, last in data.batches(batch_size, group):
            lane.give_way()
            found.append(by(data, first, last))
    return group.all_gather(torch.cat(found, dim=1), len(data))


def batch_ranks(model: Model, *, bfloat16: bool) -> RankBatch:
    """Return what ranks batches of any size with a model in evaluation mode."""

    def rank(data: EvaluationSet, first: int, last: int) -> Tensor:
        ranges = data.ranges[:, first:last]
        return range_ranks(model, data, ranges, data.pairs(first, last), bfloat16=bfloat16)

    return rank


def range_ranks(
    model: Model,
    data: EvaluationSet,
    ranges: Tensor,
    pairs: int,
    *,
    bfloat16: bool,
    padded: bool = False,
) -> Tensor:
    """Rank targets, int32 (2, targets).

    Args:
        ranges: int64 (4, targets), of `EvaluationSet.ranges`.
        pairs: the sum of its last row.
        padded: whether its last column is no target, and there to make up ``pairs``.
    """
    real = ranges[:, :-1] if padded else ranges
    histories, times = data.flat.before(real[0], real[1], data.length)
    targets = data.flat.items[real[1]].long()
    logits = scores(model, histories, times, bfloat16=bfloat16)
    true = logits.gather(1, targets[:, None])
    # "Not below" rather than "at least": a NaN then counts against the model.
    above = ~(logits[:, 1:] < true)
    over_all = above.sum(dim=1)

    seen, row = data.flat.distinct(ranges[2], ranges[3], pairs, padded=padded)
    kept = row
    if padded:
        row = row.clamp(max=len(targets) - 1)
    # The true item isn't masked if it was seen before.
    seen_above = above[row, seen - 1] & (seen != targets[row])
    if padded:
        seen_above &= kept < len(targets)
    masked = over_all - torch.zeros_like(over_all).index_add_(0, row, seen_above.long())
    return torch.stack([over_all, masked]).int()


def metrics(ranks_of_true: Tensor, users: NDArray[np.int64], k: int = TOP_K) -> dict[str, float]:
    """Average HitRate, Recall, MRR and NDCG at ``k`` over the users, each the mean over the user's
    targets, from ranks, int (targets,).

    Args:
        users: (targets,), as in `EvaluationSet`.
    """
    by_user = mean_by_user(gains(ranks_of_true.numpy(), k), users)
    hit, mrr, ndcg = (float(torch.from_numpy(each).mean()) for each in by_user)
    means = {"hit": hit, "recall": hit, "mrr": mrr, "ndcg": ndcg}
    return {name: means[name] for name in METRICS}


def metric_columns(split: Split, both: Tensor, users: NDArray[np.int64]) -> dict[str, float]:
    """Compute the eight metric columns of one split from `ranks`, (2, targets), on the host, and
    the targets' users, (targets,)."""
    return {
        f"{split}_{name}{ranking}": value
        for ranking, row in zip(RANKINGS, both, strict=True)
        for name, value in metrics(row, users).items()
    }

"""Evaluation: every user's rank of the true item among all items, and the metrics at 10.

A tie with the true item counts against it. Ranks are taken twice: among all items, and with the
items that the user has seen masked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.datasets.splits import Split, SplitData
from engine.metrics import METRICS, RANKINGS
from engine.models.base import Model
from engine.spec import TOP_K
from engine.training.group import SINGLE, Group
from engine.training.scoring import scores


@dataclass(frozen=True)
class EvaluationSet:
    """The users that one split evaluates, on the training device."""

    histories: Tensor
    """int32 (users, L): the last items before the target, left-padded with 0."""
    targets: Tensor
    """int64 (users,): the true items."""
    seen: Tensor
    """int64 (pairs,): each user's distinct items before the target, without it, concatenated."""
    seen_users: Tensor
    """int64 (pairs,): the row of the user that each of ``seen`` belongs to."""
    seen_offsets: Tensor
    """int64 (users + 1,), on the host: row u has ``seen[seen_offsets[u]:seen_offsets[u + 1]]``."""
    times: Tensor | None = None
    """int64 (users, L): the histories' times, as in `Model.scores`; ``None`` if the model reads
    none, or the data have none."""


def evaluation_set(
    data: SplitData, split: Split, length: int, device: torch.device, *, timed: bool = False
) -> EvaluationSet:
    """Copy one split's histories, targets and seen items to the device.

    Args:
        length: L, the most recent items that the model sees.
        timed: whether the model reads times.
    """
    times = data.history_times(split, length) if timed else None
    seen, offsets = data.seen(split)
    users = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return EvaluationSet(
        histories=torch.from_numpy(data.histories(split, length)).to(device),
        times=None if times is None else torch.from_numpy(times).to(device),
        targets=torch.from_numpy(data.targets(split)).long().to(device),
        seen=torch.from_numpy(seen).long().to(device),
        seen_users=torch.from_numpy(users).to(device),
        seen_offsets=torch.from_numpy(offsets),
    )


def ranks(
    model: Model,
    data: EvaluationSet,
    batch_size: int,
    *,
    bfloat16: bool = False,
    group: Group = SINGLE,
) -> Tensor:
    """Rank every user's target, from 1: int32 (2, users), among all items and with seen masked.

    Puts the model in evaluation mode and leaves it there. Each rank of ``group`` takes a part of
    the users.

    Args:
        batch_size: users at once.
        bfloat16: as in `scores`.
    """
    model.eval()
    users = len(data.targets)
    begin, end = group.span(users)
    found = [torch.empty(2, 0, dtype=torch.int32, device=data.targets.device)]
    with torch.inference_mode():
        for first in range(begin, end, batch_size):
            last = min(first + batch_size, end)
            times = None if data.times is None else data.times[first:last]
            histories = data.histories[first:last].long()
            logits = scores(model, histories, times, bfloat16=bfloat16)
            found.append(_rank_batch(logits, data, first, last))
    return group.all_gather(torch.cat(found, dim=1), users)


def _rank_batch(logits: Tensor, data: EvaluationSet, first: int, last: int) -> Tensor:
    """Rank the targets of users ``first`` to ``last``: int32 (2, users)."""
    targets = data.targets[first:last]
    true = logits.gather(1, targets[:, None])
    # "Not below" rather than "at least": a NaN then counts against the model.
    above = ~(logits[:, 1:] < true)
    over_all = above.sum(dim=1)

    begin, end = int(data.seen_offsets[first]), int(data.seen_offsets[last])
    row = data.seen_users[begin:end] - first
    seen_above = above[row, data.seen[begin:end] - 1]
    masked = over_all - torch.zeros_like(over_all).index_add_(0, row, seen_above.long())
    return torch.stack([over_all, masked]).int()


def metrics(ranks_of_true: Tensor, k: int = TOP_K) -> dict[str, float]:
    """Average HitRate, Recall, MRR and NDCG at ``k`` over the users, from ranks, int (users,).

    With one relevant item, Recall@k equals HitRate@k, and NDCG@k is 1/log2(1 + rank) inside the
    first k (Järvelin & Kekäläinen 2002, with an ideal gain of 1).
    """
    rank = ranks_of_true.double()
    hit = (rank <= k).double()
    values = {
        "hit": hit.mean(),
        "recall": hit.mean(),
        "mrr": (hit / rank).mean(),
        "ndcg": (hit / torch.log2(rank + 1)).mean(),
    }
    return {name: float(values[name]) for name in METRICS}


def metric_columns(split: Split, both: Tensor) -> dict[str, float]:
    """Compute the eight metric columns of one split from `ranks`, (2, users)."""
    return {
        f"{split}_{name}{ranking}": value
        for ranking, row in zip(RANKINGS, both, strict=True)
        for name, value in metrics(row).items()
    }

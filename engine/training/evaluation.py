"""Ranking the true item among all items, for every user: the metrics at 10.

A tie with the true item counts against it. Reported twice: over all items, and with the items
that the user has seen masked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.datasets.splits import Split, SplitData
from engine.metrics import METRICS, RANKINGS
from engine.models.base import SequenceModel
from engine.spec import TOP_K
from engine.training.group import ALONE, Group


@dataclass(frozen=True)
class EvaluationSet:
    """One split, ready on the device."""

    histories: Tensor
    """int32 (users, L): the last items before the true one, left-padded with 0."""
    targets: Tensor
    """int64 (users,): the true items."""
    seen: Tensor
    """int64 (pairs,): each user's distinct items before the true one and other than it, flat."""
    seen_users: Tensor
    """int64 (pairs,): whose they are."""
    seen_offsets: Tensor
    """int64 (users + 1,), on the host: where each user's part of ``seen`` begins."""


def evaluation_set(
    data: SplitData, split: Split, length: int, device: torch.device
) -> EvaluationSet:
    """Gather one split's histories, true items and seen items on the device."""
    seen, offsets = data.seen(split)
    users = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return EvaluationSet(
        histories=torch.from_numpy(data.histories(split, length)).to(device),
        targets=torch.from_numpy(data.targets(split)).long().to(device),
        seen=torch.from_numpy(seen).long().to(device),
        seen_users=torch.from_numpy(users).to(device),
        seen_offsets=torch.from_numpy(offsets),
    )


def ranks(
    model: SequenceModel,
    data: EvaluationSet,
    batch_size: int,
    *,
    bfloat16: bool = False,
    group: Group = ALONE,
) -> Tensor:
    """Each user's rank of the true item, from 1: int32 (2, users), all items and seen masked.

    The model is put in evaluation mode and left there. ``bfloat16`` is for its layers; scores are
    float32, because in bfloat16 they tie. Each process of ``group`` ranks for a part of the users.
    """
    model.eval()
    users = len(data.targets)
    begin, end = group.span(users)
    found = [torch.empty(2, 0, dtype=torch.int32, device=data.targets.device)]
    with torch.inference_mode():
        for first in range(begin, end, batch_size):
            last = min(first + batch_size, end)
            histories = data.histories[first:last].long()
            with torch.autocast(histories.device.type, torch.bfloat16, enabled=bfloat16):
                states = model.query(histories)
            found.append(_rank_batch(model.logits(states.float()), data, first, last))
    return group.gathered(torch.cat(found, dim=1), users)


def _rank_batch(scores: Tensor, data: EvaluationSet, first: int, last: int) -> Tensor:
    targets = data.targets[first:last]
    true = scores.gather(1, targets[:, None])
    # "Not below" rather than "at least": a NaN then counts against the model.
    above = ~(scores[:, 1:] < true)
    over_all = above.sum(dim=1)

    begin, end = int(data.seen_offsets[first]), int(data.seen_offsets[last])
    row = data.seen_users[begin:end] - first
    seen_above = above[row, data.seen[begin:end] - 1]
    masked = over_all - torch.zeros_like(over_all).index_add_(0, row, seen_above.long())
    return torch.stack([over_all, masked]).int()


def metrics(ranks_of_true: Tensor, k: int = TOP_K) -> dict[str, float]:
    """HitRate, Recall, MRR and NDCG at ``k`` from ranks (int, (users,)), means over users.

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
    """The eight columns of one split from `ranks`."""
    return {
        f"{split}_{name}{ranking}": value
        for ranking, row in zip(RANKINGS, both, strict=True)
        for name, value in metrics(row).items()
    }

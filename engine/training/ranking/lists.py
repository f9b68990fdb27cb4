"""The items with the highest scores for each test user: over all items, and with seen ones masked.

Equal scores are ordered by item number, so that the lists are the same on every device: fitted
models have many.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.datasets.splitting.splits import SplitData, last_items, last_times
from engine.models.base import Model, TimedModel
from engine.results.lists import LONGEST, Lists
from engine.training.lanes import ALONE, Lane
from engine.training.ranking.scoring import scores

LOWEST = torch.finfo(torch.float32).min


@dataclass(frozen=True)
class Recommended:
    """What is recommended to every test user, in the order of their numbers."""

    over_all: Lists
    masked: Lists
    """Without the items that the user interacted with before the target, except for the target: as
    evaluation masks them."""


def recommended(
    model: Model,
    split: SplitData,
    device: torch.device,
    batch_size: int,
    *,
    bfloat16: bool = False,
    lane: Lane = ALONE,
) -> Recommended:
    """Return the `LONGEST` items, or all if there are fewer, with the highest scores for each test
    user, given the history before the user's last target.

    Puts the model in evaluation mode and leaves it there.

    Args:
        batch_size: users that an evaluation ranks at once; a quarter of them are scored at once,
            because finding the highest scores takes memory, too.
        bfloat16: as in `scores`.
    """
    own, lasts = split.interactions, split.test.at(split.test.last)
    users, ends = lasts.users, lasts.ends
    length = min(LONGEST, own.num_items)
    found = np.zeros((2, len(users), length), np.min_scalar_type(own.num_items))
    model.eval()
    step = max(1, batch_size // 4)

    @torch.inference_mode()
    def compared(items: Tensor, times: Tensor | None) -> Tensor:
        lane.give_way()
        with lane.randomness():
            return comparable(scores(model, items, times, bfloat16=bfloat16)[:, 1:])

    with torch.inference_mode():
        for first in range(0, len(users), step):
            rows = slice(first, first + step)
            where = own, users[rows], ends[rows], model.length
            items = torch.from_numpy(last_items(*where)).to(device).long()
            moments = last_times(*where) if isinstance(model, TimedModel) else None
            times = None if moments is None else torch.from_numpy(moments).to(device)
            table = lane.in_common_thread(partial(compared, items, times))
            found[0, rows] = highest(table, length).cpu()
            _mask(table, split, users[rows], ends[rows])
            found[1, rows] = highest(table, length).cpu()
    return Recommended(found[0], found[1])


def comparable(table: Tensor) -> Tensor:
    """Copy scores with NaN and minus infinity as the lowest finite number, and without negative
    zeros, which a GPU doesn't take as equal to zero."""
    return table.nan_to_num(LOWEST, torch.inf, LOWEST).add_(0.0)


def highest(table: Tensor, k: int) -> Tensor:
    """Return the ``k`` items with the highest scores, of equal ones those with the lower number,
    in this order.

    Args:
        table: float32 (B, V), `comparable`; minus infinity for items that may not be returned.

    Returns:
        int64 (B, k), item numbers from 1 on; 0 where fewer than ``k`` may be returned.
    """
    # Which of equal scores `topk` takes, and in which order, is up to the device.
    best = table.topk(min(k + 1, table.shape[1]))
    columns, values = best.indices[:, :k], best.values[:, :k]
    tied = (best.values[:, 1:] == best.values[:, :-1]).any(dim=1).nonzero()[:, 0]
    if len(tied):
        some, bound = table[tied], values[tied, -1:]
        above, level = some > bound, some == bound
        room = k - above.sum(dim=1, keepdim=True)
        chosen = above | (level & (level.cumsum(dim=1, dtype=torch.int32) <= room))
        ascending = chosen.nonzero()[:, 1].view(-1, k)
        order = some.gather(1, ascending).argsort(dim=1, descending=True, stable=True)
        columns[tied] = ascending.gather(1, order)
    return torch.where(values == -torch.inf, 0, columns + 1)


def _mask(
    table: Tensor, split: SplitData, users: NDArray[np.int64], ends: NDArray[np.int64]
) -> None:
    """Set the scores of what each user interacted with before ``ends`` to minus infinity, except
    for the target."""
    own = split.interactions
    counts = ends - own.offsets[users]
    row = np.repeat(np.arange(len(users)), counts)
    before = np.arange(len(row)) + np.repeat(ends - np.cumsum(counts), counts)
    targets = torch.from_numpy(own.items[ends]).to(table.device).long()[:, None] - 1
    kept = table.gather(1, targets)
    seen = torch.from_numpy(own.items[before]).to(table.device).long() - 1
    table[torch.from_numpy(row).to(table.device), seen] = -torch.inf
    table.scatter_(1, targets, kept)

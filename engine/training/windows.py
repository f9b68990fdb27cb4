"""Histories cut into windows, gathered on the device: the batches of one epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Histories:
    """The training part of every user's history, flat, on the training device."""

    items: Tensor
    """int32 (interactions,): user by user, oldest first; 1…V."""
    starts: Tensor
    """int64 (users,): where each user's training part begins in ``items``."""
    ends: Tensor
    """int64 (users,): one past where it ends."""

    @property
    def interactions(self) -> int:
        """Training interactions: the targets of one epoch of next-item training."""
        return int((self.ends - self.starts).sum())


@dataclass(frozen=True)
class Windows:
    """Index ranges into `Histories.items`; each interaction is in the own part of one window."""

    base: Tensor
    """int64 (windows,): where the user's history begins; nothing before it belongs to the user."""
    own: Tensor
    """int64 (windows,): first position that is the window's own; positions before it, back to
    ``base``, only serve as context."""
    end: Tensor
    """int64 (windows,): one past the last position."""

    def __len__(self) -> int:
        return int(self.end.numel())

    def batches(self, size: int, generator: torch.Generator) -> Iterator[Windows]:
        """The windows in a random order, ``size`` at a time."""
        order = torch.randperm(len(self), generator=generator).to(self.end.device)
        for chosen in torch.split(order, size):
            yield Windows(self.base[chosen], self.own[chosen], self.end[chosen])


def cut_windows(histories: Histories, width: int, generator: torch.Generator) -> Windows:
    """Cut every history into windows of ``width`` positions, at a random offset for each user.

    The first window of a user is 1…width long, so that over the epochs an interaction is seen
    with contexts of every length. The cuts of an epoch partition each history.
    """
    lengths = (histories.ends - histories.starts).cpu()
    users = torch.nonzero(lengths > 0).squeeze(1)
    lengths = lengths[users]
    first = torch.randint(1, width + 1, lengths.shape, generator=generator)
    counts = 1 + (lengths - first).clamp(min=0).add(width - 1).div(width, rounding_mode="floor")

    row = torch.repeat_interleave(torch.arange(len(users)), counts)
    number = torch.arange(len(row)) - (counts.cumsum(0) - counts)[row]
    end = torch.minimum(first[row] + number * width, lengths[row])
    own = torch.where(number == 0, 0, first[row] + (number - 1) * width)

    base = histories.starts.cpu()[users][row]
    device = histories.items.device
    return Windows(base.to(device), (base + own).to(device), (base + end).to(device))


def next_item_batch(items: Tensor, windows: Windows, width: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets, int64 (windows, width), right-aligned; 0 where there is none.

    The input at a position is the item before its target; before the first item of a history
    there is none, and the model predicts it from padding. Context positions have no target.
    """
    position = windows.end[:, None] - width + torch.arange(width, device=items.device)
    inputs = _gather(items, position - 1, position > windows.base[:, None])
    targets = _gather(items, position, position >= windows.own[:, None])
    return inputs, targets


def item_batch(items: Tensor, windows: Windows, width: int) -> Tensor:
    """The items of the windows themselves, int64 (windows, width), right-aligned, 0 for padding."""
    position = windows.end[:, None] - width + torch.arange(width, device=items.device)
    return _gather(items, position, position >= windows.base[:, None])


def _gather(items: Tensor, position: Tensor, valid: Tensor) -> Tensor:
    return torch.where(valid, items[position.clamp(min=0)].long(), 0)

"""Cutting histories into windows, and gathering the windows' items on the device in batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Histories:
    """The training part of every user's history, in flat arrays."""

    items: Tensor
    """int32 (interactions,), on the training device: user by user, oldest first; 1…V."""
    starts: Tensor
    """int64 (users,), on the host: where each user's training part begins in ``items``."""
    ends: Tensor
    """int64 (users,), on the host: one past where it ends."""
    times: Tensor | None = None
    """int64 (interactions,), on the training device, as in `TrainingHistories`; ``None`` if the
    model reads none, or the data have none."""

    @property
    def interactions(self) -> int:
        """Number of training interactions: the targets of one epoch of next-item training."""
        return int((self.ends - self.starts).sum())


@dataclass(frozen=True)
class Windows:
    """Index ranges into `Histories.items`; each interaction is owned by exactly one window."""

    ranges: Tensor
    """int64 (3, windows): `base`, `own` and `end`. A window of three zeros is padding."""

    @property
    def base(self) -> Tensor:
        """(windows,): where the user's history begins."""
        return self.ranges[0]

    @property
    def own(self) -> Tensor:
        """(windows,): the first position that the window owns; earlier ones, back to `base`, are
        context only."""
        return self.ranges[1]

    @property
    def end(self) -> Tensor:
        """(windows,): one past the last position."""
        return self.ranges[2]

    def __len__(self) -> int:
        return self.ranges.shape[1]

    def to(self, device: torch.device) -> Windows:
        """Copy to a device."""
        return Windows(self.ranges.to(device))

    def shuffled(self, generator: torch.Generator) -> Windows:
        """Return the windows in random order."""
        return Windows(self.ranges[:, torch.randperm(len(self), generator=generator)])

    def padded(self, size: int) -> Windows:
        """Append padding, so that every batch has ``size`` windows."""
        return Windows(F.pad(self.ranges, (0, -len(self) % size)))

    def batches(self, size: int) -> Iterator[Windows]:
        """Yield ``size`` windows at a time, in order; the last batch may be smaller."""
        for ranges in torch.split(self.ranges, size, dim=1):
            yield Windows(ranges)


def cut_windows(
    histories: Histories,
    width: int,
    generator: torch.Generator,
    stride: int | None = None,
    *,
    context: int = 0,
) -> Windows:
    """Cut every history into the fewest windows of ``width`` positions that cover it, on the host.

    Each position is owned by one window, and a window owns at most its last ``stride`` positions
    (``width`` by default). All but a user's first and last window own ``stride``; how many the
    first owns is random within what that leaves, so that over the epochs an interaction is seen
    with contexts of many lengths.

    Args:
        context: positions at the beginning of a history that no window owns: context only.
    """
    stride = stride or width
    starts = histories.starts + context
    lengths = histories.ends - starts
    users = torch.nonzero(lengths > 0).squeeze(1)
    lengths = lengths[users]
    counts = windows_needed(lengths, stride)
    least = lengths - (counts - 1) * stride
    choices = lengths.clamp(max=stride) - least + 1
    drawn = torch.rand(lengths.shape, generator=generator, dtype=torch.float64)
    first = least + (drawn * choices).long()

    row = torch.repeat_interleave(torch.arange(len(users)), counts)
    number = torch.arange(len(row)) - (counts.cumsum(0) - counts)[row]
    end = torch.minimum(first[row] + number * stride, lengths[row])
    own = torch.where(number == 0, 0, first[row] + (number - 1) * stride)
    start = starts[users][row]
    return Windows(torch.stack([start - context, start + own, start + end]))


def windows_needed(lengths: Tensor, stride: int) -> Tensor:
    """Return how many windows, owning ``stride`` positions each, cover histories of ``lengths``."""
    return (lengths + stride - 1).div(stride, rounding_mode="floor").clamp(min=0)


def next_item_batch(items: Tensor, windows: Windows, width: int) -> tuple[Tensor, Tensor]:
    """Gather inputs and targets, int64 (windows, width) each, right-aligned; 0 for padding.

    The input at a position is the item before its target; the first item of a history is predicted
    from padding. Context positions have no target.
    """
    position = _positions(windows, width)
    inputs = _gather(items, position - 1, position > windows.base[:, None])
    targets = _gather(items, position, position >= windows.own[:, None])
    return inputs, targets


def input_times(times: Tensor, windows: Windows, width: int) -> Tensor:
    """Gather the times of the inputs of `next_item_batch`, int64 (windows, width); 0 for
    padding."""
    position = _positions(windows, width)
    return _gather(times, position - 1, position > windows.base[:, None])


def item_batch(items: Tensor, windows: Windows, width: int, context: int | None = None) -> Tensor:
    """Gather the windows' items, int64 (windows, width), right-aligned; 0 for padding.

    Args:
        context: most positions before those that a window owns; by default, as many as fit.
    """
    position = _positions(windows, width)
    first = windows.base
    if context is not None:
        first = torch.maximum(first, windows.own - context)
    return _gather(items, position, position >= first[:, None])


def _positions(windows: Windows, width: int) -> Tensor:
    return windows.end[:, None] - width + torch.arange(width, device=windows.end.device)


def _gather(items: Tensor, position: Tensor, valid: Tensor) -> Tensor:
    return torch.where(valid, items[position.clamp(min=0)].long(), 0)

"""What a batch of windows asks of the model, and how many targets that makes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.base import SequenceModel
from engine.models.bert4rec import BERT4Rec
from engine.spec import RunSpec, Training
from engine.training.group import ALONE, Group
from engine.training.losses import target_loss
from engine.training.windows import Windows, item_batch, next_item_batch

ROOM_SIGMAS = 6.0

GRAIN = 256
"""On a CPU, numbers of targets are rounded up to multiples of this: oneDNN prepares its products
anew for every shape, and keeps a thousand of them (a gigabyte)."""


@dataclass(frozen=True)
class Objective:
    """How histories become windows, and windows targets."""

    training: Training
    masks: bool
    """Whether the model fills in masked items, rather than predict the next one."""
    width: int
    """Positions of a window. A masking model has one more than items it sees: the place of [MASK]
    in evaluation."""
    stride: int
    """Positions of a window that are its own; with 1, windows are prefixes."""

    @property
    def last_mask_share(self) -> float:
        """Share of the windows of which only the last item is masked: all of them, if prefixes."""
        prefixes = self.training.objective == "prefix"
        return 1.0 if prefixes else self.training.last_mask_share


def objective_of(spec: RunSpec) -> Objective:
    """The objective of a run."""
    training = spec.training
    masks = spec.architecture.model == "bert4rec"
    width = spec.length + masks
    stride = 1 if training.objective == "prefix" else width - int(training.window_overlap * width)
    return Objective(training, masks, width, stride)


def target_room(objective: Objective, windows: Windows, size: int) -> int:
    """Targets that ``size`` of such windows have room for where shapes are fixed.

    The mean and six standard deviations over random batches: one batch in a thousand million has
    more, and loses those.
    """
    windows = Windows(windows.ranges[:, windows.end > windows.base])  # empty ones fill one batch
    if objective.masks:
        start = torch.maximum(windows.base, windows.end - objective.width)
        items, ratio = (windows.end - start).double(), objective.training.mask_ratio
        share = objective.last_mask_share
    else:
        items, ratio, share = (windows.end - windows.own).double(), 1.0, 0.0
    none = (1 - ratio) ** items  # a window always hides one item
    mean = share + (1 - share) * (items * ratio + none)
    square = share + (1 - share) * (items * ratio * (1 - ratio) + (items * ratio) ** 2 + none)
    variance = float(square.mean() - mean.mean() ** 2)
    room = size * float(mean.mean()) + ROOM_SIGMAS * math.sqrt(size * variance)
    return min(math.ceil(room), size * objective.width)


def batch_loss(
    objective: Objective,
    model: SequenceModel,
    items: Tensor,
    windows: Windows,
    room: int | None = None,
    hidden_of: Callable[[Tensor], Tensor] | None = None,
    group: Group = ALONE,
) -> tuple[Tensor, Tensor]:
    """The summed loss (nats) of one batch, or of our share of it, and its number of targets;
    scalars on the device.

    Args:
        items: `Histories.items`.
        room: `target_room`, where nothing may wait for the device to count targets.
        hidden_of: the model's ``hidden`` in another form.
        group: those that share the batch out.
    """
    if objective.masks:
        assert isinstance(model, BERT4Rec)
        inputs, targets = mask_items(objective, model.mask_token, items, windows, group.generator)
    else:
        inputs, targets = next_item_batch(items, windows, objective.width)
    inputs, targets = group.share(inputs), group.share(targets)
    hidden, flat = (hidden_of or model.hidden)(inputs).flatten(0, 1), targets.flatten()
    chosen, chosen_targets = choose(flat, room)
    # Scores only where there is a target: the output layer is most of the work.
    states = model.transform(hidden.index_select(0, chosen))
    loss = target_loss(
        states, model.output_layer(), chosen_targets, objective.training, group.generator
    )
    return loss, (chosen_targets > 0).sum()


def mask_items(
    objective: Objective,
    mask_token: int,
    items: Tensor,
    windows: Windows,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Hide a share of the items, to be predicted from both sides (Sun et al. 2019, sec. 3.6).

    Inputs and targets, int64 (windows, width); a target of 0 is none. Every window hides at least
    one item: the last, where chance hid none, because that is the place evaluation asks for.
    """
    window_items = item_batch(items, windows, objective.width)
    real = window_items > 0
    drawn = torch.rand(real.shape, device=real.device, generator=generator)
    hidden = real & (drawn < objective.training.mask_ratio)
    drawn = torch.rand(len(real), device=real.device, generator=generator)
    last_only = drawn < objective.last_mask_share
    hidden &= ~last_only[:, None]
    hidden[:, -1] |= real[:, -1] & ~hidden.any(dim=1)
    targets = torch.where(hidden, window_items, 0)
    return torch.where(hidden, mask_token, window_items), targets


def choose(targets: Tensor, room: int | None) -> tuple[Tensor, Tensor]:
    """The places (N,) of targets other than 0, and those targets, filled up with targets of 0: to
    a multiple of `GRAIN`, or with ``room`` always to so many."""
    if room is None:
        chosen = targets.nonzero().squeeze(1)
        padding = -len(chosen) % GRAIN
        return F.pad(chosen, (0, padding)), F.pad(targets[chosen], (0, padding))
    chosen = torch.nonzero_static(targets, size=room, fill_value=0).squeeze(1)
    real = torch.arange(room, device=targets.device) < (targets > 0).sum()
    return chosen, torch.where(real, targets[chosen], 0)

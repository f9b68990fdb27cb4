"""Training objectives: next-item, masked-item, prefix, and a model's own; from a batch of windows
to its loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.base import MaskedModel, Model, OwnLossModel, SequenceModel
from engine.models.definition import Definition
from engine.spec import RunSpec, Training
from engine.training.group import SINGLE, Group
from engine.training.losses import target_loss
from engine.training.windows import (
    Windows,
    input_times,
    item_batch,
    next_item_batch,
)

CAPACITY_SIGMAS = 6.0
"""Standard deviations above the mean that `target_capacity` allows for."""

TARGET_MULTIPLE = 256
"""On a CPU, the number of targets is padded to a multiple of this: oneDNN prepares a product for
every shape that it meets, and caches a thousand of them (a gigabyte)."""


@dataclass(frozen=True)
class Objective:
    """How histories are cut into windows, and which of their positions are targets."""

    training: Training
    masks: bool
    """Whether the model fills in masked items instead of predicting the next one."""
    width: int
    """Positions of a window: L; L + 1 with masking, the last for evaluation's [MASK], and for a
    model that computes its loss itself, the first for the item before the first target."""
    stride: int
    """Positions of a window that no other window owns; with 1, windows are prefixes."""
    context: int = 0
    """Items at the beginning of a history that are no targets: 1 for a model that computes its loss
    itself, else 0."""

    @property
    def last_mask_share(self) -> float:
        """Share of the windows of which only the last item is masked: 1 for prefixes."""
        prefixes = self.training.objective == "prefix"
        return 1.0 if prefixes else self.training.last_mask_share


def objective_of(spec: RunSpec, definition: Definition) -> Objective:
    """Return the objective of a run, whose model is defined so."""
    training = spec.training
    masks, own = definition.kind == "masked", definition.kind == "own"
    owned = spec.length + masks
    stride = 1 if training.objective == "prefix" else owned - int(training.window_overlap * owned)
    return Objective(training, masks, owned + own, stride, context=int(own))


def target_capacity(objective: Objective, windows: Windows, size: int) -> int:
    """Bound the targets in a batch of ``size`` windows, for use where shapes are fixed.

    The bound is the mean over random batches plus six standard deviations; one batch in 10⁹ has
    more targets, and loses the excess.
    """
    windows = Windows(windows.ranges[:, windows.end > windows.base])  # padding of one batch
    if objective.masks:
        start = torch.maximum(windows.base, windows.end - objective.width)
        items, ratio = (windows.end - start).double(), objective.training.mask_ratio
        share = objective.last_mask_share
    else:
        items, ratio, share = (windows.end - windows.own).double(), 1.0, 0.0
    none = (1 - ratio) ** items  # such a window hides its last item
    mean = share + (1 - share) * (items * ratio + none)
    square = share + (1 - share) * (items * ratio * (1 - ratio) + (items * ratio) ** 2 + none)
    variance = float(square.mean() - mean.mean() ** 2)
    capacity = size * float(mean.mean()) + CAPACITY_SIGMAS * math.sqrt(size * variance)
    return min(math.ceil(capacity), size * objective.width)


def batch_loss(
    objective: Objective,
    model: Model,
    items: Tensor,
    windows: Windows,
    capacity: int | None = None,
    hidden: Callable[..., Tensor] | None = None,
    group: Group = SINGLE,
    times: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Sum the loss (nats) of this rank's shard of a batch and count its targets, on the device.

    Args:
        items: `Histories.items`.
        capacity: from `target_capacity`, where counting the targets must not wait for the device.
        hidden: the model's ``hidden``, compiled.
        group: the ranks that the batch is sharded over.
        times: `Histories.times`.
    """
    if isinstance(model, OwnLossModel):
        width = objective.width
        context = width - objective.stride
        return model.loss(group.shard(item_batch(items, windows, width, context)))
    assert isinstance(model, SequenceModel)
    moments: tuple[Tensor, ...] = ()
    if objective.masks:
        assert isinstance(model, MaskedModel)
        inputs, targets = mask_items(objective, model.mask_token, items, windows, group.generator)
    else:
        inputs, targets = next_item_batch(items, windows, objective.width)
        if times is not None:
            moments = (group.shard(input_times(times, windows, objective.width)),)
    inputs, targets = group.shard(inputs), group.shard(targets)
    states = (hidden or model.hidden)(inputs, *moments).flatten(0, 1)
    positions, targets = select_targets(targets.flatten(), capacity)
    # Logits only where there is a target: the output layer is most of the work.
    states = model.transform(states.index_select(0, positions))
    loss = target_loss(states, model.output_layer(), targets, objective.training, group.generator)
    return loss, (targets > 0).sum()


def mask_items(
    objective: Objective,
    mask_token: int,
    items: Tensor,
    windows: Windows,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Replace random items by [MASK] (Sun et al. 2019, sec. 3.6).

    A window of which chance masks no item has its last one masked, as in evaluation.

    Returns:
        Inputs and targets, int64 (windows, width) each; a target is 0 where nothing is masked.
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


def select_targets(targets: Tensor, capacity: int | None) -> tuple[Tensor, Tensor]:
    """Return the positions (N,) of the targets other than 0, and those targets (N,).

    Both are padded with 0, to a multiple of `TARGET_MULTIPLE` or to ``capacity``.
    """
    if capacity is None:
        chosen = targets.nonzero().squeeze(1)
        padding = -len(chosen) % TARGET_MULTIPLE
        return F.pad(chosen, (0, padding)), F.pad(targets[chosen], (0, padding))
    chosen = torch.nonzero_static(targets, size=capacity, fill_value=0).squeeze(1)
    real = torch.arange(capacity, device=targets.device) < (targets > 0).sum()
    return chosen, torch.where(real, targets[chosen], 0)

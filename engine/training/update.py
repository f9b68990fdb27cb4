"""One update of a model's weights, eager or, on a GPU, captured as a CUDA graph and replayed."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from engine.models.base import Model, SequenceModel
from engine.spec import Training
from engine.training.adamw import AdamW
from engine.training.group import SINGLE, Group
from engine.training.lanes import ALONE, Lane
from engine.training.objectives import Objective, batch_loss
from engine.training.recorded import record
from engine.training.windows import Windows


@dataclass(frozen=True)
class Learner:
    """The model in training, with everything else that an update changes."""

    model: Model
    optimizer: torch.optim.Optimizer
    average: Model | None
    """The exponential moving average of the model's weights, if the run keeps one."""

    @property
    def evaluated(self) -> Model:
        """The model that is evaluated and saved."""
        return self.model if self.average is None else self.average


Update = Callable[[Windows], Tensor]
"""Updates the weights by a batch and returns float64 (3,) on the device: the batch's summed loss,
its number of targets, and the gradient's global norm before clipping."""


def make_update(
    learner: Learner,
    objective: Objective,
    items: Tensor,
    capacity: int | None,
    *,
    times: Tensor | None = None,
    bfloat16: bool,
    compiled: bool = False,
    group: Group = SINGLE,
) -> Update:
    """Return the function that updates ``learner`` by a batch of windows into ``items``.

    Args:
        items: `Histories.items`.
        capacity: as in `batch_loss`.
        times: `Histories.times`.
        compiled: whether to compile the model's layers, at the first call and for its shapes.
            Training doesn't: compiled, the figures vary between executions on a GPU (gradients of
            embeddings are summed in no fixed order).
        group: the ranks that each batch, given to all of them whole, is sharded over.
    """
    training, model = objective.training, learner.model
    hidden = None
    if compiled and isinstance(model, SequenceModel):
        hidden = torch.compile(model.hidden, dynamic=False)

    def update(windows: Windows) -> Tensor:
        with torch.autocast(items.device.type, torch.bfloat16, enabled=bfloat16):
            own_loss, own_targets = batch_loss(
                objective, model, items, windows, capacity, hidden, group, times
            )
        loss, targets = group.all_reduce(own_loss.detach(), own_targets)
        torch.autograd.backward(own_loss / targets)
        group.all_reduce_gradients(model.parameters())
        norm = nn.utils.clip_grad_norm_(model.parameters(), training.grad_clip)
        learner.optimizer.step()
        learner.optimizer.zero_grad()
        if learner.average is not None:
            _update_average(learner.average, model, training.ema)
        return torch.stack([loss.double(), targets.double(), norm.double()])

    return update


def capture(
    update: Update,
    learner: Learner,
    example: Windows,
    group: Group = SINGLE,
    lane: Lane = ALONE,
    pool: Any = None,
) -> Update:
    """Capture an update as a CUDA graph.

    All batches must have the shape of ``example``. An update that waits for the device somewhere
    can't be captured; it is returned as it is, and stderr says why. Leaves the learner unchanged.

    Args:
        pool: as in `record`.
    """
    windows = Windows(example.ranges.clone())
    weights = _weights(learner)
    before = [weight.detach().clone() for weight in weights]
    moments = copy.deepcopy(learner.optimizer.state_dict()["state"])
    try:
        recorded = lane.in_common_thread(
            lambda: record([lambda: update(windows)], lane, generator=group.generator, pool=pool)
        )
    finally:
        learner.optimizer.zero_grad()  # an update may have failed halfway
        with torch.no_grad():
            for weight, value in zip(weights, before, strict=True):
                weight.copy_(value)
        _restore(learner.optimizer, moments)
    if isinstance(recorded, str):
        sys.stderr.write(f"An update waits for the GPU, so it is not captured: {recorded}\n")
        return lane.drawing(update)
    graph, figures = recorded[0].graph, recorded[0].result

    def replay(batch: Windows) -> Tensor:
        windows.ranges.copy_(batch.ranges)
        graph.replay()
        return figures.clone()

    return replay


def make_optimizer(
    model: nn.Module, training: Training, device: torch.device, state: dict[str, Any] | None
) -> torch.optim.Optimizer:
    """Make the optimizer, and load its ``state`` if given."""
    on_gpu = device.type == "cuda"
    optimizer = AdamW(
        model.parameters(), weight_decay=training.weight_decay, fused=True, capturable=on_gpu
    )
    if state is not None:
        optimizer.load_state_dict(state)
    for group in optimizer.param_groups:
        group["capturable"] = on_gpu
        # A captured update reads its learning rate from the device.
        group["lr"] = torch.tensor(training.lr, device=device) if on_gpu else training.lr
    return optimizer


def learning_rate(training: Training, step: int, steps: int) -> float:
    """Return the learning rate of update ``step``, from 1, in a run of at most ``steps`` updates.

    The rate rises linearly over ``warmup_steps``, then follows ``lr_decay``; linear and cosine
    decay reach 0 after the last update.
    """
    if step <= training.warmup_steps:
        return training.lr * step / (training.warmup_steps + 1)
    if training.lr_decay == "constant":
        return training.lr
    past = step - training.warmup_steps - 1
    done = min(1.0, past / max(1, steps - training.warmup_steps))
    if training.lr_decay == "linear":
        return training.lr * (1 - done)
    return training.lr * (1 + math.cos(math.pi * done)) / 2


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of the next update, captured or not."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


@torch.no_grad()
def _update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    for old, new in zip(average.parameters(), model.parameters(), strict=True):
        old.lerp_(new, 1 - decay)


def _weights(learner: Learner) -> list[Tensor]:
    """Return the weights of the model and of its average."""
    models = [learner.model] if learner.average is None else [learner.model, learner.average]
    return [parameter for model in models for parameter in model.parameters()]


def _restore(optimizer: torch.optim.Optimizer, moments: dict[int, dict[str, Tensor]]) -> None:
    """Restore an optimizer's state in place; state that has appeared since becomes zero."""
    for number, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            if number in moments:
                value.copy_(moments[number][name])
            else:
                value.zero_()

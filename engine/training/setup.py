"""Preparing training: the model from its seed, the update, and the windows of each epoch."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.datasets.splitting.splits import SplitData
from engine.models.definition import Definition
from engine.spec import RunSpec, Training
from engine.training.checkpoint import Checkpoint
from engine.training.group import SINGLE, Group
from engine.training.lanes import ALONE, Lane
from engine.training.objectives import Objective, objective_of, target_capacity
from engine.training.update import Learner, Update, capture, make_optimizer, make_update
from engine.training.windows import Histories, Windows, cut_windows, windows_needed


@dataclass(frozen=True)
class TrainingSetup:
    """All that epochs of training have in common: configuration, model, data, the update."""

    spec: RunSpec
    learner: Learner
    objective: Objective
    histories: Histories
    update: Update
    steps: int
    """Updates in all epochs, at whose end the learning rate's decay ends."""
    group: Group
    lane: Lane


def training_setup(
    spec: RunSpec,
    definition: Definition,
    learner: Learner,
    histories: Histories,
    group: Group = SINGLE,
    lane: Lane = ALONE,
    pool: Any = None,
) -> TrainingSetup:
    """Prepare training; on a GPU the update is a CUDA graph, whose shapes depend on spec and data
    only.

    Args:
        pool: as in `record`.
    """
    objective = objective_of(spec, definition)
    items, times = histories.items, histories.times
    bfloat16 = uses_bfloat16(spec.training, items.device)
    if items.device.type == "cuda":
        learner.model.train()
        windows = epoch_windows(spec, 1, objective, histories, group, lane)
        shard_size = group.shard_size(spec.training.batch_size)
        capacity = target_capacity(objective, windows, shard_size)
        update = make_update(
            learner, objective, items, capacity, times=times, bfloat16=bfloat16, group=group
        )
        example = next(windows.batches(spec.training.batch_size))
        update = capture(update, learner, example, group, lane, pool)
    else:
        update = lane.drawing(
            make_update(
                learner, objective, items, None, times=times, bfloat16=bfloat16, group=group
            )
        )
    steps = spec.training.epochs * steps_per_epoch(spec, definition, histories)
    return TrainingSetup(spec, learner, objective, histories, update, steps, group, lane)


def initial_learner(
    spec: RunSpec,
    definition: Definition,
    num_items: int,
    device: torch.device,
    resume: Checkpoint | None = None,
    lane: Lane = ALONE,
) -> Learner:
    """Build model and optimizer, from the run's seed or from the checkpoint to resume."""
    settings = spec.training
    architecture = spec.architecture.settings
    lane.seed(spec.seed)
    with lane.randomness():
        model = definition.build(architecture, num_items, spec.length)
    average = copy.deepcopy(model).to(device) if settings.ema else None
    model = model.to(device)
    if resume is None:
        return Learner(model, make_optimizer(model, settings, device, None), average)
    model.load_state_dict(resume.model)
    if average is not None and resume.average is not None:
        average.load_state_dict(resume.average)
    return Learner(model, make_optimizer(model, settings, device, resume.optimizer), average)


def epoch_windows(
    spec: RunSpec,
    epoch: int,
    objective: Objective,
    histories: Histories,
    group: Group = SINGLE,
    lane: Lane = ALONE,
) -> Windows:
    """Return an epoch's windows in random order, on the device; equal on all ranks."""
    generator = _seed_epoch(spec.seed, epoch, group, lane)
    width, stride = objective.width, objective.stride
    windows = cut_windows(histories, width, generator, stride, context=objective.context)
    windows = windows.shuffled(generator)
    device = histories.items.device
    if device.type == "cuda":  # a captured update takes batches of one shape
        windows = windows.padded(spec.training.batch_size)
    return windows.to(device)


def _seed_epoch(seed: int, epoch: int, group: Group, lane: Lane) -> torch.Generator:
    """Seed an epoch's dropout, and return the generator of its windows and their order."""
    mixed = epoch_seed(seed, epoch)
    group.seed(mixed, lane)
    return torch.Generator().manual_seed(mixed)


def epoch_seed(seed: int, epoch: int) -> int:
    """Return the seed of an epoch's random numbers in a run with this seed."""
    return (seed * 1_000_003 + epoch) % 2**63


def steps_per_epoch(spec: RunSpec, definition: Definition, histories: Histories) -> int:
    """Return the number of updates in an epoch; 1 for a fitted model, which is fitted once."""
    if definition.kind == "fitted":
        return 1
    objective = objective_of(spec, definition)
    owned = histories.ends - histories.starts - objective.context
    windows = windows_needed(owned, objective.stride)
    return math.ceil(int(windows.sum()) / spec.training.batch_size)


def training_histories(split: SplitData, device: torch.device, *, timed: bool = False) -> Histories:
    """Return the training part of a split, its items on the device.

    Args:
        timed: whether the model reads times.
    """
    own = split.interactions
    times = torch.from_numpy(own.times).to(device) if timed and own.times is not None else None
    return histories_in(split, torch.from_numpy(own.items).to(device), times)


def histories_in(split: SplitData, items: Tensor, times: Tensor | None) -> Histories:
    """Return the training part of a split.

    Args:
        items: those of its interactions, on the device.
        times: theirs; ``None`` if the model reads none, or the data have none.
    """
    starts, ends = split.interactions.offsets[:-1], split.train_end
    return Histories(items, torch.from_numpy(starts), torch.from_numpy(ends), times)


def uses_bfloat16(settings: Training, device: torch.device) -> bool:
    """Whether to train in bfloat16; ``dtype: auto`` does if the hardware multiplies bfloat16."""
    if settings.dtype != "auto":
        return settings.dtype == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    avx512 = torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001 - torch says it nowhere else
    return bool(avx512 or torch.cpu._is_amx_tile_supported())  # noqa: SLF001

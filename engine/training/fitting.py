"""Fitting a model in place of training it: an epoch is a fit with one combination of settings."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from engine.datasets.splitting.splits import SplitData
from engine.fitted import settings_to_try
from engine.models.base import FittedModel, TrainingHistories
from engine.models.definition import Definition
from engine.spec import RunSpec
from engine.training.chosen import Chosen
from engine.training.cputime import CpuClock
from engine.training.lanes import ALONE, Lane
from engine.training.stepreport import EpochTotals


@dataclass(frozen=True)
class Fitting:
    """All that the fits of a run have in common."""

    spec: RunSpec
    definition: Definition
    num_items: int
    train: TrainingHistories
    combinations: Sequence[Mapping[str, Any]]
    """From `engine.fitted.settings_to_try`, one an epoch."""


def fitting_of(
    spec: RunSpec,
    definition: Definition,
    split: SplitData,
    device: torch.device,
    chosen: Chosen | None = None,
) -> Fitting:
    """Prepare the fits of a run: the one of what was chosen already, if it was."""
    tried: Sequence[Mapping[str, Any]] = (
        settings_to_try(spec.architecture.settings, definition.grid)
        if chosen is None
        else [chosen.settings or {}]
    )
    num_items = split.interactions.num_items
    return Fitting(spec, definition, num_items, train_histories(split, device), tried)


def train_histories(split: SplitData, device: torch.device) -> TrainingHistories:
    """Copy the training part of a split to the device, without anything that is held out."""
    own = split.interactions
    starts, counts = own.offsets[:-1], split.train_end - own.offsets[:-1]
    offsets = torch.zeros(len(counts) + 1, dtype=torch.int64)
    offsets[1:] = torch.from_numpy(counts).cumsum(0)
    # The position of each training interaction among all of them.
    at = torch.arange(int(offsets[-1])) + torch.repeat_interleave(
        torch.from_numpy(starts) - offsets[:-1], torch.from_numpy(counts)
    )
    times = None if own.times is None else torch.from_numpy(own.times)[at].to(device)
    items = torch.from_numpy(own.items)[at].long().to(device)
    return TrainingHistories(items, offsets.to(device), times)


def fit(
    fitting: Fitting,
    epoch: int,
    device: torch.device,
    seed: int,
    clock: CpuClock,
    lane: Lane = ALONE,
) -> tuple[FittedModel, EpochTotals]:
    """Build the model with the epoch's combination of settings, and fit it.

    Args:
        seed: of all random numbers of the fit, the same on every rank.
    """
    tried = fitting.combinations[epoch - 1]
    clock.lap()
    started = time.perf_counter()
    lane.seed(seed)
    with lane.randomness(), torch.no_grad():
        model = fitted_model(fitting.spec, fitting.definition, fitting.num_items, tried).to(device)
        model.fit(fitting.train)
    if device.type == "cuda":
        torch.cuda.current_stream().synchronize()
    seconds = time.perf_counter() - started
    return model, EpochTotals(
        loss=None,
        grad_norm=None,
        targets=len(fitting.train.items),
        batches=1,
        lr=None,
        seconds=seconds,
        cpu=clock.lap(),
        settings=tried,
    )


def fitted_model(
    spec: RunSpec, definition: Definition, num_items: int, tried: Mapping[str, Any]
) -> FittedModel:
    """Build the model of a run with one combination of settings, not fitted yet."""
    settings = {**spec.architecture.settings, **tried}
    model = definition.build(settings, num_items, spec.length)
    assert isinstance(model, FittedModel)
    return model

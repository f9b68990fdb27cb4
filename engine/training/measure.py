"""Estimating an epoch's time from a few updates and a part of the evaluation."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from engine.datasets.interactions import Interactions
from engine.datasets.splitting.splits import evaluated_splits, run_split
from engine.models.base import Model, TimedModel
from engine.models.definition import Definition
from engine.spec import RunSpec
from engine.training.cputime import CpuClock
from engine.training.fitting import fit, fitting_of
from engine.training.ranking.evaluation import evaluation_set, flat_histories, ranks
from engine.training.setup import (
    TrainingSetup,
    epoch_windows,
    initial_learner,
    steps_per_epoch,
    training_histories,
    training_setup,
    uses_bfloat16,
)

MEASURE_SECONDS = 1.5
"""How long updates are timed for; a shorter epoch is timed whole."""

WARM_UPS = 2
"""Updates before the timing starts: libraries set themselves up at their first calls."""


@dataclass(frozen=True)
class Measurement:
    """The estimated time of one epoch."""

    train_seconds: float
    eval_seconds: float
    """For validation and test together, as far as the run has them."""


def measure(
    spec: RunSpec,
    definition: Definition,
    interactions: Interactions,
    device: torch.device,
    seconds: float = MEASURE_SECONDS,
) -> Measurement:
    """Time a few updates and one batch of the evaluation, and scale both up to an epoch.

    A fitted model is fitted once.

    Args:
        definition: of the run's model.
        seconds: how long updates are timed for.
    """
    num_items, timed = interactions.num_items, issubclass(definition.module, TimedModel)
    split = run_split(interactions, spec)
    model: Model
    if definition.kind == "fitted":
        fitting = fitting_of(spec, definition, split, device)
        model, totals = fit(fitting, 1, device, spec.seed, CpuClock())
        train_seconds = totals.seconds
    else:
        learner = initial_learner(spec, definition, num_items, device)
        histories = training_histories(split, device, timed=timed)
        setup = training_setup(spec, definition, learner, histories)
        learner.model.train()
        steps = steps_per_epoch(spec, definition, histories)
        train_seconds = _step_seconds(setup, device, seconds) * steps
        model = learner.evaluated

    flat = flat_histories(interactions, device, timed=timed)
    evaluated = evaluated_splits(spec)
    users = sum(len(split.users(each)) for each in evaluated)
    batch = spec.training.eval_batch_size
    part = evaluation_set(split, evaluated[-1], spec.length, flat).beginning(batch)
    bfloat16 = uses_bfloat16(spec.training, device)
    took = 0.0
    for _ in range(2):  # the first is a warm-up
        started = time.perf_counter()
        ranks(model, part, batch, bfloat16=bfloat16).cpu()
        took = time.perf_counter() - started
    return Measurement(train_seconds, took * users / max(1, len(part)))


def _step_seconds(setup: TrainingSetup, device: torch.device, seconds: float) -> float:
    """Return the mean time of an update; warm-ups count only if the epoch has no other updates."""
    windows = epoch_windows(setup.spec, 1, setup.objective, setup.histories)
    began = started = time.perf_counter()
    warm = steps = 0
    for batch in windows.batches(setup.spec.training.batch_size):
        setup.update(batch)
        steps += 1
        if steps == WARM_UPS:
            _wait(device)
        now = time.perf_counter()
        if steps == WARM_UPS:
            started, warm = now, steps
        if steps > WARM_UPS and now - started >= seconds:
            break
    _wait(device)
    ended = time.perf_counter()
    return (ended - started) / (steps - warm) if steps > warm else (ended - began) / steps


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)

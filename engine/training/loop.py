"""The training loop, the same for all models: epochs, evaluation, early stopping, checkpoints.

An epoch of a fitted model is a fit with one of the combinations of settings that its definition
says: the best is chosen as the best epoch is, and none is left out, so that patience doesn't apply.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.datasets.interactions import Interactions
from engine.datasets.splits import SPLITS, SplitData, data_checksum, split_data
from engine.errors import TrainingError
from engine.fitted import settings_to_try
from engine.metrics import SELECTION
from engine.models.base import Model, OwnLossModel, TimedModel
from engine.models.definition import Definition
from engine.spec import RunSpec, Training
from engine.training import cputime
from engine.training.checkpoint import Best, Checkpoint, StateDict
from engine.training.cputime import CpuClock
from engine.training.evaluation import (
    EvaluationSet,
    evaluation_set,
    flat_histories,
    metric_columns,
    ranks,
)
from engine.training.fitting import Fitting, fit, fitted_model, fitting_of, train_histories
from engine.training.group import SINGLE, Group
from engine.training.lanes import ALONE, Lane
from engine.training.objectives import Objective, objective_of, target_capacity
from engine.training.recorder import EpochRecord, Recorder
from engine.training.stepreport import REPORT_SECONDS, EpochTotals, StepReport
from engine.training.update import (
    Learner,
    Update,
    capture,
    learning_rate,
    make_optimizer,
    make_update,
    set_learning_rate,
)
from engine.training.windows import Histories, Windows, cut_windows, windows_needed

CHECKPOINT_SECONDS = 5.0
"""Least time between two checkpoints; a crash repeats the epochs since, with equal results."""

REFERENCE_BATCH = 128
"""Samples (prefixes) in a batch of the reference implementation, which sums its batches' losses."""

Cause = Literal["completed", "early-stopping"]


class Interrupted(Exception):  # noqa: N818 -- not an error: it was asked for
    """Training was asked to stop before its end."""


@dataclass(frozen=True)
class Outcome:
    """The result of a run trained to its end."""

    cause: Cause
    epochs_trained: int
    best: Best
    model: Model
    """With the weights of the best epoch."""
    test_ranks: Tensor
    """int32 (2, targets): ranks of the test items at the best epoch, as from `ranks`."""
    test_users: NDArray[np.int64]
    """(targets,): the number of each one's user, ascending."""


@dataclass
class TrainingState:
    """Counters and the best epoch."""

    epoch: int = 0
    step: int = 0
    best: Best | None = None


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


def train(
    spec: RunSpec,
    definition: Definition,
    interactions: Interactions,
    device: torch.device,
    recorder: Recorder,
    *,
    resume: Checkpoint | None = None,
    save: Callable[[Checkpoint], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    group: Group = SINGLE,
    measured: Callable[[], AbstractContextManager[None]] = nullcontext,
    lane: Lane = ALONE,
) -> Outcome:
    """Train one run to its end.

    Equal spec, data, device and threads give an equal result, interrupted or not: the random
    numbers of an epoch depend on the run's seed and the epoch's number only.

    Args:
        definition: of the run's model.
        resume: the state to resume from.
        save: called with the state after the first epoch, then at most every `CHECKPOINT_SECONDS`,
            and at the end.
        stop: asked before every update, or fit; ``True`` interrupts.
        group: the process group to train in; every rank is given all interactions. Only the
            ``recorder``, ``save`` and ``stop`` of rank 0 have an effect on the run, and when rank
            0 returns or raises, its caller ends the other ranks.
        measured: makes what is entered for the training of each epoch, without its evaluation.
        lane: that of the calling thread.

    Raises:
        Interrupted: ``stop`` returned ``True``.
        TrainingError: the loss diverged, or no user can be evaluated.
    """
    settings = spec.training
    epochs, patience = limits(spec, definition)
    num_items, timed = interactions.num_items, issubclass(definition.module, TimedModel)
    state = TrainingState(resume.epoch, resume.step, resume.best) if resume else TrainingState()
    split = split_data(interactions, spec.source)
    histories = training_histories(split, device, timed=timed)
    flat = flat_histories(interactions, device, timed=timed)
    valid, test = (evaluation_set(split, each, spec.length, flat) for each in SPLITS)
    if not len(valid):
        raise TrainingError("data", f"{spec.dataset} has no user with three interactions or more.")

    setup: TrainingSetup | Fitting
    if definition.kind == "fitted":
        setup = fitting_of(spec, definition, split, device)
    else:
        learner = initial_learner(spec, definition, num_items, device, resume, lane)
        if isinstance(learner.model, OwnLossModel):
            with lane.randomness():
                learner.model.prepare(train_histories(split, device))
        setup = training_setup(spec, definition, learner, histories, group, lane)

    def interrupted() -> bool:
        lane.give_way()
        return stop()

    def finished() -> bool:
        if state.best is None:
            return False
        return state.epoch >= epochs or state.epoch - state.best.epoch >= patience

    def rank(model: Model, data: EvaluationSet) -> Tensor:
        bfloat16 = uses_bfloat16(settings, device)
        batch = settings.eval_batch_size
        return ranks(model, data, batch, bfloat16=bfloat16, group=group, lane=lane).cpu()

    batches = math.ceil(histories.interactions / REFERENCE_BATCH)
    model: Model
    checksum = (resume and resume.checksum) or data_checksum(interactions, spec.source)
    clock = CpuClock()
    saved_at = -math.inf  # a run that is killed in its first seconds has its first epoch
    while not finished():
        epoch = state.epoch + 1
        if isinstance(setup, Fitting):
            if interrupted():
                raise Interrupted
            with measured():
                seed = _epoch_seed(spec.seed, epoch)
                model, totals = fit(setup, epoch, device, seed, clock, lane)
            state.step += 1
        else:
            with measured():
                totals = _train_epoch(setup, state, epoch, recorder, clock, interrupted)
            model = setup.learner.evaluated
        started = time.perf_counter()
        metrics = {
            **metric_columns("valid", rank(model, valid), valid.users),
            **metric_columns("test", rank(model, test), test.users),
        }
        seconds = time.perf_counter() - started
        cpu = cputime.total(group.all_gather_object(totals.cpu))

        state.epoch = epoch
        if state.best is None or metrics[SELECTION] > state.best.score:
            state.best = Best(epoch, metrics[SELECTION], metrics, _copy(model), totals.settings)
        recorder.epoch(
            EpochRecord(
                epoch=epoch,
                step=state.step,
                targets=totals.targets,
                batches=totals.batches,
                loss=totals.loss,
                loss_sum=None if totals.loss is None else totals.loss * batches,
                grad_norm=totals.grad_norm,
                lr=totals.lr,
                train_seconds=totals.seconds,
                eval_seconds=seconds,
                cpu_seconds=cpu.had,
                cpu_wait_seconds=cpu.waited,
                metrics=metrics,
                best_epoch=state.best.epoch,
                settings=totals.settings,
            )
        )
        if time.monotonic() - saved_at >= CHECKPOINT_SECONDS or finished():
            learned = None if isinstance(setup, Fitting) else setup.learner
            save(_checkpoint(spec, state, learned, checksum))
            saved_at = time.monotonic()

    assert state.best is not None
    if isinstance(setup, Fitting):
        with lane.randomness():
            model = fitted_model(spec, definition, num_items, state.best.settings or {}).to(device)
    else:
        model = setup.learner.evaluated
    model.load_state_dict(state.best.model)
    return Outcome(
        cause="completed" if state.epoch >= epochs else "early-stopping",
        epochs_trained=state.epoch,
        best=state.best,
        model=model,
        test_ranks=rank(model, test),
        test_users=test.users,
    )


def limits(spec: RunSpec, definition: Definition) -> tuple[int, float]:
    """Return the most epochs that a run may have, and its patience: infinite for a fitted model,
    all of whose combinations are tried."""
    if definition.kind == "fitted":
        return len(settings_to_try(spec.architecture.settings, definition.grid)), math.inf
    return spec.training.epochs, spec.training.patience


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
    return Histories(
        items=torch.from_numpy(own.items).to(device),
        starts=torch.from_numpy(own.offsets[:-1]),
        ends=torch.from_numpy(split.train_end),
        times=torch.from_numpy(own.times).to(device) if timed and own.times is not None else None,
    )


def uses_bfloat16(settings: Training, device: torch.device) -> bool:
    """Whether to train in bfloat16; ``dtype: auto`` does if the hardware multiplies bfloat16."""
    if settings.dtype != "auto":
        return settings.dtype == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    avx512 = torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001 - torch says it nowhere else
    return bool(avx512 or torch.cpu._is_amx_tile_supported())  # noqa: SLF001


def training_setup(
    spec: RunSpec,
    definition: Definition,
    learner: Learner,
    histories: Histories,
    group: Group = SINGLE,
    lane: Lane = ALONE,
) -> TrainingSetup:
    """Prepare training; on a GPU the update is a CUDA graph, whose shapes depend on spec and data
    only."""
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
        update = capture(update, learner, example, group, lane)
    else:
        update = lane.drawing(
            make_update(
                learner, objective, items, None, times=times, bfloat16=bfloat16, group=group
            )
        )
    steps = spec.training.epochs * steps_per_epoch(spec, definition, histories)
    return TrainingSetup(spec, learner, objective, histories, update, steps, group, lane)


def _train_epoch(
    setup: TrainingSetup,
    state: TrainingState,
    epoch: int,
    recorder: Recorder,
    clock: CpuClock,
    stop: Callable[[], bool],
) -> EpochTotals:
    settings, learner, group = setup.spec.training, setup.learner, setup.group
    # Other ranks look at the loss at the epoch's end only, so that rank 0 reports divergence first.
    seconds = REPORT_SECONDS if group.rank == 0 else math.inf
    report = StepReport(recorder, epoch, clock, seconds)
    clock.lap()
    started = time.perf_counter()
    learner.model.train()
    objective, lane = setup.objective, setup.lane
    windows = epoch_windows(setup.spec, epoch, objective, setup.histories, group, lane)
    for batch in windows.batches(settings.batch_size):
        if stop():
            raise Interrupted
        state.step += 1
        rate = learning_rate(settings, state.step, setup.steps)
        set_learning_rate(learner.optimizer, rate)
        report.add(state.step, rate, setup.update(batch))
    report.flush()  # waits for the device, so that the time below is complete
    return report.totals(time.perf_counter() - started)


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


def _seed_epoch(seed: int, epoch: int, group: Group, lane: Lane) -> torch.Generator:
    """Seed an epoch's dropout, and return the generator of its windows and their order."""
    mixed = _epoch_seed(seed, epoch)
    group.seed(mixed, lane)
    return torch.Generator().manual_seed(mixed)


def _epoch_seed(seed: int, epoch: int) -> int:
    return (seed * 1_000_003 + epoch) % 2**63


def _checkpoint(
    spec: RunSpec, state: TrainingState, learner: Learner | None, checksum: str
) -> Checkpoint:
    assert state.best is not None
    average = None if learner is None else learner.average
    return Checkpoint(
        fingerprint=spec.fingerprint(),
        epoch=state.epoch,
        step=state.step,
        model={} if learner is None else dict(learner.model.state_dict()),
        average=None if average is None else dict(average.state_dict()),
        optimizer={} if learner is None else learner.optimizer.state_dict(),
        best=state.best,
        checksum=checksum,
    )


def _copy(model: nn.Module) -> StateDict:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}

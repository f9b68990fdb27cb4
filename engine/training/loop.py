"""The training loop, the same for all models: epochs, evaluation, early stopping, checkpoints."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from engine.datasets.interactions import Interactions
from engine.datasets.splits import SplitData, data_checksum, split_data
from engine.errors import TrainingError
from engine.metrics import SELECTION
from engine.models.base import Model
from engine.models.registry import build
from engine.spec import RunSpec, Training
from engine.training import cputime
from engine.training.checkpoint import Best, Checkpoint, StateDict
from engine.training.cputime import CpuClock
from engine.training.evaluation import EvaluationSet, evaluation_set, metric_columns, ranks
from engine.training.group import SINGLE, Group
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
    """int32 (2, users): ranks of the test items at the best epoch, as from `ranks`."""


@dataclass
class TrainingState:
    """The part of training that changes: weights, counters and the best epoch."""

    learner: Learner
    epoch: int = 0
    step: int = 0
    best: Best | None = None


@dataclass(frozen=True)
class TrainingSetup:
    """The part of training that stays the same: configuration, data and the update function."""

    spec: RunSpec
    objective: Objective
    histories: Histories
    update: Update
    steps: int
    """Updates in all epochs, at whose end the learning rate's decay ends."""
    group: Group


def train(
    spec: RunSpec,
    interactions: Interactions,
    device: torch.device,
    recorder: Recorder,
    *,
    resume: Checkpoint | None = None,
    save: Callable[[Checkpoint], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    group: Group = SINGLE,
) -> Outcome:
    """Train one run to its end.

    Equal spec, data, device and threads give an equal result, interrupted or not: the random
    numbers of an epoch depend on the run's seed and the epoch's number only.

    Args:
        resume: the state to resume from.
        save: called with the state after an epoch, at most every `CHECKPOINT_SECONDS` and at the
            end.
        stop: asked before every update; ``True`` interrupts.
        group: the process group to train in; every rank is given all interactions. Only the
            ``recorder``, ``save`` and ``stop`` of rank 0 have an effect on the run, and when rank
            0 returns or raises, its caller ends the other ranks.

    Raises:
        Interrupted: ``stop`` returned ``True``.
        TrainingError: the loss diverged, or no user can be evaluated.
    """
    settings = spec.training
    state = initial_state(spec, interactions, device, resume)
    split = split_data(interactions, spec.source)
    histories = training_histories(split, device)
    valid = evaluation_set(split, "valid", spec.length, device)
    test = evaluation_set(split, "test", spec.length, device)
    if len(valid.targets) == 0:
        raise TrainingError("data", f"{spec.dataset} has no user with three interactions or more.")

    setup = training_setup(spec, state.learner, histories, group)
    model = state.learner.evaluated

    def rank(data: EvaluationSet) -> Tensor:
        bfloat16 = uses_bfloat16(settings, device)
        batch = settings.eval_batch_size
        return ranks(model, data, batch, bfloat16=bfloat16, group=group).cpu()

    checksum = (resume and resume.checksum) or data_checksum(interactions, spec.source)
    clock = CpuClock()
    saved_at = time.monotonic()
    while not _finished(state, settings):
        epoch = state.epoch + 1
        totals = _train_epoch(setup, state, epoch, recorder, clock, stop)
        started = time.perf_counter()
        metrics = metric_columns("valid", rank(valid)) | metric_columns("test", rank(test))
        seconds = time.perf_counter() - started
        cpu = cputime.total(group.all_gather_object(totals.cpu))

        state.epoch = epoch
        if state.best is None or metrics[SELECTION] > state.best.score:
            state.best = Best(epoch, metrics[SELECTION], metrics, _copy(model))
        recorder.epoch(
            EpochRecord(
                epoch=epoch,
                step=state.step,
                targets=totals.targets,
                batches=totals.batches,
                loss=totals.loss,
                loss_sum=totals.loss * math.ceil(histories.interactions / REFERENCE_BATCH),
                grad_norm=totals.grad_norm,
                lr=totals.lr,
                train_seconds=totals.seconds,
                eval_seconds=seconds,
                cpu_seconds=cpu.had,
                cpu_wait_seconds=cpu.waited,
                metrics=metrics,
                best_epoch=state.best.epoch,
            )
        )
        if time.monotonic() - saved_at >= CHECKPOINT_SECONDS or _finished(state, settings):
            save(_checkpoint(spec, state, checksum))
            saved_at = time.monotonic()

    assert state.best is not None
    model.load_state_dict(state.best.model)
    return Outcome(
        cause="completed" if state.epoch >= settings.epochs else "early-stopping",
        epochs_trained=state.epoch,
        best=state.best,
        model=model,
        test_ranks=rank(test),
    )


def steps_per_epoch(spec: RunSpec, histories: Histories) -> int:
    """Return the number of updates in an epoch."""
    windows = windows_needed(histories.ends - histories.starts, objective_of(spec).stride)
    return math.ceil(int(windows.sum()) / spec.training.batch_size)


def training_histories(split: SplitData, device: torch.device) -> Histories:
    """Return the training part of a split, its items on the device."""
    return Histories(
        items=torch.from_numpy(split.interactions.items).to(device),
        starts=torch.from_numpy(split.interactions.offsets[:-1]),
        ends=torch.from_numpy(split.train_end),
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
    spec: RunSpec, learner: Learner, histories: Histories, group: Group = SINGLE
) -> TrainingSetup:
    """Prepare training; on a GPU the update is a CUDA graph, whose shapes depend on spec and data
    only."""
    objective = objective_of(spec)
    items, bfloat16 = histories.items, uses_bfloat16(spec.training, histories.items.device)
    if items.device.type == "cuda":
        learner.model.train()
        windows = epoch_windows(spec, 1, objective, histories, group)
        shard_size = group.shard_size(spec.training.batch_size)
        capacity = target_capacity(objective, windows, shard_size)
        update = make_update(learner, objective, items, capacity, bfloat16=bfloat16, group=group)
        example = next(windows.batches(spec.training.batch_size))
        update = capture(update, learner, example, group)
    else:
        update = make_update(learner, objective, items, None, bfloat16=bfloat16, group=group)
    steps = spec.training.epochs * steps_per_epoch(spec, histories)
    return TrainingSetup(spec, objective, histories, update, steps, group)


def _train_epoch(
    setup: TrainingSetup,
    state: TrainingState,
    epoch: int,
    recorder: Recorder,
    clock: CpuClock,
    stop: Callable[[], bool],
) -> EpochTotals:
    settings, learner, group = setup.spec.training, state.learner, setup.group
    # Other ranks look at the loss at the epoch's end only, so that rank 0 reports divergence first.
    seconds = REPORT_SECONDS if group.rank == 0 else math.inf
    report = StepReport(recorder, epoch, clock, seconds)
    clock.lap()
    started = time.perf_counter()
    learner.model.train()
    windows = epoch_windows(setup.spec, epoch, setup.objective, setup.histories, group)
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
    spec: RunSpec, epoch: int, objective: Objective, histories: Histories, group: Group = SINGLE
) -> Windows:
    """Return an epoch's windows in random order, on the device; equal on all ranks."""
    generator = _seed_epoch(spec.seed, epoch, group)
    windows = cut_windows(histories, objective.width, generator, objective.stride)
    windows = windows.shuffled(generator)
    device = histories.items.device
    if device.type == "cuda":  # a captured update takes batches of one shape
        windows = windows.padded(spec.training.batch_size)
    return windows.to(device)


def initial_state(
    spec: RunSpec, interactions: Interactions, device: torch.device, resume: Checkpoint | None
) -> TrainingState:
    """Build model and optimizer, from the run's seed or from the checkpoint to resume."""
    torch.manual_seed(spec.seed)
    settings = spec.training
    model = build(spec.architecture, interactions.num_items, spec.length)
    average = copy.deepcopy(model).to(device) if settings.ema else None
    model = model.to(device)
    if resume is None:
        optimizer = make_optimizer(model, settings, device, None)
        return TrainingState(Learner(model, optimizer, average))
    model.load_state_dict(resume.model)
    if average is not None and resume.average is not None:
        average.load_state_dict(resume.average)
    optimizer = make_optimizer(model, settings, device, resume.optimizer)
    learner = Learner(model, optimizer, average)
    return TrainingState(learner, resume.epoch, resume.step, resume.best)


def _finished(state: TrainingState, settings: Training) -> bool:
    if state.best is None:
        return False
    return state.epoch >= settings.epochs or state.epoch - state.best.epoch >= settings.patience


def _seed_epoch(seed: int, epoch: int, group: Group) -> torch.Generator:
    """Seed an epoch's dropout, and return the generator of its windows and their order."""
    mixed = (seed * 1_000_003 + epoch) % 2**63
    group.seed(mixed)
    return torch.Generator().manual_seed(mixed)


def _checkpoint(spec: RunSpec, state: TrainingState, checksum: str) -> Checkpoint:
    assert state.best is not None
    learner = state.learner
    return Checkpoint(
        fingerprint=spec.fingerprint(),
        epoch=state.epoch,
        step=state.step,
        model=dict(learner.model.state_dict()),
        average=None if learner.average is None else dict(learner.average.state_dict()),
        optimizer=learner.optimizer.state_dict(),
        best=state.best,
        checksum=checksum,
    )


def _copy(model: nn.Module) -> StateDict:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}

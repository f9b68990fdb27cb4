"""The training loop, the same for all models: epochs, evaluation, early stopping, checkpoints.

An epoch of a fitted model is a fit with one of the combinations of settings that its definition
says: the best is chosen as the best epoch is, and none is left out, so that patience doesn't apply.
"""

from __future__ import annotations

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
from engine.datasets.splitting.splits import data_checksum, evaluated_splits, run_split
from engine.errors import TrainingError
from engine.fitted import settings_to_try
from engine.metrics import SELECTION
from engine.models.base import Model, OwnLossModel, TimedModel
from engine.models.definition import Definition
from engine.spec import RunSpec
from engine.training import cputime
from engine.training.checkpoint import Best, Checkpoint, StateDict
from engine.training.chosen import Chosen
from engine.training.copies import shared_histories
from engine.training.cputime import CpuClock
from engine.training.fitting import Fitting, fit, fitted_model, fitting_of, train_histories
from engine.training.group import SINGLE, Group
from engine.training.lanes import ALONE, Lane
from engine.training.ranking.evaluation import (
    EvaluationSet,
    RankBatch,
    evaluation_set,
    metric_columns,
    ranks,
)
from engine.training.ranking.fixedbatches import recorded_ranks
from engine.training.recorder import EpochRecord, Recorder
from engine.training.setup import (
    TrainingSetup,
    epoch_seed,
    epoch_windows,
    histories_in,
    initial_learner,
    training_setup,
    uses_bfloat16,
)
from engine.training.stepreport import REPORT_SECONDS, EpochTotals, StepReport
from engine.training.update import Learner, learning_rate, set_learning_rate

CHECKPOINT_SECONDS = 5.0
"""Least time between two checkpoints; a crash repeats the epochs since, with equal results."""

REFERENCE_BATCH = 128
"""Samples (prefixes) in a batch of the reference implementation, which sums its batches' losses."""

Cause = Literal["completed", "early-stopping"]


class Interrupted(Exception):  # noqa: N818 -- not an error: it was asked for
    """Training was asked to stop before its end."""


class Paused(Interrupted):
    """Training was asked to stop after an epoch, and saved its state."""


@dataclass(frozen=True)
class Outcome:
    """The result of a run trained to its end."""

    cause: Cause
    epochs_trained: int
    best: Best
    model: Model
    """With the weights of the best epoch."""
    test_ranks: Tensor
    """int32 (2, targets): ranks of the test items at the best epoch, as from `ranks`; of a trial
    of a study there are none."""
    test_users: NDArray[np.int64]
    """(targets,): the number of each one's user, ascending."""


@dataclass
class TrainingState:
    """Counters and the best epoch."""

    epoch: int = 0
    step: int = 0
    best: Best | None = None


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
    pause: Callable[[int], bool] = lambda _: False,
    group: Group = SINGLE,
    measured: Callable[[], AbstractContextManager[None]] = nullcontext,
    chosen: Chosen | None = None,
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
        pause: asked after every epoch, by its number; ``True`` interrupts with the state saved.
        group: the process group to train in; every rank is given all interactions. Only the
            ``recorder``, ``save`` and ``stop`` of rank 0 have an effect on the run, and when rank
            0 returns or raises, its caller ends the other ranks.
        measured: makes what is entered for the training of each epoch, without its evaluation.
        chosen: of a refit, what validation chose before: it is trained up to there, without
            validation, and its last epoch is its best.
        lane: that of the calling thread.

    Raises:
        Interrupted: ``stop`` returned ``True``.
        Paused: ``pause`` returned ``True``.
        TrainingError: the loss diverged, or no user can be evaluated.
    """
    settings = spec.training
    epochs, patience = limits(spec, definition, chosen)
    num_items, timed = interactions.num_items, issubclass(definition.module, TimedModel)
    state = TrainingState(resume.epoch, resume.step, resume.best) if resume else TrainingState()
    split = run_split(interactions, spec)
    flat = shared_histories(interactions, device, timed=timed)
    histories = histories_in(split, flat.items, flat.times)
    evaluated = {
        each: evaluation_set(split, each, spec.length, flat) for each in evaluated_splits(spec)
    }
    if "valid" in evaluated and not len(evaluated["valid"]):
        raise TrainingError("data", f"{spec.dataset} has no user with three interactions or more.")

    setup: TrainingSetup | Fitting
    rank_batch: RankBatch | None = None
    if definition.kind == "fitted":
        setup = fitting_of(spec, definition, split, device, chosen)
    else:
        learner = initial_learner(spec, definition, num_items, device, resume, lane)
        if isinstance(learner.model, OwnLossModel):
            with lane.randomness():
                learner.model.prepare(train_histories(split, device))
        pool = torch.cuda.graph_pool_handle() if device.type == "cuda" else None
        setup = training_setup(spec, definition, learner, histories, group, lane, pool)
        if device.type == "cuda":
            rank_batch = recorded_ranks(
                learner.evaluated,
                list(evaluated.values()),
                settings.eval_batch_size,
                bfloat16=uses_bfloat16(settings, device),
                group=group,
                lane=lane,
                pool=pool,
            )

    def interrupted() -> bool:
        lane.give_way()
        return stop()

    def finished() -> bool:
        if state.best is None:
            return False
        return state.epoch >= epochs or state.epoch - state.best.epoch >= patience

    def rank(model: Model, data: EvaluationSet) -> Tensor:
        return ranks(
            model,
            data,
            settings.eval_batch_size,
            bfloat16=uses_bfloat16(settings, device),
            group=group,
            lane=lane,
            rank_batch=rank_batch,
        )

    batches = math.ceil(histories.interactions / REFERENCE_BATCH)
    model: Model
    checksum = (resume and resume.checksum) or data_checksum(interactions, spec.source)
    clock = CpuClock(of_thread=lane.shares_process)
    saved_at = -math.inf  # a run that is killed in its first seconds has its first epoch
    while not finished():
        if state.epoch and pause(state.epoch):
            raise Paused
        epoch = state.epoch + 1
        if isinstance(setup, Fitting):
            if interrupted():
                raise Interrupted
            with measured():
                seed = epoch_seed(spec.seed, epoch)
                model, totals = fit(setup, epoch, device, seed, clock, lane)
            state.step += 1
        else:
            with measured():
                totals = _train_epoch(setup, state, epoch, recorder, clock, interrupted)
            model = setup.learner.evaluated
        started = time.perf_counter()
        ranked = {each: rank(model, data) for each, data in evaluated.items()}
        metrics: dict[str, float] = {}
        for each, found in ranked.items():
            metrics |= metric_columns(each, found.cpu(), evaluated[each].users)
        seconds = time.perf_counter() - started
        cpu = cputime.total(group.all_gather_object(totals.cpu))

        state.epoch = epoch
        score = float(epoch) if chosen is not None else metrics[SELECTION]
        if state.best is None or score > state.best.score:
            state.best = Best(epoch, score, metrics, _copy(model), totals.settings)
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
        if time.monotonic() - saved_at >= CHECKPOINT_SECONDS or finished() or pause(epoch):
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
    test = evaluated.get("test")
    return Outcome(
        cause="completed" if state.epoch >= epochs else "early-stopping",
        epochs_trained=state.epoch,
        best=state.best,
        model=model,
        test_ranks=torch.empty(2, 0, dtype=torch.int32)
        if test is None
        else rank(model, test).cpu(),
        test_users=np.empty(0, np.int64) if test is None else test.users,
    )


def limits(
    spec: RunSpec, definition: Definition, chosen: Chosen | None = None
) -> tuple[int, float]:
    """Return the most epochs that a run may have, and its patience: infinite for a fitted model,
    all of whose combinations are tried, and for a refit, whose epochs are ``chosen``."""
    if chosen is not None:
        return 1 if definition.kind == "fitted" else chosen.epoch, math.inf
    if definition.kind == "fitted":
        return len(settings_to_try(spec.architecture.settings, definition.grid)), math.inf
    return spec.training.epochs, spec.training.patience


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

"""The training loop, one for all models: epochs over windows, evaluation, early stopping."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from engine.datasets.interactions import Interactions
from engine.datasets.splits import LeaveOneOut, leave_one_out
from engine.errors import TrainingError
from engine.metrics import SELECTION
from engine.models.base import SequenceModel
from engine.models.registry import build
from engine.spec import RunSpec, Training
from engine.training.checkpoint import Best, Checkpoint, StateDict
from engine.training.evaluation import EvaluationSet, evaluation_set, metric_columns, ranks
from engine.training.objectives import batch_loss, window_width
from engine.training.recorder import EpochRecord, Recorder, StepRecord
from engine.training.windows import Histories, cut_windows

CHECKPOINT_SECONDS = 5.0
"""Shorter epochs share a checkpoint: a crash repeats a few seconds, with equal results."""

REPORT_SECONDS = 1.0

REFERENCE_BATCH = 128
"""Samples (prefixes) in a batch of the reference, whose loss is a sum over batches."""

Cause = Literal["completed", "early-stopping"]


class Interrupted(Exception):  # noqa: N818 -- not an error: somebody asked for it
    """Training was asked to stop before its end."""


@dataclass(frozen=True)
class Outcome:
    """A finished run."""

    cause: Cause
    epochs_trained: int
    best: Best
    test_ranks: Tensor
    """int32 (2, users): ranks of the test items at the chosen epoch, all items and seen masked."""


@dataclass
class TrainingState:
    """What changes while training."""

    model: SequenceModel
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    step: int = 0
    best: Best | None = None


@dataclass(frozen=True)
class EpochTotals:
    loss: float
    grad_norm: float
    targets: int
    batches: int
    seconds: float


def train(
    spec: RunSpec,
    interactions: Interactions,
    device: torch.device,
    recorder: Recorder,
    *,
    resume: Checkpoint | None = None,
    save: Callable[[Checkpoint], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Train one run to its end.

    With the same spec, data, device and threads the result is the same, interrupted or not:
    every epoch draws its random numbers from a seed of its own.

    Args:
        resume: state after an epoch, to go on from.
        save: called with the state after an epoch, at most every `CHECKPOINT_SECONDS`.
        stop: asked at every update.

    Raises:
        Interrupted: ``stop`` said so.
        TrainingError: the loss is not a number.
    """
    settings = spec.training
    state = _initial_state(spec, interactions, device, resume)
    split = leave_one_out(interactions)
    histories = training_histories(split, device)
    valid = evaluation_set(split, "valid", spec.length, device)
    test = evaluation_set(split, "test", spec.length, device)
    if len(valid.targets) == 0:
        raise TrainingError("data", f"{spec.dataset} has no user with three interactions or more.")

    saved_at = time.monotonic()
    while not _finished(state, settings):
        epoch = state.epoch + 1
        totals = _train_epoch(spec, state, epoch, histories, recorder, stop)
        started = time.perf_counter()
        metrics = _evaluate(state.model, valid, test, settings.eval_batch_size)
        seconds = time.perf_counter() - started

        state.epoch = epoch
        if state.best is None or metrics[SELECTION] > state.best.score:
            state.best = Best(epoch, metrics[SELECTION], metrics, _copy(state.model))
        recorder.epoch(
            EpochRecord(
                epoch=epoch,
                step=state.step,
                targets=totals.targets,
                batches=totals.batches,
                loss=totals.loss,
                loss_sum=totals.loss * math.ceil(histories.interactions / REFERENCE_BATCH),
                grad_norm=totals.grad_norm,
                lr=settings.lr,
                train_seconds=totals.seconds,
                eval_seconds=seconds,
                metrics=metrics,
                best_epoch=state.best.epoch,
            )
        )
        if time.monotonic() - saved_at >= CHECKPOINT_SECONDS or _finished(state, settings):
            save(_checkpoint(spec, state))
            saved_at = time.monotonic()

    assert state.best is not None
    state.model.load_state_dict(state.best.model)
    return Outcome(
        cause="completed" if state.epoch >= settings.epochs else "early-stopping",
        epochs_trained=state.epoch,
        best=state.best,
        test_ranks=ranks(state.model, test, settings.eval_batch_size).cpu(),
    )


def steps_per_epoch(spec: RunSpec, histories: Histories) -> int:
    """Updates in an epoch, in the mean over the random cuts."""
    width = window_width(spec.training, spec.length)
    lengths = (histories.ends - histories.starts).double()
    # A first window of 1…width positions, and the rest in whole widths: 1 + (n - 1) / width.
    windows = float((1 + (lengths - 1) / width)[lengths > 0].sum())
    return math.ceil(windows / spec.training.batch_size)


def training_histories(split: LeaveOneOut, device: torch.device) -> Histories:
    """The training part of leave-one-out, on the device."""
    return Histories(
        items=torch.from_numpy(split.interactions.items).to(device),
        starts=torch.from_numpy(split.interactions.offsets[:-1]).to(device),
        ends=torch.from_numpy(split.train_end).to(device),
    )


def uses_bfloat16(settings: Training, device: torch.device) -> bool:
    """``dtype: auto`` takes bfloat16 only where the hardware multiplies it."""
    if settings.dtype != "auto":
        return settings.dtype == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _train_epoch(
    spec: RunSpec,
    state: TrainingState,
    epoch: int,
    histories: Histories,
    recorder: Recorder,
    stop: Callable[[], bool],
) -> EpochTotals:
    settings = spec.training
    device = histories.items.device
    generator = _seed_epoch(spec.seed, epoch)
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=uses_bfloat16(settings, device))
    loss_sum = torch.zeros((), dtype=torch.float64, device=device)
    norm_sum = torch.zeros((), dtype=torch.float64, device=device)
    targets = batches = 0
    report = _StepReport(recorder, epoch, settings.lr)

    started = time.perf_counter()
    state.model.train()
    windows = cut_windows(histories, window_width(settings, spec.length), generator)
    for batch in windows.batches(settings.batch_size, generator):
        if stop():
            raise Interrupted
        with autocast:
            loss, count = batch_loss(
                state.model, histories.items, batch, spec.length, settings, generator
            )
        torch.autograd.backward(loss / count)
        norm = nn.utils.clip_grad_norm_(state.model.parameters(), settings.grad_clip)
        state.optimizer.step()
        state.optimizer.zero_grad()

        state.step += 1
        batches += 1
        targets += count
        loss_sum += loss.detach()
        norm_sum += norm
        report.add(state.step, loss.detach() / count, norm)
    report.flush()
    mean_loss = float(loss_sum) / targets  # waits for the device: the time below is the work's
    return EpochTotals(
        loss=mean_loss,
        grad_norm=float(norm_sum) / batches,
        targets=targets,
        batches=batches,
        seconds=time.perf_counter() - started,
    )


class _StepReport:
    """Keeps the steps' figures on the device and hands them over about once a second."""

    def __init__(self, recorder: Recorder, epoch: int, lr: float) -> None:
        self._recorder = recorder
        self._epoch = epoch
        self._lr = lr
        self._steps: list[int] = []
        self._figures: list[Tensor] = []
        self._flushed = time.monotonic()

    def add(self, step: int, loss: Tensor, norm: Tensor) -> None:
        self._steps.append(step)
        self._figures += (loss, norm)
        if time.monotonic() - self._flushed >= REPORT_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Raises `TrainingError` if a loss or a gradient is not finite."""
        if not self._steps:
            return
        figures = torch.stack([figure.float() for figure in self._figures]).tolist()
        pairs = zip(figures[::2], figures[1::2], strict=True)
        records: list[StepRecord] = []
        for step, (loss, norm) in zip(self._steps, pairs, strict=True):
            if not (math.isfinite(loss) and math.isfinite(norm)):
                self._recorder.steps(records)
                raise TrainingError(
                    "diverged",
                    f"The loss or its gradient stopped being a number at step {step} of epoch "
                    f"{self._epoch}: try a lower learning rate, such as lr={self._lr / 10:g}.",
                )
            records.append(StepRecord(step, self._epoch, loss, norm, self._lr))
        self._recorder.steps(records)
        self._steps.clear()
        self._figures.clear()
        self._flushed = time.monotonic()


def _evaluate(
    model: SequenceModel, valid: EvaluationSet, test: EvaluationSet, batch_size: int
) -> dict[str, float]:
    return metric_columns("valid", ranks(model, valid, batch_size)) | metric_columns(
        "test", ranks(model, test, batch_size)
    )


def _initial_state(
    spec: RunSpec, interactions: Interactions, device: torch.device, resume: Checkpoint | None
) -> TrainingState:
    torch.manual_seed(spec.seed)
    model = build(spec.architecture, interactions.num_items, spec.length).to(device)
    settings = spec.training
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay, fused=True
    )
    if resume is None:
        return TrainingState(model, optimizer)
    model.load_state_dict(resume.model)
    optimizer.load_state_dict(resume.optimizer)
    return TrainingState(model, optimizer, resume.epoch, resume.step, resume.best)


def _finished(state: TrainingState, settings: Training) -> bool:
    if state.best is None:
        return False
    return state.epoch >= settings.epochs or state.epoch - state.best.epoch >= settings.patience


def _seed_epoch(seed: int, epoch: int) -> torch.Generator:
    """One seed for an epoch's cuts and order, and for dropout, whatever happened before it."""
    mixed = (seed * 1_000_003 + epoch) % 2**63
    torch.manual_seed(mixed)
    return torch.Generator().manual_seed(mixed)


def _checkpoint(spec: RunSpec, state: TrainingState) -> Checkpoint:
    assert state.best is not None
    return Checkpoint(
        fingerprint=spec.fingerprint(),
        epoch=state.epoch,
        step=state.step,
        model=dict(state.model.state_dict()),
        optimizer=state.optimizer.state_dict(),
        best=state.best,
    )


def _copy(model: nn.Module) -> StateDict:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}

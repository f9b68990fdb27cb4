"""The records that training emits, and the interface that receives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class StepRecord:
    """The measurements of one update."""

    step: int
    """Counted from 1 over the whole run."""
    epoch: int
    loss: float
    """Mean cross-entropy per target, nats."""
    grad_norm: float
    """Global norm, before clipping."""
    lr: float


@dataclass(frozen=True)
class EpochRecord:
    """The measurements of one epoch of training and its evaluation.

    An epoch of a fitted model fits it with one combination of settings.
    """

    epoch: int
    """Counted from 1."""
    step: int
    """Updates since the start of the run; of a fitted model, fits."""
    targets: int
    """Of a fitted model, the interactions that it is fitted to."""
    batches: int
    loss: float | None
    """Mean cross-entropy per target over the epoch, nats; ``None`` for a fitted model, like the
    next three."""
    loss_sum: float | None
    """The loss as the reference implementation reports it: the sum over batches of 128 samples (one
    for each prefix) of the mean per sample."""
    grad_norm: float | None
    """Mean over the epoch's updates, before clipping."""
    lr: float | None
    train_seconds: float
    """Without the evaluation, whose time is ``eval_seconds``."""
    eval_seconds: float
    cpu_seconds: float
    """Processor time of the training, without the evaluation: of all threads, and of all ranks."""
    cpu_wait_seconds: float | None
    """Time that these threads were ready to run and no core was free (`engine.training.cputime`);
    ``None`` where the kernel doesn't say."""
    metrics: dict[str, float]
    """By name, as in `engine.metrics.METRIC_COLUMNS`."""
    best_epoch: int
    settings: Mapping[str, Any] | None = None
    """The combination of settings that a fitted model tries in this epoch; ``None`` for the
    others."""


class Recorder(Protocol):
    """Receives the records, in order, on the training thread."""

    def steps(self, records: list[StepRecord]) -> None:
        """Receive the updates since the last call, about once per second."""

    def epoch(self, record: EpochRecord) -> None:
        """Receive the epoch that has just been evaluated."""

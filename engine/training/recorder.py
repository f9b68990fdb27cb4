"""What training tells the world, and nothing of how it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class StepRecord:
    """One update."""

    step: int
    """Counted from 1 over the whole run."""
    epoch: int
    loss: float
    """Mean cross-entropy per target, nats."""
    grad_norm: float
    """Global, before clipping."""
    lr: float


@dataclass(frozen=True)
class EpochRecord:
    """One epoch, trained and evaluated."""

    epoch: int
    """Counted from 1."""
    step: int
    """Updates so far."""
    targets: int
    batches: int
    loss: float
    """Mean cross-entropy per target over the epoch, nats."""
    loss_sum: float
    """The reference's figure: summed over its batches of 128 samples, one a prefix."""
    grad_norm: float
    """Mean over the epoch's updates, before clipping."""
    lr: float
    train_seconds: float
    """Training only; evaluation stands in ``eval_seconds``."""
    eval_seconds: float
    metrics: dict[str, float]
    """`engine.metrics.METRIC_COLUMNS`."""
    best_epoch: int


class Recorder(Protocol):
    """Receives what happens, in order, on the training thread."""

    def steps(self, records: list[StepRecord]) -> None:
        """Updates since the last call; given about once a second, not at every update."""

    def epoch(self, record: EpochRecord) -> None: ...

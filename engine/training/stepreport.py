"""Passing the measurements of an epoch's updates from the device to the recorder, in batches, so
that training doesn't wait for the device at every update."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.errors import TrainingError
from engine.training.cputime import CpuClock, CpuTime
from engine.training.recorder import Recorder, StepRecord

REPORT_SECONDS = 1.0
"""Time between two transfers from the device."""


@dataclass(frozen=True)
class EpochTotals:
    """An epoch's training measurements, as `engine.training.recorder.EpochRecord` has them."""

    loss: float | None
    grad_norm: float | None
    targets: int
    batches: int
    lr: float | None
    seconds: float
    cpu: CpuTime
    """Of this process, or of the thread of a lane beside others."""
    settings: Mapping[str, Any] | None = None


class StepReport:
    """Collects the measurements of an epoch's updates on the device, and records them once per
    second.

    Args:
        clock: of the epoch's CPU time, whose lap began with the epoch.
        seconds: between two transfers; infinite to transfer at `flush` only.
    """

    def __init__(
        self, recorder: Recorder, epoch: int, clock: CpuClock, seconds: float = REPORT_SECONDS
    ) -> None:
        self._recorder = recorder
        self._epoch = epoch
        self._seconds = seconds
        self._clock = clock
        self._steps: list[tuple[int, float]] = []
        self._figures: list[Tensor] = []
        self._flushed = time.monotonic()
        self._loss = self._norm = self._rate = 0.0
        self._targets = self._batches = 0

    def add(self, step: int, rate: float, figures: Tensor) -> None:
        """Add an update: its learning rate, and ``figures`` as `engine.training.update.Update`
        returns them.

        Raises:
            TrainingError: as `flush`, of this update or one before it.
        """
        self._steps.append((step, rate))
        self._figures.append(figures)
        if time.monotonic() - self._flushed >= self._seconds:
            self.flush()
            self._clock.look()

    def flush(self) -> None:
        """Wait for the device, and record the updates since the last time.

        Raises:
            TrainingError: a loss or a gradient is not finite.
        """
        if not self._steps:
            return
        rows = torch.stack(self._figures).tolist()
        records: list[StepRecord] = []
        for (step, rate), (loss, targets, norm) in zip(self._steps, rows, strict=True):
            if not (math.isfinite(loss) and math.isfinite(norm)):
                self._recorder.steps(records)
                raise TrainingError(
                    "diverged",
                    f"Loss or gradient became NaN or infinite at step {step} of epoch "
                    f"{self._epoch}: try a lower learning rate.",
                )
            records.append(StepRecord(step, self._epoch, loss / targets, norm, rate))
            self._loss += loss
            self._targets += int(targets)
            self._norm += norm
            self._rate = rate
        self._batches += len(rows)
        self._recorder.steps(records)
        self._steps.clear()
        self._figures.clear()
        self._flushed = time.monotonic()

    def totals(self, seconds: float) -> EpochTotals:
        """Return the epoch's means and counts, once all updates are flushed."""
        return EpochTotals(
            loss=self._loss / self._targets,
            grad_norm=self._norm / self._batches,
            targets=self._targets,
            batches=self._batches,
            lr=self._rate,
            seconds=seconds,
            cpu=self._clock.lap(),
        )

"""What recording a run costs its training."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import torch

from benchmarks.common import synchronize
from benchmarks.workload import Workload
from engine.journal import JournalWriter
from engine.metrics import METRIC_COLUMNS
from engine.telemetry import Sampler
from engine.training.recorder import EpochRecord, StepRecord
from engine.training.stepreport import StepReport
from engine.worker.recorder import (
    SAMPLE_SECONDS,
    STEPS_PER_SECOND,
    TELEMETRY_SECONDS,
    JournalRecorder,
    TelemetryThread,
)

STRETCH = 3.0
"""Seconds of training, about, that are timed at once: a few samples of the machine."""


@dataclass(frozen=True)
class Cost:
    """Times with recording, divided by times without."""

    low: float
    median: float
    high: float
    """Lower quartile, median and upper quartile over the pairs."""
    counted: float
    """Share of training time that the single costs add up to, if nothing happens at once."""
    epoch: float
    """Seconds of training in one epoch."""


def cost(work: Workload, pairs: int) -> Cost:
    """Train stretches of whole epochs with the journal, telemetry and step report of a worker, and
    with none of them, in turns."""
    _train(work)
    epoch = min(_time(work, 1) for _ in range(2))
    epochs = max(1, round(STRETCH / epoch))
    ratios = []
    for pair in range(pairs):
        with _recorder(work.device) as recorder:
            # Every other pair the other way round, against a machine that grows slower or faster.
            recorded_first = pair % 2 == 1
            before = None if recorded_first else _time(work, epochs)
            recorded = _time(work, epochs, recorder)
        bare = _time(work, epochs) if before is None else before
        ratios.append(recorded / bare)
    low, median, high = quantiles(ratios, n=4)
    return Cost(low, median, high, _counted(work, epoch), epoch)


def _time(work: Workload, epochs: int, recorder: JournalRecorder | None = None) -> float:
    started = time.perf_counter()
    for _ in range(epochs):
        _train(work, recorder)
    return time.perf_counter() - started


def _train(work: Workload, recorder: JournalRecorder | None = None) -> None:
    """One epoch's updates, as in `engine.training.loop`."""
    if recorder is None:
        for batch in work.batches:
            work.update(batch)
        synchronize(work.device)
        return
    report = StepReport(recorder, 1)
    for step, batch in enumerate(work.batches, 1):
        report.add(step, work.spec.training.lr, work.update(batch))
    report.flush()
    recorder.epoch(_epoch_record())


@contextmanager
def _recorder(device: torch.device) -> Iterator[JournalRecorder]:
    with (
        tempfile.TemporaryDirectory() as folder,
        JournalWriter(Path(folder) / "journal.jsonl") as journal,
    ):
        on_gpu = device.type == "cuda"
        uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}" if on_gpu else None
        telemetry = TelemetryThread(journal, os.getpid(), uuid)
        telemetry.start()
        try:
            yield JournalRecorder(journal, telemetry)
        finally:
            telemetry.end()


def _counted(work: Workload, epoch: float) -> float:
    """Seconds of recording in a second of training, from what each piece takes by itself."""
    sampler = Sampler(os.getpid())
    figures = torch.ones(3, dtype=torch.float64, device=work.device)
    with tempfile.TemporaryDirectory() as folder:
        with JournalWriter(Path(folder) / "journal.jsonl") as journal:
            line = _mean(lambda: journal.write("step", loss=1.25, grad_norm=0.5, lr=1e-3), 1000)
        with _recorder(work.device) as recorder:
            record, steps = _epoch_record(), len(work.batches)
            end_of_epoch = _mean(lambda: recorder.epoch(record), 10)

            def report_epoch() -> None:
                report = StepReport(_Nothing(), 1)
                for step in range(steps):
                    report.add(step, 1e-3, figures)
                report.flush()

            reports = _mean(report_epoch, 10)
    sample = _mean(sampler.sample, 50)
    sampler.close()
    each_second = sample / SAMPLE_SECONDS + line * (STEPS_PER_SECOND + 1 / TELEMETRY_SECONDS)
    return each_second + (end_of_epoch + reports) / epoch


class _Nothing:
    """A recorder that does nothing."""

    def steps(self, records: list[StepRecord]) -> None:
        pass

    def epoch(self, record: EpochRecord) -> None:
        pass


def _mean(work: Callable[[], object], times: int) -> float:
    work()
    started = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - started) / times


def _epoch_record() -> EpochRecord:
    return EpochRecord(
        epoch=1,
        step=1,
        targets=1,
        batches=1,
        loss=1.25,
        loss_sum=1.25,
        grad_norm=0.5,
        lr=1e-3,
        train_seconds=1.0,
        eval_seconds=1.0,
        metrics=dict.fromkeys(METRIC_COLUMNS, 0.125),
        best_epoch=1,
    )

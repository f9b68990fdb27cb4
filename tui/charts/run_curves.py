"""The curves of one run, as far as they were read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter

from engine.store.queries import Run
from tui.charts.braille.curve import START, Curve, Moment, Points
from tui.shell.text import ABSENT, number, whole

STEP_MEASURES = ("loss", "grad_norm", "lr")
EPOCH_MEASURES = ("loss", "grad_norm", "valid_ndcg", "valid_recall", "test_ndcg")


def step_source(measure: str) -> str:
    """The name of a curve with a point a recorded step."""
    return f"step.{measure}"


def epoch_source(measure: str) -> str:
    """The name of a curve with a point an epoch."""
    return f"epoch.{measure}"


def device_source(measure: str, gpu: int = 0) -> str:
    """The name of a curve with a point a sample of telemetry; of the first GPU and the host, or of
    another of the run's GPUs."""
    return f"device.{measure}.{gpu}"


TEST = epoch_source("test_ndcg")
"""The curve on test, which a trial of a study doesn't have."""

SOURCES = (*map(step_source, STEP_MEASURES), *map(epoch_source, EPOCH_MEASURES))


@dataclass(frozen=True, slots=True)
class Known:
    """How much of a run's curves is known."""

    attempt: int = -1
    """The run's newest when it was read."""
    step: tuple[int, int] = (-1, -1)
    """Attempt and seq of the newest step."""
    epoch: int = 0
    """The newest epoch; 0: none."""
    sample: tuple[int, int] = (-1, -1)
    """Attempt and seq of the newest sample of telemetry."""
    reached: Moment = START
    """The newest moment of a step or an epoch."""


FIGURES = (
    ("step loss", step_source("loss"), 4),
    ("gradient norm", step_source("grad_norm"), 2),
    ("learning rate", step_source("lr"), None),
    ("valid NDCG@10", epoch_source("valid_ndcg"), 4),
    ("valid Recall@10", epoch_source("valid_recall"), 4),
    ("test NDCG@10", TEST, 4),
)
"""The figures of a moment: name, source, decimals; of a rate four digits."""


@dataclass(frozen=True, slots=True)
class CurveUpdate:
    """What a store has of a run's curves beyond what was known."""

    run: Run
    label: str
    """In what its settings differ from those of the other runs that are shown."""
    since: Known
    """How much was known."""
    known: Known
    """How much is known with this."""
    points: Mapping[str, Points]
    """By source."""
    devices: Mapping[str, Points]
    """Of the devices, by source."""
    replaces: bool
    """Whether it replaces all that was known."""
    best: Moment | None
    end: Moment | None


class RunCurves:
    """The curves of a run by source, its best moment, and the one at which it ended, if it did."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.run: Run | None = None
        self.label = ""
        """In what its settings differ from those of the other runs that are shown."""
        self.known = Known()
        self.best: Moment | None = None
        self.end: Moment | None = None
        self.fitted = self.trial = False
        self.curves = {source: Curve() for source in SOURCES}
        """By source; of what its devices did, where there is a point."""

    def take(self, update: CurveUpdate) -> None:
        """Add an update that continues what is known; any other is ignored."""
        if update.since != self.known:
            return
        if update.replaces:
            for curve in self.curves.values():
                curve.clear()
        for source, points in update.points.items():
            self.curves[source].extend(points)
        for source, points in update.devices.items():
            self.curves.setdefault(source, Curve()).append(points)
        self.run, self.label, self.known = update.run, update.label, update.known
        self.best, self.end, self.fitted = update.best, update.end, update.run.fitted
        self.trial = update.run.study is not None

    def each_gpu(self, source: str) -> list[tuple[int, Curve]]:
        """The curve of a source; of what the first GPU did also those of the run's other GPUs, each
        with the GPU's number. None where there is no point of it."""
        stem, _, gpu = source.rpartition(".")
        if not gpu.isdigit():
            return [(0, self.curves[source])]
        found = [
            (int(name.rpartition(".")[2]), curve)
            for name, curve in self.curves.items()
            if name.startswith(f"{stem}.") and curve.ys
        ]
        return sorted(found, key=itemgetter(0))

    def figures_at(self, seconds: float) -> list[tuple[str, str]]:
        """Epoch, step and the newest figures, as name and text, at a second of running; of a
        fitted model without those of steps, of a trial without test, which it doesn't have."""
        steps = self.curves[step_source("loss")]
        index = bisect_right(steps.xs("time"), seconds) - 1
        step = whole(round(steps.xs("step")[index])) if index >= 0 else ABSENT
        finished = bisect_right(self.curves[epoch_source("valid_ndcg")].xs("time"), seconds)
        figures = [("combinations tried" if self.fitted else "epochs finished", whole(finished))]
        if not self.fitted:
            figures.append(("step", step))
        for name, source, decimals in FIGURES:
            if (self.fitted and source.startswith(step_source(""))) or (
                self.trial and source == TEST
            ):
                continue
            curve = self.curves[source]
            index = bisect_right(curve.xs("time"), seconds) - 1
            y = curve.ys[index] if index >= 0 else None
            rate = decimals is None and y is not None
            figures.append((name, f"{y:.4g}" if rate else number(y, decimals or 4)))
        return figures

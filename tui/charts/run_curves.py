"""The curves of one run: read from the store in a thread, and only what is new."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.analysis.timeline import Timeline
from engine.lifecycle import ENDED
from tui.charts.curve import Curve, Place, Points
from tui.shell.text import ABSENT, number, whole

if TYPE_CHECKING:
    import sqlite3

    from engine.store.queries import Run

STEP_MEASURES = ("loss", "grad_norm", "lr")
EPOCH_MEASURES = ("loss", "grad_norm", "valid_ndcg", "valid_recall", "test_ndcg")

_MEANS = frozenset({"loss", "grad_norm"})
"""Of an epoch, means over it: they lie in its middle."""

NOTHING = (-1, -1)


def step_source(measure: str) -> str:
    """The name of a curve with a point a recorded step."""
    return f"step.{measure}"


def epoch_source(measure: str) -> str:
    """The name of a curve with a point an epoch."""
    return f"epoch.{measure}"


SOURCES = (*map(step_source, STEP_MEASURES), *map(epoch_source, EPOCH_MEASURES))


@dataclass(frozen=True, slots=True)
class Mark:
    """How much of a run's curves is known."""

    attempt: int = -1
    """The run's newest when it was read."""
    step: tuple[int, int] = NOTHING
    """Attempt and seq of the newest step."""
    epoch: int = 0


FIGURES = (
    ("loss of the step", step_source("loss"), 4),
    ("gradient norm", step_source("grad_norm"), 2),
    ("learning rate", step_source("lr"), 6),
    ("valid NDCG@10", epoch_source("valid_ndcg"), 4),
    ("valid Recall@10", epoch_source("valid_recall"), 4),
    ("test NDCG@10", epoch_source("test_ndcg"), 4),
)
"""What is told of a moment: name, source, decimals."""


@dataclass(frozen=True, slots=True)
class CurveReading:
    """What is new of a run's curves."""

    run: Run
    mark: Mark
    points: Mapping[str, Points]
    anew: bool
    """Whether it replaces all that was known."""
    best: Place | None
    end: Place | None
    """Where the run ended, if it did."""


class RunCurves:
    """The curves of one run, by source, as far as they were read."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.run: Run | None = None
        self.mark = Mark()
        self.best: Place | None = None
        self.end: Place | None = None
        self.curves = {source: Curve() for source in SOURCES}

    def take(self, reading: CurveReading) -> None:
        """Take in what was read with the mark that is held."""
        if reading.anew:
            for curve in self.curves.values():
                curve.clear()
        for source, points in reading.points.items():
            self.curves[source].extend(points)
        self.run, self.mark = reading.run, reading.mark
        self.best, self.end = reading.best, reading.end

    def figures_at(self, seconds: float) -> list[tuple[str, str]]:
        """Epoch, step and the newest figures after so many seconds of running."""
        steps = self.curves[step_source("loss")]
        index = bisect_right(steps.xs("time"), seconds) - 1
        step = whole(round(steps.xs("step")[index])) if index >= 0 else ABSENT
        finished = bisect_right(self.curves[epoch_source("valid_ndcg")].xs("time"), seconds)
        figures = [("epochs finished", whole(finished)), ("step", step)]
        for name, source, digits in FIGURES:
            curve = self.curves[source]
            index = bisect_right(curve.xs("time"), seconds) - 1
            figures.append((name, number(curve.ys[index] if index >= 0 else None, digits)))
        return figures


def read_curves(con: sqlite3.Connection, run_id: str, mark: Mark) -> CurveReading | None:
    """Read what ``mark`` lacks; ``None`` if there is no such run."""
    from engine.store import queries

    run = queries.get_run(con, run_id)
    if run is None:
        return None
    timeline = Timeline(queries.attempt_spans(con, run_id))
    known = mark
    steps = queries.steps(con, run_id, known.step)
    if mark.attempt != run.attempt or (steps and steps[-1][0] != known.step[0]):
        # Another attempt does again what the one before did after its checkpoint.
        known = Mark(run.attempt)
        steps = queries.steps(con, run_id)
    epochs = queries.epoch_figures(con, run_id, EPOCH_MEASURES, known.epoch)
    ends = _ends(con, run_id, steps)
    points = {
        **_step_points(steps, ends, run.steps_per_epoch, timeline),
        **_epoch_points(epochs, run.steps_per_epoch, timeline),
    }
    return CurveReading(
        run=run,
        mark=Mark(
            run.attempt,
            (steps[-1][0], steps[-1][1]) if steps else known.step,
            epochs[-1][0] if epochs else known.epoch,
        ),
        points=points,
        anew=known != mark,
        best=_epoch_place(con, run, run.best_epoch, timeline),
        end=_end(run, timeline) if run.state in ENDED else None,
    )


def _ends(con: sqlite3.Connection, run_id: str, steps: Sequence[tuple[Any, ...]]) -> dict[int, int]:
    """The step at which each epoch ended, from the one before the first step's on."""
    from engine.store import queries

    if not steps:
        return {}
    rows = queries.epoch_figures(con, run_id, (), steps[0][4] - 2, steps[-1][4])
    return {row[0]: row[3] for row in rows if row[3] is not None}


def _step_points(
    steps: Sequence[tuple[Any, ...]],
    ends: Mapping[int, int],
    steps_per_epoch: int | None,
    timeline: Timeline,
) -> dict[str, Points]:
    """Epochs differ in length by a few steps, so each one's are counted from its own first."""
    if not steps_per_epoch:
        return {}
    places = []
    for attempt, _, t, step, epoch, *_ in steps:
        first = ends.get(epoch - 1, (epoch - 1) * steps_per_epoch)
        part = min(max((step - first) / steps_per_epoch, 0.0), 1.0)
        places.append((epoch - 1 + part, float(step), timeline.seconds(attempt, t)))
    return {
        step_source(measure): Points.of(
            (*place, row[5 + index]) for place, row in zip(places, steps, strict=True)
        )
        for index, measure in enumerate(STEP_MEASURES)
    }


def _epoch_points(
    epochs: Sequence[tuple[Any, ...]], steps_per_epoch: int | None, timeline: Timeline
) -> dict[str, Points]:
    at_end, in_middle = [], []
    for epoch, attempt, t, step, train, evaluation, *_ in epochs:
        steps = steps_per_epoch or 0
        reached = float(step if step is not None else epoch * steps)
        seconds = timeline.seconds(attempt, t)
        at_end.append((float(epoch), reached, seconds))
        half = (evaluation or 0.0) + (train or 0.0) / 2
        in_middle.append((epoch - 0.5, max(0.0, reached - steps / 2), max(0.0, seconds - half)))
    return {
        epoch_source(measure): Points.of(
            (*place, row[6 + index])
            for place, row in zip(in_middle if measure in _MEANS else at_end, epochs, strict=True)
        )
        for index, measure in enumerate(EPOCH_MEASURES)
    }


def _epoch_place(
    con: sqlite3.Connection, run: Run, epoch: int | None, timeline: Timeline
) -> Place | None:
    from engine.store import queries

    if epoch is None:
        return None
    rows = queries.epoch_figures(con, run.id, (), epoch - 1, epoch)
    if not rows:
        return None
    _, attempt, t, step, *_ = rows[0]
    reached = step if step is not None else epoch * (run.steps_per_epoch or 0)
    return Place(float(epoch), float(reached), timeline.seconds(attempt, t))


def _end(run: Run, timeline: Timeline) -> Place | None:
    if not run.epoch:
        return None
    step = run.step if run.step is not None else run.epoch * (run.steps_per_epoch or 0)
    return Place(float(run.epoch), float(step), timeline.total)

"""Reading the curves of runs, and the runs that can be overlaid on one, in a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from operator import attrgetter
from typing import TYPE_CHECKING

from engine.analysis.labels.stored import labels_of_runs
from engine.analysis.run.timeline import Timeline
from engine.lifecycle import ENDED
from engine.store import queries, series
from engine.store.connect import KeptReader, connect_reader
from engine.store.location import StoreLocation
from engine.store.queries import Run
from tui.charts.braille.curve import Moment, Points
from tui.charts.device_reading import read_devices
from tui.charts.run_curves import (
    EPOCH_MEASURES,
    STEP_MEASURES,
    CurveUpdate,
    Known,
    epoch_source,
    step_source,
)

if TYPE_CHECKING:
    from engine.config import Catalogue

__all__ = ["KeptReader", "Run", "find_companions", "read_curves", "read_updates"]

_MEANS = frozenset({"loss", "grad_norm"})
"""Measures that are means over an epoch: their points lie in its middle, others at its end."""


def read_updates(
    store: KeptReader, known: Mapping[str, Known], catalogue: Catalogue | None
) -> dict[str, CurveUpdate | None]:
    """Read what isn't known yet of each run, by its id; ``None`` for a deleted run.

    Args:
        catalogue: knows what recipes give, against which several runs are named.

    Raises:
        StoreError: a store that can't be read.
    """
    with store.reading() as con:
        labels = labels_of_runs(con, known.keys(), catalogue) if len(known) > 1 else {}
        return {
            run_id: read_curves(con, run_id, each, labels.get(run_id, ""))
            for run_id, each in known.items()
        }


def find_companions(
    location: StoreLocation, run_id: str, words: Sequence[str], catalogue: Catalogue | None
) -> list[tuple[Run, str]]:
    """Find the runs with some words that have trained, those most like a run first, each with what
    tells its settings from those of the others.

    Raises:
        StoreError: a store that can't be read.
    """
    with closing(connect_reader(location)) as con:
        runs = queries.companions(con, run_id, words)
        labels = labels_of_runs(con, [run_id, *(run.id for run in runs)], catalogue)
        return [(run, labels[run.id]) for run in runs]


def read_curves(
    con: sqlite3.Connection, run_id: str, known: Known, label: str = ""
) -> CurveUpdate | None:
    """Read what isn't known of a run's curves; ``None`` if there is no such run.

    Args:
        label: in what its settings differ from those of the others that are read.
    """
    run = queries.get_run(con, run_id)
    if run is None:
        return None
    timeline = Timeline(series.attempt_spans(con, run_id))
    start = known
    steps = series.steps(con, run_id, start.step)
    if known.attempt != run.attempt or (steps and steps[-1]["attempt"] != start.step[0]):
        # Another attempt does again what the one before did after its checkpoint.
        start = Known(run.attempt)
        steps = series.steps(con, run_id)
    epochs = series.epoch_figures(con, run_id, EPOCH_MEASURES, start.epoch)
    moments = _step_moments(con, run, steps, timeline)
    ends = [_moment(run, row, timeline) for row in epochs]
    passed = sorted([start.reached, *moments, *ends], key=attrgetter("time"))
    newest, devices = read_devices(con, run_id, start.sample, passed, timeline)
    return CurveUpdate(
        run=run,
        label=label,
        since=known,
        known=Known(
            run.attempt,
            (steps[-1]["attempt"], steps[-1]["seq"]) if steps else start.step,
            epochs[-1]["epoch"] if epochs else start.epoch,
            newest,
            passed[-1],
        ),
        points={
            **_step_points(moments, steps),
            **_epoch_points(run, epochs, ends),
        },
        devices=devices,
        replaces=start != known,
        best=_best(con, run, timeline),
        end=_end(run, timeline) if run.state in ENDED else None,
    )


def _step_moments(
    con: sqlite3.Connection, run: Run, steps: Sequence[sqlite3.Row], timeline: Timeline
) -> list[Moment]:
    """The moment of each step. Epochs differ in length by a few steps, so the steps of each are
    counted from the end of the epoch before."""
    if not steps or not run.steps_per_epoch:
        return []
    length = run.steps_per_epoch
    ended = series.epoch_figures(con, run.id, (), steps[0]["epoch"] - 2, steps[-1]["epoch"])
    ends = {row["epoch"]: row["step"] for row in ended if row["step"] is not None}
    moments = []
    for row in steps:
        before = row["epoch"] - 1
        part = (row["step"] - ends.get(before, before * length)) / length
        seconds = timeline.seconds(row["attempt"], row["t"])
        moments.append(Moment(before + min(max(part, 0.0), 1.0), float(row["step"]), seconds))
    return moments


def _step_points(moments: Sequence[Moment], steps: Sequence[sqlite3.Row]) -> dict[str, Points]:
    """Points by source; none of a run whose epochs' length isn't known."""
    if not moments:
        return {}
    return {step_source(measure): _points(moments, measure, steps) for measure in STEP_MEASURES}


def _epoch_points(
    run: Run, epochs: Sequence[sqlite3.Row], ends: Sequence[Moment]
) -> dict[str, Points]:
    """Points by source, at each epoch's end or in its middle."""
    in_middle = []
    length = run.steps_per_epoch or 0
    for row, end in zip(epochs, ends, strict=True):
        half = (row["eval_seconds"] or 0.0) + (row["train_seconds"] or 0.0) / 2
        step, time = max(0.0, end.step - length / 2), max(0.0, end.time - half)
        in_middle.append(Moment(end.epoch - 0.5, step, time))
    return {
        epoch_source(measure): _points(in_middle if measure in _MEANS else ends, measure, epochs)
        for measure in EPOCH_MEASURES
    }


def _points(moments: Iterable[Moment], measure: str, rows: Iterable[sqlite3.Row]) -> Points:
    return Points.of((*moment, row[measure]) for moment, row in zip(moments, rows, strict=True))


def _best(con: sqlite3.Connection, run: Run, timeline: Timeline) -> Moment | None:
    """The end of the epoch that validation chose."""
    if run.best_epoch is None:
        return None
    rows = series.epoch_figures(con, run.id, (), run.best_epoch - 1, run.best_epoch)
    return _moment(run, rows[0], timeline) if rows else None


def _moment(run: Run, row: sqlite3.Row, timeline: Timeline) -> Moment:
    """The end of an epoch; its step is reckoned where the journal doesn't say it."""
    epoch, step = row["epoch"], row["step"]
    reached = step if step is not None else epoch * (run.steps_per_epoch or 0)
    return Moment(float(epoch), float(reached), timeline.seconds(row["attempt"], row["t"]))


def _end(run: Run, timeline: Timeline) -> Moment | None:
    if not run.epoch:
        return None
    step = run.step if run.step is not None else run.epoch * (run.steps_per_epoch or 0)
    return Moment(float(run.epoch), float(step), timeline.total)

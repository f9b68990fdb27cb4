"""Reading what the Live screen shows, in a thread: only what it doesn't have yet."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from engine.analysis.labels.stored import labels_of_runs
from engine.analysis.run.further import at_its_limit, why_not_refit
from engine.analysis.run.relaunch import proposed_limit
from engine.analysis.run.throughput import interactions_per_second
from engine.machine.forecast import Forecast, QueueEnd
from engine.machine.occupancy import companions, part_of
from engine.store import queries, series
from engine.store.compare.comparison import runs_by_id
from engine.store.connect import KeptReader
from engine.store.jobs import JobFacts, live_jobs
from engine.store.queries import Run
from engine.store.series import newest_telemetry
from engine.store.studies import has_open_study

if TYPE_CHECKING:
    from engine.config import Catalogue

__all__ = [
    "Forecast", "JobFacts", "KeptReader", "Known", "LiveUpdate", "QueueEnd", "Run", "Waiting",
    "at_its_limit", "proposed_limit", "read_live", "read_update", "why_not_refit",
]  # fmt: skip


TIMES = ("train_seconds_median", "eval_seconds_median")


@dataclass(frozen=True, slots=True)
class Waiting:
    """The waiting runs, and a version that changes when other runs wait."""

    mark: tuple[int, ...] = ()
    runs: Sequence[Run] = ()


@dataclass(frozen=True, slots=True)
class Labels:
    """In what the queue's runs differ from each other in settings, by run."""

    mark: object = None
    """Changes with the runs of the queue, and when the configuration is there."""
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """How much the screen has of the queue and of the selected run."""

    run_id: str | None = None
    epochs: tuple[int | None, int | None, str] | None = None
    """Attempt, epoch and state when the epochs were read."""
    waiting: Waiting = field(default_factory=Waiting)
    labels: Labels = field(default_factory=Labels)

    def of(self, run_id: str) -> Known:
        """As much of the queue, and nothing of another run."""
        return Known(run_id, waiting=self.waiting, labels=self.labels)


@dataclass(frozen=True, slots=True)
class LiveUpdate:
    """The queue, and what is new of the selected run."""

    known: Known
    """How much the screen has with this."""
    runs: Sequence[Run] = ()
    """The whole queue."""
    jobs: Mapping[str, JobFacts] = field(default_factory=dict)
    """Jobs of a cluster, by run."""
    node: Mapping[str, Any] = field(default_factory=dict)
    """The newest telemetry of the selected run, if it is on a cluster's node."""
    beside: int = 0
    """What else was on its GPU lately, processes and runs of its own process."""
    part: float | None = None
    """Its part of the updates of all runs of its process, if there are others."""
    run: Run | None = None
    epochs: Sequence[Mapping[str, Any]] | None = None
    """All of them, or ``None`` if none is new."""
    events: Sequence[Mapping[str, Any]] = ()
    """Starts, warnings and ends of the selected run, as `engine.store.series.events`."""
    medians: Mapping[str, float | None] = field(default_factory=dict)
    """Times of an epoch of the selected run, by the store's columns in `TIMES`."""
    hold: str | None = None
    """Why the queue is paused, if it is."""
    end: QueueEnd | None = None
    """How long the queue still takes, if that is known."""
    studying: bool = False
    """Whether a study will queue further runs."""

    @property
    def labels(self) -> Mapping[str, str]:
        """In what the queue's runs differ from each other in settings, by run."""
        return self.known.labels.words

    @property
    def speed(self) -> float | None:
        """Interactions that the selected run trains on per second."""
        return interactions_per_second(self.start, self.medians.get("train_seconds_median"))

    @property
    def resumable(self) -> bool:
        """Whether the selected run has a checkpoint."""
        return any(event["kind"] == "checkpoint" for event in self.events)

    @property
    def start(self) -> Mapping[str, Any]:
        """Fields of the newest ``start`` in the journal."""
        return next((event for event in reversed(self.events) if event["kind"] == "start"), {})


def read_live(
    store: KeptReader, known: Known, catalogue: Catalogue | None, forecast: Forecast, now: float
) -> LiveUpdate:
    """Read the queue, and of the selected run what ``known`` lacks; nothing from no store.

    Args:
        catalogue: knows what recipes give, against which runs are named.
        forecast: keeps what runs are expected to cost from one reading to the next.
        now: seconds since 1970.

    Raises:
        StoreError: a store that can't be read.
    """
    if not store.location.db.exists():
        return LiveUpdate(known)
    with store.reading() as con:
        update = read_update(con, known, catalogue)
        running = [run for run in update.runs if run.state == "running"]
        end = forecast.look(con, running, update.known.waiting.runs, now)
        return replace(update, end=end, studying=has_open_study(con))


def read_update(
    con: sqlite3.Connection, known: Known, catalogue: Catalogue | None = None
) -> LiveUpdate:
    """Read the queue, and of the selected run what ``known`` lacks."""
    waiting, mark = known.waiting, queries.waiting_mark(con)
    if mark != waiting.mark:
        waiting = Waiting(mark, queries.waiting(con))
    others = [*queries.running(con), *queries.ended(con)]
    running = sum(run.state == "running" for run in others)
    runs = [*others[:running], *waiting.runs, *others[running:]]
    labels, sign = known.labels, (mark, [run.id for run in others], catalogue is None)
    if sign != labels.mark:
        labels = Labels(sign, labels_of_runs(con, [run.id for run in runs], catalogue))
    run = queries.get_run(con, known.run_id) if known.run_id else None
    hold, jobs = queries.queue_hold(con), live_jobs(con)
    if run is None:
        return LiveUpdate(Known(known.run_id, None, waiting, labels), runs, jobs, hold=hold)
    epochs_read = (run.attempt, run.epoch, run.state)
    telemetry = newest_telemetry(con, run.id)
    return LiveUpdate(
        known=Known(run.id, epochs_read, waiting, labels),
        runs=runs,
        jobs=jobs,
        node=telemetry if run.id in jobs else {},
        beside=int(telemetry.get("gpu_others") or 0),
        part=part_of(run, companions(queries.occupants(con), run.id)),
        run=run,
        epochs=series.epochs(con, run.id) if epochs_read != known.epochs else None,
        events=series.events(con, run.id),
        medians=_medians(con, run.id),
        hold=hold,
    )


def _medians(con: sqlite3.Connection, run: str) -> dict[str, float | None]:
    rows = runs_by_id(con, TIMES, [run])
    return dict(zip(TIMES, rows[0], strict=True)) if rows else {}

"""What the Live screen reads from the store: in a thread, and only what it doesn't have yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tui.shell.text import duration, number

if TYPE_CHECKING:
    import sqlite3

    from engine.store.jobs import JobFacts
    from engine.store.queries import Run

EpochMark = tuple[int | None, int | None, str]


@dataclass(frozen=True, slots=True)
class Known:
    """The selected run, and how much of it the screen has."""

    run_id: str | None = None
    epochs: EpochMark | None = None
    """Attempt, epoch and state when the epochs were read."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The runs that wait, and how the store told them from others: read again only if changed."""

    mark: tuple[int, ...] = ()
    # Textual describes a thread by the repr of what it is given, and this may be thousands.
    runs: Sequence[Run] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """The queue, and what is new of the selected run."""

    known: Known
    """What the screen knows once it has taken this."""
    waiting: Waiting = field(default_factory=Waiting)
    runs: Sequence[Run] = ()
    """The whole queue."""
    jobs: Mapping[str, JobFacts] = field(default_factory=dict)
    """Of those that are jobs of a cluster, by run."""
    node: Mapping[str, Any] = field(default_factory=dict)
    """The newest telemetry of the selected run, if it is on a cluster's node."""
    run: Run | None = None
    epochs: Sequence[Mapping[str, Any]] | None = None
    """All of them, or ``None`` if none is new."""
    start: Mapping[str, Any] = field(default_factory=dict)
    hold: str | None = None
    """Why the queue is paused, if it is."""
    notices: Sequence[tuple[str, str]] = ()
    """Warnings and the end message, with their style."""


def read(connection: sqlite3.Connection, known: Known, waiting: Waiting) -> Reading:
    """Read the queue, and of the selected run what ``known`` lacks."""
    from engine.store import queries
    from engine.store.jobs import live_jobs
    from engine.store.series import newest_telemetry

    mark = queries.waiting_mark(connection)
    if mark != waiting.mark:
        waiting = Waiting(mark, queries.waiting(connection))
    runs = [*queries.running(connection), *waiting.runs, *queries.ended(connection)]
    run = queries.get_run(connection, known.run_id) if known.run_id else None
    hold, jobs = queries.queue_hold(connection), live_jobs(connection)
    if run is None:
        return Reading(known, waiting, runs, jobs, hold=hold)
    epoch_mark = (run.attempt, run.epoch, run.state)
    epochs = queries.epochs(connection, run.id) if epoch_mark != known.epochs else None
    events = queries.events(connection, run.id)
    return Reading(
        known=Known(run.id, epoch_mark),
        waiting=waiting,
        runs=runs,
        jobs=jobs,
        node=newest_telemetry(connection, run.id) if run.id in jobs else {},
        run=run,
        epochs=epochs,
        start=_newest(events, "start"),
        hold=hold,
        notices=_notices(events),
    )


def journal_lines(
    start: Mapping[str, Any], epochs: Sequence[Mapping[str, Any]], newest: int = 40
) -> list[str]:
    """The run so far in words: what an empty log doesn't tell."""
    lines = []
    if start:
        resumed = start.get("resumed_epoch")
        how = f"goes on after epoch {resumed}" if resumed else "starts"
        lines.append(f"attempt {start['attempt']} {how} on {start.get('device', 'its device')}")
    lines += [
        f"epoch {row['epoch']:>3}   loss {number(row['loss'])}"
        f"   valid NDCG {number(row['valid_ndcg'])}   Recall {number(row['valid_recall'])}"
        f"   {duration(row['train_seconds'])} + {duration(row['eval_seconds'])}"
        for row in epochs[-newest:]
    ]
    return lines


def _newest(events: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    return next((event for event in reversed(events) if event["kind"] == kind), {})


def _notices(events: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    notices = []
    for event in events:
        message = str(event.get("message") or "")
        if event["kind"] == "warning" and message:
            notices.append((f"warning: {message}", "$warning"))
        elif event["kind"] == "end" and message:
            failed = event.get("status") == "failed"
            notices.append((f"end: {message}", "$error" if failed else "$success"))
    return notices

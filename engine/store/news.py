"""Runs that ended lately: for the summary of an absence, and for notifications."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal

from engine.lifecycle import UNFINISHED
from engine.lifecycle import sql as states_sql
from engine.store.database import fetch
from engine.store.studies import has_open_study

NEWS = ("done", "failed", "lost")
"""States in which a run ends by itself; a cancelled run is no news to its user."""

LATE_SECONDS = 60.0
"""How much later than its time a run's end may reach the store: journals are read in turns."""


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that ended, with its result or what went wrong."""

    id: str
    model: str
    dataset: str
    length: int
    seed: int
    suite: str | None
    attempt: int
    state: str
    cause: str | None
    message: str | None
    finished: float
    best_valid_ndcg: float | None
    best_test_ndcg: float | None
    """NDCG@10 on test at the best epoch by validation."""

    @property
    def kind(self) -> str:
        """The state, or ``diverged`` for a failure of that cause."""
        return "diverged" if self.state == "failed" and self.cause == "diverged" else self.state


_COLUMNS = ", ".join(column.name for column in fields(EndedRun))
# The plus makes SQLite walk the index on finished.
_SINCE = f"FROM runs WHERE finished > ? AND +state IN {NEWS}"


def ended_since(con: sqlite3.Connection, since: float, limit: int = 200) -> list[EndedRun]:
    """List runs that ended after a moment (seconds since 1970): failed and lost ones first, then
    done ones; each newest first."""
    sql = f"SELECT {_COLUMNS} {_SINCE} ORDER BY state = 'done', finished DESC, id LIMIT ?"
    return [EndedRun(*row) for row in fetch(con, sql, (since, limit))]


def ended_counts(con: sqlite3.Connection, since: float) -> dict[str, int]:
    """Count the runs that ended after a moment, by `EndedRun.kind`."""
    kind = "CASE WHEN state = 'failed' AND cause = 'diverged' THEN 'diverged' ELSE state END"
    rows = fetch(con, f"SELECT {kind}, count(*) {_SINCE} GROUP BY 1", (since,))
    return {row[0]: row[1] for row in rows}


Kind = Literal["run-failed", "suite-ended", "queue-empty"]


@dataclass(frozen=True, slots=True)
class Notification:
    """A message to the user: a run failed, a suite ended, or the queue is empty."""

    kind: Kind
    text: str
    """One sentence, which may quote text from outside: a suite's name, an error."""
    run: EndedRun | None = None
    """The run that failed."""
    suite: str | None = None
    """The suite that ended."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Number of runs by state: of the suite, or of all that ended since the previous call."""


class NotificationReader:
    """Reports what ended since the previous call; the first call reports nothing."""

    def __init__(self) -> None:
        self._newest: float | None = None
        self._known: set[tuple[str, int, str]] = set()

    def look(self, con: sqlite3.Connection) -> list[Notification]:
        """Return the notifications on what ended since the previous call."""
        first = self._newest is None
        if self._newest is None:
            self._newest = float(fetch(con, "SELECT coalesce(max(finished), 0) FROM runs")[0][0])
        runs = ended_since(con, self._newest - LATE_SECONDS, limit=1_000)
        known, self._known = self._known, {(run.id, run.attempt, run.state) for run in runs}
        new = [run for run in runs if (run.id, run.attempt, run.state) not in known]
        if first or not new:
            return []
        self._newest = max(self._newest, *(run.finished for run in new))
        return list(_notifications(con, new))


def _notifications(con: sqlite3.Connection, ended: Sequence[EndedRun]) -> Iterator[Notification]:
    for run in ended:
        if run.state != "done":
            name = f"{run.model} × {run.dataset} × {run.length}, seed {run.seed}"
            why = run.message or run.cause
            text = f"{name} {'is' if run.kind == 'lost' else 'has'} {run.kind}"
            yield Notification("run-failed", f"{text}: {why}" if why else f"{text}.", run)
    suites = [suite for suite in dict.fromkeys(run.suite for run in ended) if suite]
    over = [suite for suite in suites if not _unfinished(con, suite)]
    for suite in over:
        rows = fetch(con, "SELECT state, count(*) FROM runs WHERE suite = ? GROUP BY 1", (suite,))
        counts = {row[0]: row[1] for row in rows}
        yield Notification(
            "suite-ended", f"Suite {suite} has ended: {_said(counts)}.", None, suite, counts
        )
    if not over and not _unfinished(con):
        counts = {state: sum(run.state == state for run in ended) for state in NEWS}
        text = f"The queue is empty; last to end: {_said(counts)}."
        yield Notification("queue-empty", text, counts={k: n for k, n in counts.items() if n})


def _unfinished(con: sqlite3.Connection, suite: str | None = None) -> bool:
    sql = (
        f"SELECT EXISTS (SELECT 1 FROM runs WHERE state IN {states_sql(UNFINISHED)}"  # noqa: S608
        " AND (?1 IS NULL OR suite = ?1))"
    )
    # Between two trials of a study nothing is queued for a moment.
    going_on = suite is None and has_open_study(con)
    return going_on or bool(fetch(con, sql, (suite,))[0][0])


def _said(counts: Mapping[str, int]) -> str:
    order = ("done", "failed", "lost", "cancelled")
    return ", ".join(f"{counts[state]:,} {state}" for state in order if counts.get(state))

"""What became of runs lately: for who was away, and for who is told."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from engine.store.database import fetch

NEWS = ("done", "failed", "lost")
"""States in which a run ends by itself. Who cancels one knows of it."""


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
    """At the best validation epoch."""

    @property
    def kind(self) -> str:
        """Its state, but that diverging is told from other failures."""
        return "diverged" if self.state == "failed" and self.cause == "diverged" else self.state


_COLUMNS = (
    "id, model, dataset, length, seed, suite, attempt, state, cause, message, finished,"
    " best_valid_ndcg, best_test_ndcg"
)
# The plus makes SQLite walk the index on finished.
_SINCE = f"FROM runs WHERE finished > ? AND +state IN {NEWS}"


def ended_since(con: sqlite3.Connection, since: float, limit: int = 200) -> list[EndedRun]:
    """Runs that ended after a moment: those that went wrong first, each part newest first."""
    sql = f"SELECT {_COLUMNS} {_SINCE} ORDER BY state = 'done', finished DESC, id LIMIT ?"
    return [EndedRun(*row) for row in fetch(con, sql, (since, limit))]


def ended_counts(con: sqlite3.Connection, since: float) -> dict[str, int]:
    """How many ended after a moment, by `EndedRun.kind`."""
    kind = "CASE WHEN state = 'failed' AND cause = 'diverged' THEN 'diverged' ELSE state END"
    rows = fetch(con, f"SELECT {kind}, count(*) {_SINCE} GROUP BY 1", (since,))
    return {row[0]: row[1] for row in rows}

"""Studies, as the store knows them: by their trials."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any, Literal

from engine.lifecycle import UNDER_WAY
from engine.lifecycle import sql as states_sql
from engine.store.database import StoreConnection, fetch, json_object

End = Literal["stopped", "over"]
"""Why a study makes no further trial: somebody stopped it or it couldn't go on; or what it chose
was queued."""

OPEN = "study IS NOT NULL AND study_end IS NOT 'over'"
"""SQL for a trial of a study that isn't over."""


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """A trial, as it stands."""

    run: str
    number: int
    model: str
    state: str
    value: float | None
    """Best NDCG@10 on validation so far."""
    seconds: float
    """Time in training and validation so far."""
    best_epoch: int | None
    launcher: str | None
    end: End | None
    """Of its study; ``None`` while that makes trials."""
    spec: dict[str, Any]
    """Its `engine.spec.RunSpec` as JSON."""


def study_names(con: sqlite3.Connection) -> list[str]:
    """List the names of all studies, the newest first."""
    rows = fetch(
        con,
        "SELECT study FROM runs WHERE study IS NOT NULL"
        " GROUP BY study ORDER BY max(created) DESC, study",
    )
    return [str(name) for (name,) in map(tuple, rows)]


def trials_of(con: sqlite3.Connection, study: str) -> list[StoredTrial]:
    """List the trials of a study, by number."""
    rows = fetch(
        con,
        "SELECT r.id AS run, r.trial AS number, r.model, r.state, r.best_valid_ndcg AS value,"
        " coalesce(s.total_seconds, 0) AS seconds, r.best_epoch, r.launcher, r.study_end AS end,"
        " p.spec"
        " FROM runs r JOIN specs p ON p.run = r.id LEFT JOIN summaries s ON s.run = r.id"
        " WHERE r.study = ? ORDER BY r.trial, r.id",
        (study,),
    )
    return [StoredTrial(**{**dict(row), "spec": json_object(row["spec"])}) for row in rows]


def has_open_study(con: sqlite3.Connection, study: str | None = None) -> bool:
    """Return whether a study, or any, isn't over."""
    sql = f"SELECT 1 FROM runs WHERE {OPEN} AND (?1 IS NULL OR study = ?1) LIMIT 1"  # noqa: S608
    return bool(fetch(con, sql, (study,)))


def runs_of_study(con: sqlite3.Connection, study: str) -> list[str]:
    """List the trials of a study by number, and then the runs of what it chose."""
    from engine.spec.study import profile_of_study  # pydantic, which a list of runs needn't

    rows = fetch(con, "SELECT id FROM runs WHERE study = ? ORDER BY trial, id", (study,))
    trials = [str(run) for (run,) in map(tuple, rows)]
    return [*trials, *(run for run, _ in runs_under(con, profile_of_study(study)))]


def runs_under(con: sqlite3.Connection, profile: str) -> list[tuple[str, str]]:
    """List the runs of a profile, as pairs of id and fingerprint, in the order of their seeds."""
    rows = fetch(
        con, "SELECT id, fingerprint FROM runs WHERE profile = ? ORDER BY model, seed", (profile,)
    )
    return [(str(run), str(fingerprint)) for run, fingerprint in map(tuple, rows)]


def waiting_studies(con: sqlite3.Connection) -> list[str]:
    """List the studies that aren't over and of which no trial is queued or in training, the oldest
    first."""
    rows = fetch(
        con,
        f"SELECT study FROM runs WHERE {OPEN} GROUP BY study"  # noqa: S608
        f" HAVING sum(state IN {states_sql(UNDER_WAY)}) = 0 ORDER BY min(created), study",
    )
    return [str(name) for (name,) in map(tuple, rows)]


def studies_at(con: sqlite3.Connection, launcher: str | None) -> list[str]:
    """List the studies at a launcher that make trials, those with the fewest under way first."""
    rows = fetch(
        con,
        "SELECT study FROM runs WHERE study IS NOT NULL AND study_end IS NULL AND launcher IS ?"  # noqa: S608
        f" GROUP BY study ORDER BY sum(state IN {states_sql(UNDER_WAY)}), min(created), study",
        (launcher,),
    )
    return [str(name) for (name,) in map(tuple, rows)]


def end_study(connection: StoreConnection, study: str, end: End) -> None:
    """Record that a study makes no further trial (inside a write transaction)."""
    connection.execute(
        "UPDATE runs SET study_end = ? WHERE study = ? AND study_end IS NOT 'over'", (end, study)
    )

"""Studies, as the store knows them: by their trials."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from typing import Any, Literal

from engine.lifecycle import UNDER_WAY
from engine.lifecycle import sql as states_sql
from engine.rungs import PRUNED, standing
from engine.store.database import StoreConnection, fetch, fetch_tuples, json_object

End = Literal["stopped", "over"]
"""Why a study makes no further trial: somebody stopped it or it couldn't go on; or what it chose
was queued."""

OPEN = "study IS NOT NULL AND study_end IS NOT 'over'"
"""SQL for a trial of a study that isn't over."""


_GOES_ON = f"state IN {states_sql(UNDER_WAY)} AND held IS NULL"
"""SQL for a trial that is queued or in training, and not paused."""


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
    epoch: int | None
    """The last epoch that ended."""
    best_epoch: int | None
    held: bool
    """Whether it is paused at a rung (`engine.rungs`): then it is queued, and waits."""
    cause: str | None
    launcher: str | None
    end: End | None
    """Of its study; ``None`` while that makes trials."""
    spec: dict[str, Any]
    """Its `engine.spec.RunSpec` as JSON."""

    @property
    def standing(self) -> str:
        """How it stands: its state, or that it is paused, or was pruned."""
        return standing(self.state, self.cause, held=self.held)

    @property
    def can_be_chosen(self) -> bool:
        """Whether it was trained to its end."""
        return self.standing == "done"


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
        " coalesce(s.total_seconds, 0) AS seconds, r.epoch, r.best_epoch,"
        " r.held IS NOT NULL AND r.state = 'queued' AS held,"
        " r.cause, r.launcher, r.study_end AS end, p.spec"
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


@dataclass(frozen=True, slots=True)
class FinalRun:
    """A run of what a study chose, or another one of that profile."""

    run: str
    fingerprint: str
    model: str
    seed: int
    state: str


def final_runs(con: sqlite3.Connection, profile: str) -> list[FinalRun]:
    """List the runs of a study's profile, as they stand, in the order of their seeds."""
    rows = fetch(
        con,
        "SELECT id AS run, fingerprint, model, seed, state FROM runs WHERE profile = ?"
        " ORDER BY model, seed, id",
        (profile,),
    )
    return [FinalRun(**dict(row)) for row in rows]


def runs_under(con: sqlite3.Connection, profile: str) -> list[tuple[str, str]]:
    """List the runs of a profile, as pairs of id and fingerprint, in the order of their seeds."""
    return [(each.run, each.fingerprint) for each in final_runs(con, profile)]


def is_under_way(con: sqlite3.Connection, profile: str) -> bool:
    """Return whether a run of a profile is queued or in training."""
    sql = f"SELECT 1 FROM runs WHERE state IN {states_sql(UNDER_WAY)} AND profile = ? LIMIT 1"  # noqa: S608
    return bool(fetch(con, sql, (profile,)))


def waiting_studies(con: sqlite3.Connection) -> list[tuple[str, str | None]]:
    """List the studies that aren't over and of which no trial is queued or in training but for
    paused ones, the oldest first, each with the launcher that its trials go to. Of one that was
    stopped it is ``None``."""
    rows = fetch(
        con,
        "SELECT study, CASE WHEN count(study_end) = 0 THEN max(launcher) END"  # noqa: S608
        f" FROM runs WHERE {OPEN} GROUP BY study"
        f" HAVING sum({_GOES_ON}) = 0 ORDER BY min(created), study",
    )
    return [(str(name), launcher) for name, launcher in map(tuple, rows)]


def studies_at(con: sqlite3.Connection, launcher: str | None) -> list[str]:
    """List the studies at a launcher that make trials, those with the fewest under way first."""
    rows = fetch(
        con,
        "SELECT study FROM runs WHERE study IS NOT NULL AND study_end IS NULL AND launcher IS ?"  # noqa: S608
        f" GROUP BY study ORDER BY sum({_GOES_ON}), min(created), study",
        (launcher,),
    )
    return [str(name) for (name,) in map(tuple, rows)]


Stand = frozenset[tuple[Any, ...]]
"""How the trials of a study stand, as far as it depends on that whether there is one to queue."""


def stand_of(con: sqlite3.Connection, study: str) -> Stand:
    """Read how the trials of a study stand, without their settings and what they reached."""
    sql = "SELECT id, state, held, study_end FROM runs WHERE study = ?"
    return frozenset(fetch_tuples(con, sql, (study,)))


def end_study(connection: StoreConnection, study: str, end: End) -> None:
    """Record that a study makes no further trial (inside a write transaction)."""
    connection.execute(
        "UPDATE runs SET study_end = ? WHERE study = ? AND study_end IS NOT 'over'", (end, study)
    )


def values_at(con: sqlite3.Connection, study: str, epoch: int) -> dict[str, float]:
    """Read the best NDCG@10 on validation up to an epoch, of the trials of a study that reached it
    or are done, by run id."""
    rows = fetch(
        con,
        "SELECT r.id, max(e.valid_ndcg) FROM runs r JOIN epochs e ON e.run = r.id"
        " WHERE r.study = ? AND e.epoch <= ? AND (r.epoch >= ? OR r.state = 'done')"
        " GROUP BY r.id HAVING max(e.valid_ndcg) IS NOT NULL",
        (study, epoch, epoch),
    )
    return {str(run): float(value) for run, value in map(tuple, rows)}


def release_trial(connection: StoreConnection, run: str) -> None:
    """Let a paused trial be started again (inside a write transaction)."""
    connection.execute("UPDATE runs SET held = NULL WHERE id = ?", (run,))


def paused_too_late(con: sqlite3.Connection) -> list[str]:
    """List the studies that are over and have paused trials all the same: retried ones."""
    rows = fetch(
        con,
        "SELECT DISTINCT study FROM runs WHERE study IS NOT NULL AND study_end = 'over'"
        " AND held IS NOT NULL AND state = 'queued'",
    )
    return [str(name) for (name,) in map(tuple, rows)]


def prune_held(connection: StoreConnection, study: str) -> None:
    """End the paused trials of a study (inside a write transaction)."""
    connection.execute(
        "UPDATE runs SET state = 'done', finished = ?, cause = ?, held = NULL,"
        " message = 'Other trials were better after as many epochs.'"
        " WHERE study = ? AND held IS NOT NULL AND state = 'queued'",
        (time.time(), PRUNED, study),
    )

"""The supervisor's changes of runs and attempts. Each function is called inside a write
transaction, and leaves the store in a state from which a new supervisor can continue."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.journal import CROWDED
from engine.lifecycle import PRESENT, UNDER_WAY
from engine.lifecycle import sql as states_sql
from engine.process import ProcessIdentity
from engine.store.database import StoreConnection
from engine.store.intake.ingest import refresh
from engine.store.schema import RUN_TABLES
from engine.store.studies import OPEN

SHARED = "shared"
"""The cause of a loss by a process that trained other runs, too."""

VANISHED = ("lost", "killed", "hung")
"""The causes of losses by a process that trained one run: it vanished, or was ended by force."""


@dataclass(frozen=True, slots=True)
class LiveAttempt:
    """An attempt whose process may still live."""

    run: str
    attempt: int
    status: str
    """``starting`` until the journal begins, ``running``, or how the journal says it ended."""
    slot: str | None
    host: str | None
    last_growth: float | None
    """When the journal was last seen to grow."""
    ended: float | None
    launcher: str | None
    """The run's launcher; ``None`` for this machine."""
    pid: int | None
    boot_id: str | None
    start_ticks: int | None
    worker: str | None = None
    """The resident worker that trains it; ``None`` for a process of its own."""
    cause: str | None = None
    """Why it ended, if the journal says."""

    @property
    def identity(self) -> ProcessIdentity | None:
        """The attempt's process on its host; ``None`` before it is known."""
        if self.pid is None or self.boot_id is None or self.start_ticks is None:
            return None
        return ProcessIdentity(self.pid, self.boot_id, self.start_ticks)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the supervisor; ``run`` is empty for the whole queue."""

    id: int
    action: str
    run: str
    created: float


@dataclass(frozen=True, slots=True)
class Hold:
    """A pause of the queue."""

    since: float
    cause: str
    """``user``, or the cause that runs died of."""
    message: str


def live_attempts(connection: StoreConnection) -> list[LiveAttempt]:
    """List the attempts whose process may still live, by run and number."""
    rows = connection.rows(
        "SELECT a.run, a.attempt, a.status, a.slot, a.host, a.last_growth, a.ended, r.launcher,"
        " a.pid, a.boot_id, a.start_ticks, a.worker, a.cause"
        " FROM attempts a LEFT JOIN runs r ON r.id = a.run"
        " WHERE a.exited IS NULL ORDER BY a.run, a.attempt"
    )
    return [LiveAttempt(*row) for row in rows]


def requests(connection: StoreConnection) -> list[Request]:
    """List the requests, oldest first."""
    rows = connection.rows("SELECT id, action, run, created FROM requests ORDER BY id")
    return [Request(*row) for row in rows]


def drop_request(connection: StoreConnection, request: Request) -> bool:
    """Delete a request that was answered; return whether it was still there."""
    return connection.execute("DELETE FROM requests WHERE id = ?", (request.id,)).rowcount > 0


class RunState(NamedTuple):
    """The state of a run, and the number of its newest attempt."""

    state: str
    attempt: int


def run_state(connection: StoreConnection, run: str) -> RunState | None:
    """Return a run's state; ``None`` if there is no such run."""
    row = connection.row("SELECT state, attempt FROM runs WHERE id = ?", (run,))
    return RunState(**row) if row else None


def attempt_end(connection: StoreConnection, run: str, attempt: int) -> tuple[str, str]:
    """Return status and cause of an attempt; the cause is empty if there is none."""
    sql = "SELECT status, coalesce(cause, '') FROM attempts WHERE run = ? AND attempt = ?"
    status, cause = connection.rows(sql, (run, attempt))[0]
    return status, cause


def next_queued(connection: StoreConnection, launcher: str | None) -> str | None:
    """Return the run to start next at a launcher; None if there is none.

    A run whose last process still lives (it is stopping, say) is skipped, and so are one that
    refits another before that is done, and a paused trial of a study.
    """
    row = connection.row(
        "SELECT id FROM runs WHERE state = 'queued' AND launcher IS ? AND held IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM attempts WHERE run = runs.id AND exited IS NULL)"
        " AND (refits IS NULL OR EXISTS"
        " (SELECT 1 FROM runs first WHERE first.id = runs.refits AND first.state = 'done'))"
        " ORDER BY position, id LIMIT 1",
        (launcher,),
    )
    return None if row is None else str(row[0])


def queued_elsewhere(connection: StoreConnection, known: Sequence[str]) -> list[tuple[str, str]]:
    """List queued runs for launchers other than these, with their launchers."""
    marks = ", ".join("?" * len(known))
    rows = connection.rows(
        "SELECT id, launcher FROM runs WHERE state = 'queued' AND launcher > ''"  # noqa: S608
        f" AND launcher NOT IN ({marks})",
        tuple(known),
    )
    return [(str(row[0]), str(row[1])) for row in rows]


def queued_in_vain(connection: StoreConnection) -> list[tuple[str, str, str]]:
    """List queued runs that refit one which is neither done nor under way, with that one and its
    state, ``deleted`` if it isn't there."""
    rows = connection.rows(
        "SELECT id, refits, state FROM ("  # noqa: S608
        "SELECT r.id, r.refits, coalesce(first.state, 'deleted') AS state FROM runs r"
        " LEFT JOIN runs first ON first.id = r.refits"
        " WHERE r.state = 'queued' AND r.refits IS NOT NULL)"
        f" WHERE state NOT IN {states_sql(PRESENT)}"
    )
    return [(str(row[0]), str(row[1]), str(row[2])) for row in rows]


def fail_queued(connection: StoreConnection, run: str, cause: str, message: str) -> None:
    """Fail a run that can't be started."""
    connection.execute(
        "UPDATE runs SET state = 'failed', finished = ?, cause = ?, message = ? WHERE id = ?",
        (time.time(), cause, message, run),
    )


def came_further(connection: StoreConnection, run: str, attempt: int) -> bool:
    """Return whether the attempt wrote a checkpoint, from which the next one resumes."""
    row = connection.row(
        "SELECT 1 FROM events WHERE run = ? AND attempt = ? AND kind = 'checkpoint' LIMIT 1",
        (run, attempt),
    )
    return row is not None


def begin_attempt(
    connection: StoreConnection, run: str, slot: str, host: str, worker: str | None = None
) -> int:
    """Take a queued run: written before its process is started, so that no process is unknown.

    A row that a damaged ``meta.json`` left in its place gives way.

    Args:
        worker: the resident worker that it is handed to.
    """
    connection.execute("UPDATE runs SET state = 'running' WHERE id = ?", (run,))
    connection.execute(
        "INSERT OR REPLACE INTO attempts (run, attempt, slot, host, worker, launched, status)"
        " SELECT id, attempt, ?, ?, ?, ?, 'starting' FROM runs WHERE id = ?",
        (slot, host, worker, time.time(), run),
    )
    state = run_state(connection, run)
    assert state is not None
    return state.attempt


def record_process(
    connection: StoreConnection, run: str, attempt: int, process: ProcessIdentity
) -> None:
    """Record the process that was started for an attempt."""
    connection.execute(
        "UPDATE attempts SET pid = ?, boot_id = ?, start_ticks = ? WHERE run = ? AND attempt = ?",
        (process.pid, process.boot_id, process.start_ticks, run, attempt),
    )


def undo_attempt(connection: StoreConnection, run: str, attempt: int) -> None:
    """Queue a run again whose process was never started, without its attempt."""
    connection.execute("DELETE FROM attempts WHERE run = ? AND attempt = ?", (run, attempt))
    connection.execute(
        "UPDATE runs SET state = 'queued' WHERE id = ? AND attempt = ? AND state = 'running'",
        (run, attempt),
    )


def end_attempt(
    connection: StoreConnection, run: str, attempt: int, status: str, cause: str, message: str
) -> None:
    """Record an end that the journal lacks: ``failed``, ``cancelled`` or ``lost``."""
    connection.execute(
        "UPDATE attempts SET status = ?, cause = ?, message = ?, ended = ?"
        " WHERE run = ? AND attempt = ?",
        (status, cause, message, time.time(), run, attempt),
    )
    refresh(connection, run)


def mark_exited(connection: StoreConnection, run: str, attempt: int) -> None:
    """Record that an attempt's process is gone, which frees its slot."""
    connection.execute(
        "UPDATE attempts SET exited = ? WHERE run = ? AND attempt = ?", (time.time(), run, attempt)
    )


def requeue(connection: StoreConnection, run: str, *, counts: bool) -> None:
    """Queue the next attempt at the run's old place.

    Args:
        counts: it is one of the run's automatic retries.
    """
    connection.execute(
        "UPDATE runs SET state = 'queued', attempt = attempt + 1, losses = losses + ?,"
        " finished = NULL, cause = NULL, message = NULL WHERE id = ?",
        (int(counts), run),
    )


def hold_trial(connection: StoreConnection, run: str) -> None:
    """Queue the next attempt at a paused trial, which isn't started before it is promoted."""
    requeue(connection, run, counts=False)
    connection.execute("UPDATE runs SET held = 1 WHERE id = ?", (run,))


def losses(connection: StoreConnection, run: str) -> int:
    """Count the automatic retries that a run has used."""
    return int(connection.rows("SELECT losses FROM runs WHERE id = ?", (run,))[0][0])


def beside(connection: StoreConnection, run: str, attempt: int) -> list[str]:
    """List the other runs that the process of an attempt has begun to train, and still does as far
    as is known."""
    rows = connection.rows(
        f"SELECT DISTINCT b.run FROM {_SAME_PROCESS} AND b.started IS NOT NULL"  # noqa: S608
        " AND b.ended IS NULL AND b.exited IS NULL",
        (run, attempt),
    )
    return [str(row[0]) for row in rows]


def lost_with(connection: StoreConnection, run: str, attempt: int) -> int:
    """Count the other runs that the process of an attempt trained when it vanished: those that are
    in training still for all that is known, and those that were lost with it."""
    (row,) = connection.rows(
        f"SELECT count(DISTINCT b.run) FROM {_SAME_PROCESS}"  # noqa: S608
        f" AND (b.ended IS NULL OR b.cause IN {states_sql((SHARED, *VANISHED))})",
        (run, attempt),
    )
    return int(row[0])


_SAME_PROCESS = (
    "attempts a JOIN attempts b ON b.worker = a.worker AND b.pid = a.pid"
    " AND b.boot_id = a.boot_id AND b.start_ticks = a.start_ticks AND b.run != a.run"
    " WHERE a.run = ? AND a.attempt = ?"
)
"""SQL for attempts ``b`` at other runs that the process of an attempt ``a`` trained, too."""


def shared_losses(connection: StoreConnection, run: str) -> int:
    """Count the attempts at a run that were lost together with other runs'."""
    sql = "SELECT count(*) FROM attempts WHERE run = ? AND cause = ?"
    return int(connection.rows(sql, (run, SHARED))[0][0])


def was_crowded(connection: StoreConnection, run: str) -> bool:
    """Whether memory ran out while the run was trained beside others."""
    sql = "SELECT 1 FROM attempts WHERE run = ? AND cause = ? LIMIT 1"
    return connection.row(sql, (run, CROWDED)) is not None


def retry(connection: StoreConnection, run: str) -> None:
    """Queue the next attempt at the end, with all automatic retries.

    A run that was cancelled before its attempt began has that attempt still to come.
    """
    connection.execute(
        "UPDATE runs SET state = 'queued', losses = 0, finished = NULL, cause = NULL,"
        " held = NULL, message = NULL, position = (SELECT max(position) + 1 FROM runs),"
        " attempt = attempt + EXISTS"
        " (SELECT 1 FROM attempts a WHERE a.run = runs.id AND a.attempt = runs.attempt)"
        " WHERE id = ?",
        (run,),
    )


def cancel_queued(connection: StoreConnection, run: str) -> None:
    """Cancel a run that waits."""
    connection.execute(
        "UPDATE runs SET state = 'cancelled', finished = ?, cause = 'cancelled',"
        " message = 'Cancelled before it ran.' WHERE id = ?",
        (time.time(), run),
    )


def delete_run(connection: StoreConnection, run: str) -> None:
    """Delete a run's rows."""
    for table in (*RUN_TABLES, "summaries"):
        connection.execute(f"DELETE FROM {table} WHERE run = ?", (run,))  # noqa: S608
    connection.execute("DELETE FROM runs WHERE id = ?", (run,))


def held(connection: StoreConnection) -> Hold | None:
    """Return the pause of the queue; None if it isn't paused."""
    row = connection.row("SELECT since, cause, message FROM hold WHERE since IS NOT NULL")
    return Hold(*row) if row else None


def hold(connection: StoreConnection, cause: str, message: str) -> None:
    """Pause the queue: running runs continue, none is started."""
    connection.execute(
        "INSERT INTO hold (id, since, cause, message) VALUES (1, ?, ?, ?) ON CONFLICT (id)"
        " DO UPDATE SET since = excluded.since, cause = excluded.cause, message = excluded.message"
        " WHERE since IS NULL",
        (time.time(), cause, message),
    )


def release(connection: StoreConnection) -> None:
    """Resume the queue."""
    connection.execute("UPDATE hold SET since = NULL, released = ?", (time.time(),))


def dying(connection: StoreConnection, cause: str, within: float, short: float) -> list[str]:
    """List runs that lately died of a cause soon after their start, if none was done since. What
    the settings of a study's trial bring about is no reason to expect it of other runs.

    Args:
        within: seconds back to look, and no further than to when the queue was last resumed.
        short: seconds from start to end that count as soon.
    """
    rows = connection.rows(
        "SELECT DISTINCT run FROM attempts WHERE status IN ('failed', 'lost') AND cause = :cause"
        " AND NOT (cause IN ('diverged', 'out-of-memory')"
        " AND run IN (SELECT id FROM runs WHERE study IS NOT NULL))"
        " AND ended - coalesce(launched, started) < :short"
        " AND ended > max(:now - :within,"
        "  coalesce((SELECT released FROM hold), 0),"
        "  coalesce((SELECT max(finished) FROM runs WHERE state = 'done'), 0)) ORDER BY run",
        {"cause": cause, "short": short, "within": within, "now": time.time()},
    )
    return [str(row[0]) for row in rows]


def work_left(connection: StoreConnection) -> bool:
    """Return whether anything is left for a supervisor to do."""
    row = connection.row(
        f"SELECT EXISTS (SELECT 1 FROM runs WHERE state IN {states_sql(UNDER_WAY)})"  # noqa: S608
        " OR EXISTS (SELECT 1 FROM attempts WHERE exited IS NULL)"
        " OR EXISTS (SELECT 1 FROM requests)"
        " OR EXISTS (SELECT 1 FROM runs WHERE revision > saved)"
        f" OR EXISTS (SELECT 1 FROM runs WHERE {OPEN})"
    )
    assert row is not None
    return bool(row[0])


def beat(
    connection: StoreConnection,
    pid: int,
    host: str,
    started: float,
    slots: Sequence[Mapping[str, Any]],
) -> None:
    """Record a heartbeat of the supervisor."""
    connection.execute(
        "INSERT OR REPLACE INTO supervisor (id, pid, host, started, heartbeat, slots)"
        " VALUES (1, ?, ?, ?, ?, ?)",
        (pid, host, started, time.time(), json.dumps(list(slots))),
    )

"""Queries for runs and the queue. Plain ``sqlite3``: light to import."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from engine.errors import StoreError, UsageError, did_you_mean
from engine.lifecycle import ENDED, PRESENT, WAITING
from engine.lifecycle import sql as states_sql
from engine.rungs import standing
from engine.store.compare.comparison import matching
from engine.store.database import fetch, json_object
from engine.store.tags import is_annotated

if TYPE_CHECKING:
    from engine.spec import RunSpec

RECENT = 20
"""Number of ended runs that the queue still shows."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run as it stands now. Times are seconds since 1970."""

    id: str
    model: str
    dataset: str
    length: int
    seed: int
    profile: str
    suite: str | None
    fingerprint: str
    state: str
    position: int
    """Place in the queue: the smallest goes first."""
    created: float
    started: float | None
    finished: float | None
    attempt: int
    """The attempt that runs, ran last or, in state ``queued``, comes next; counted from 1."""
    losses: int
    """How often its process vanished since it was queued or retried by a user."""
    device: str | None
    epoch: int | None
    """The last epoch that ended."""
    epochs: int | None
    """The most epochs; early stopping may end the run sooner."""
    step: int | None
    """The last update that was recorded, counted over the whole run."""
    steps_per_epoch: int | None
    """Updates in an epoch, about: windows are cut at random."""
    epoch_seconds: float | None
    """Seconds of training and evaluation, mean over the newest epochs."""
    parameters: int | None
    best_epoch: int | None
    best_valid_ndcg: float | None
    cause: str | None
    message: str | None
    note: str
    epoch_step: int | None = None
    """The step at which ``epoch`` ended."""
    origin: str = ""
    """How an imported run came here; empty for our own."""
    marks: str | None = None
    """Its marks (`engine.marks`), separated by spaces; ``None`` if it has none and it isn't
    known whether it was disturbed."""
    launcher: str | None = None
    """The launcher that starts it; ``None`` for the supervisor's machine."""
    tags: str = "[]"
    """Its tags, as `engine.store.tags` writes them."""
    refits: str | None = None
    """The run that it refits; ``None`` of one that isn't a refit."""
    study: str | None = None
    """The study that it is a trial of; ``None`` of other runs."""
    trial: int | None = None
    """Its number in the study."""
    held: int | None = None
    """1 of a trial that is queued and paused until it is promoted; else ``None``."""
    fitted: bool = False
    """Whether its model is fitted: each epoch is then a fit with a combination of settings."""

    @property
    def standing(self) -> str:
        """How it stands: its state, or of a trial that it is paused, or was pruned."""
        return standing(self.state, self.cause, held=bool(self.held) and self.state == "queued")

    @property
    def annotated(self) -> bool:
        """Whether people gave it a note or tags."""
        return is_annotated(self.note, self.tags)

    @property
    def progress(self) -> float | None:
        """Share of ``epochs`` that is done, 0 to 1, with the share of the epoch under way.

        ``None`` before the first step. Early stopping makes it a lower bound.
        """
        if self.standing == "done":
            return 1.0
        done = self._epochs_done()
        if done is None or not self.epochs:
            return None
        return min(1.0, done / self.epochs)

    @property
    def eta_seconds(self) -> float | None:
        """Seconds to the last epoch at the pace of the newest ones; ``None`` unless it runs.

        An upper bound: early stopping can't be foreseen.
        """
        done = self._epochs_done()
        if self.state != "running" or done is None or not self.epochs or not self.epoch_seconds:
            return None
        return max(0.0, self.epochs - done) * self.epoch_seconds

    @property
    def pace(self) -> float | None:
        """Updates per second over the newest epochs, with their evaluation; ``None`` if unknown."""
        if not self.steps_per_epoch or not self.epoch_seconds:
            return None
        return self.steps_per_epoch / self.epoch_seconds

    def _epochs_done(self) -> float | None:
        if self.epoch is None and self.step is None:
            return None
        whole = self.epoch or 0
        if not self.step or not self.steps_per_epoch:
            return float(whole)
        part = (self.step - (self.epoch_step or 0)) / self.steps_per_epoch
        return whole + min(1.0, max(0.0, part))


@dataclass(frozen=True, slots=True)
class Occupant:
    """A run in training, with the slot, process and host of its attempt."""

    run: Run
    slot: str | None
    pid: int | None
    host: str | None


@dataclass(frozen=True, slots=True)
class Supervisor:
    """The supervisor, as of its newest heartbeat."""

    pid: int
    host: str
    started: float
    heartbeat: float
    slots: list[dict[str, Any]] = field(default_factory=list)
    """``name``, ``device`` (cpu or cuda), ``title``, ``threads`` and ``processes`` of each slot."""


_COLUMNS = [column.name for column in fields(Run) if column.name != "fitted"]
_FITTED = "(SELECT configuration FROM settings WHERE name = 'objective' AND value = 'fitted')"


def _columns(table: str) -> str:
    return f"{', '.join(f'{table}{name}' for name in _COLUMNS)}, {table}configuration IN {_FITTED}"


_RUNS = f"SELECT {_columns('')} FROM runs"  # noqa: S608


def data_version(con: sqlite3.Connection) -> int:
    """Return a number that changes when another connection has committed; takes microseconds.

    After a rebuild it never changes again: see `engine.store.database.is_current`.
    """
    return int(fetch(con, "PRAGMA data_version")[0][0])


def state_counts(con: sqlite3.Connection) -> dict[str, int]:
    """Count runs by state, without states that no run is in; takes microseconds."""
    rows = fetch(con, "SELECT state, runs FROM counts WHERE runs > 0")
    return {row[0]: row[1] for row in rows}


def list_runs(
    con: sqlite3.Connection,
    states: Sequence[str] | None = None,
    limit: int | None = None,
    filter: str = "",  # noqa: A002
    ended_since: float | None = None,
) -> list[Run]:
    """List runs, newest first; if given, only those in ``states``, that meet the filter
    (docs/queries.md), and that ended at or after ``ended_since`` (seconds since 1970)."""
    where, parameters = matching(filter, trials=True)
    values: list[object] = [*parameters]
    if states is not None:
        where += f" AND state IN ({_marks(states)})"
        values += states
    if ended_since is not None:
        where += f" AND state IN {states_sql(ENDED)} AND finished >= ?"
        values.append(ended_since)
    sql = f"{_RUNS} r WHERE {where} ORDER BY created DESC, id DESC LIMIT ?"
    return _runs(con, sql, (*values, -1 if limit is None else limit))


def queue(con: sqlite3.Connection) -> list[Run]:
    """List running runs, then waiting ones in their order, then the 20 that ended last."""
    return running(con) + waiting(con) + ended(con)


def running(con: sqlite3.Connection) -> list[Run]:
    """List running runs, the oldest start first."""
    return _runs(con, f"{_RUNS} WHERE state = 'running' ORDER BY started, id")


def occupants(con: sqlite3.Connection) -> list[Occupant]:
    """List the runs in training, the oldest start first."""
    rows = fetch(con, "SELECT run, slot, pid, host FROM attempts WHERE exited IS NULL")
    places = {run: (slot, pid, host) for run, slot, pid, host in rows}
    return [Occupant(run, *places.get(run.id, (None, None, None))) for run in running(con)]


def waiting(con: sqlite3.Connection) -> list[Run]:
    """List queued runs, in the order of the queue."""
    return _runs(con, f"{_RUNS} WHERE state IN {states_sql(WAITING)} ORDER BY position, id")


def waiting_mark(con: sqlite3.Connection) -> tuple[int, ...]:
    """Return a mark that changes when waiting runs come, go or change their order.

    It is read from an index, in a hundredth of the time that `waiting` takes."""
    sums = "count(*), sum(position), sum(rowid), sum(position * rowid)"
    return tuple(fetch(con, f"SELECT {sums} FROM runs WHERE state IN {states_sql(WAITING)}")[0])  # noqa: S608


def ended(con: sqlite3.Connection) -> list[Run]:
    """List the 20 runs that ended last, newest first."""
    return _runs(
        con,
        # The plus makes SQLite walk the index on finished, not sort all that ended.
        f"{_RUNS} WHERE +state IN {states_sql(ENDED)}"
        " AND finished IS NOT NULL ORDER BY finished DESC, id LIMIT ?",
        (RECENT,),
    )


def get_run(con: sqlite3.Connection, run_id: str) -> Run | None:
    """Find a run by its full id."""
    found = _runs(con, f"{_RUNS} WHERE id = ?", (run_id,))
    return found[0] if found else None


def companions(
    con: sqlite3.Connection, run_id: str, words: Sequence[str] = (), limit: int = 200
) -> list[Run]:
    """List runs that may be compared with one: those that have begun to train.

    The nearest come first (of the same cell, then of the same data set), then the newest.

    Args:
        words: each must be part of a run's id, data set, state, profile, suite or note.
    """
    text = "lower(r.id || ' ' || r.dataset || ' ' || r.state || ' ' || r.profile || ' ' || r.note"
    text += " || ' l' || r.length || ' s' || r.seed || ' ' || coalesce(r.suite, ''))"
    wanted = "".join(f" AND instr({text}, ?)" for _ in words)
    return _runs(
        con,
        f"SELECT {_columns('r.')} FROM runs r JOIN runs o ON o.id = ?"  # noqa: S608
        f" WHERE r.id != o.id AND r.started IS NOT NULL{wanted}"
        " ORDER BY (r.dataset = o.dataset) + (r.dataset = o.dataset AND r.model = o.model"
        " AND r.length = o.length) DESC, r.created DESC, r.id LIMIT ?",
        (run_id, *(word.lower() for word in words), limit),
    )


def resolve_run(con: sqlite3.Connection, text: str) -> Run:
    """Find the one run whose id is ``text``, or begins or ends with it.

    Raises:
        UsageError: no run matches (names the nearest id), or several do (names some).
    """
    wanted = text.strip().lower()
    if run := get_run(con, wanted):
        return run
    size = len(wanted)
    for sql in (
        "SELECT id FROM runs WHERE substr(id, 1, ?) = ? LIMIT 4",
        "SELECT id FROM runs WHERE substr(id, -?) = ? LIMIT 4",
    ):
        ids = _texts(con, sql, (size, wanted))
        if size and len(ids) == 1 and (run := get_run(con, ids[0])):
            return run
        if size and ids:
            some = ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
            raise UsageError(f"{text!r} could be several runs: {some}")
    known = _texts(con, "SELECT id FROM runs ORDER BY created DESC LIMIT 1000")
    if len(known) > 5:
        near = did_you_mean(wanted, known)
        hint = near if near.startswith("did") else "`seqbench ls` lists them."
    else:
        hint = did_you_mean(wanted, known)
    raise UsageError(f"There is no run {text!r}: {hint}")


def specs_of(con: sqlite3.Connection, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read the configurations of runs as JSON objects, by run id; empty where one is damaged."""
    rows = fetch(
        con,
        "SELECT run, spec FROM specs WHERE run IN (SELECT value FROM json_each(?))",
        (json.dumps(list(run_ids)),),
    )
    return {run: json_object(spec) for run, spec in rows}


def run_spec(con: sqlite3.Connection, run_id: str) -> RunSpec:
    """Read a run's full configuration.

    Raises:
        UsageError: there is no such run, or it was imported.
        StoreError: another version of seqbench wrote it.
    """
    # Commands that only list runs needn't spend the time that these take to import.
    from pydantic import ValidationError

    from engine.spec import RunSpec

    found = _texts(con, "SELECT spec FROM specs WHERE run = ?", (run_id,))
    if not found:
        raise UsageError(f"There is no run {run_id!r}: `seqbench ls` lists them.")
    try:
        return RunSpec.model_validate_json(found[0])
    except ValidationError as error:
        if fetch(con, "SELECT 1 FROM runs WHERE id = ? AND origin <> ''", (run_id,)):
            raise UsageError(f"{run_id} was imported: it isn't known how it was trained.") from None
        problem = error.errors()[0]["msg"]
        raise StoreError(f"{run_id}: its configuration is of another version: {problem}.") from None


def watched(con: sqlite3.Connection, run_ids: Sequence[str]) -> frozenset[str]:
    """Return the runs for which it is known whether they were disturbed: on a GPU by
    its driver, on a CPU by the kernel."""
    found = _texts(
        con,
        "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM telemetry WHERE run = value"
        " AND (gpu_others IS NOT NULL OR gpu_throttle IS NOT NULL))"
        " OR EXISTS (SELECT 1 FROM attempts WHERE run = value AND device_kind = 'cpu')"
        " AND (SELECT count(*) = count(cpu_wait_seconds) AND count(*) > 0 FROM epochs"
        " WHERE run = value)",
        (json.dumps(list(run_ids)),),
    )
    return frozenset(found)


def present_fingerprints(con: sqlite3.Connection) -> set[str]:
    """Return the fingerprints of queued, running and done runs: a launch of what is missing leaves
    them out."""
    return set(_texts(con, f"SELECT fingerprint FROM runs WHERE state IN {states_sql(PRESENT)}"))  # noqa: S608


def present_runs(con: sqlite3.Connection, fingerprint: str) -> list[Run]:
    """List the queued, running and done runs of a fingerprint, newest first."""
    where = f"WHERE fingerprint = ? AND state IN {states_sql(PRESENT)}"
    return _runs(con, f"{_RUNS} {where} ORDER BY created DESC, id DESC", (fingerprint,))


def queue_hold(con: sqlite3.Connection) -> str | None:
    """Return a sentence that says why the queue is paused, empty where someone paused it; None if
    it isn't."""
    rows = fetch(con, "SELECT cause, message FROM hold WHERE since IS NOT NULL")
    return ("" if rows[0][0] == "user" else str(rows[0][1])) if rows else None


def supervisor_state(con: sqlite3.Connection) -> Supervisor | None:
    """Return the supervisor as of its newest heartbeat, whether or not it still lives
    (`supervisor_running` says that); None if there never was one."""
    rows = fetch(con, "SELECT pid, host, started, heartbeat, slots FROM supervisor")
    if not rows:
        return None
    return Supervisor(**{**dict(rows[0]), "slots": json.loads(rows[0]["slots"])})


def _runs(con: sqlite3.Connection, sql: str, parameters: Sequence[object] = ()) -> list[Run]:
    return [Run(*(*row[:-1], bool(row[-1]))) for row in fetch(con, sql, parameters)]


def _texts(con: sqlite3.Connection, sql: str, parameters: Sequence[object] = ()) -> list[str]:
    return [str(row[0]) for row in fetch(con, sql, parameters)]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))

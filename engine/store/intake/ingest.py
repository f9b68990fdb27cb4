"""From journals into the store: rows and the new offset in one transaction, so that a crash
between two lines of this file costs nothing but reading some lines again.

Everything is derived: the same journals give the same rows, whatever the pieces they come in.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.journal import BadLine, JournalLine, read_journal
from engine.lifecycle import ENDED
from engine.lifecycle import sql as states_sql
from engine.metrics import EPOCH_MEASURES, RUN_ENERGY, SELECTION, SPEEDS
from engine.runfolder import RunFolder
from engine.store.costs.energy import JOULES_OF, joules
from engine.store.database import StoreConnection, write
from engine.store.intake.marking import mark_data, mark_device, mark_processor, mark_training
from engine.store.intake.results import keep_results, results_of_folder
from engine.store.intake.rows import (
    EVENTS,
    Reader,
    end_facts,
    end_results,
    epoch_row,
    start_facts,
    step_row,
    telemetry_row,
)
from engine.store.schema import EPOCH_INTEGERS, SUMMARY_MEASURES, TELEMETRY_MEASURES

MAX_WARNINGS = 100
"""Problems kept of a run: a file that is no journal at all has one a line."""

RECENT_EPOCHS = 5
"""Number of newest epochs whose mean time is the run's pace."""


@dataclass
class Rows:
    """Rows that one piece of a journal becomes."""

    run: str
    attempt: int
    steps: list[list[Any]] = field(default_factory=list)
    epochs: list[list[Any]] = field(default_factory=list)
    telemetry: list[list[Any]] = field(default_factory=list)
    events: list[list[Any]] = field(default_factory=list)
    warnings: list[tuple[int, str]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """Columns of ``attempts``; later lines override earlier ones."""
    results: Mapping[str, float] | None = None
    """By name, if these lines end a finished run; without any if they don't tell them."""


def ingest(connection: StoreConnection, folder: RunFolder, attempt: int) -> int:
    """Read all whole new lines of an attempt's journal into the store; return their number.

    Raises:
        StoreError: the store can't be written; nothing of the last piece was taken then.
        OSError: the journal can't be read.
    """
    taken = 0
    while True:
        run = folder.run_id
        offset = _offset(connection, run, attempt)
        chunk = read_journal(folder.journal(attempt), offset)
        if chunk.offset == offset:
            if offset and _size(folder.journal(attempt)) < offset:
                _begin_again(connection, run, attempt, offset)
                continue
            return taken
        rows = _rows(run, attempt, chunk.entries)
        if rows.results is not None:
            rows.results = rows.results or results_of_folder(folder)
        with write(connection):
            # Another writer may have read the same piece, or deleted the run.
            if connection.row("SELECT 1 FROM runs WHERE id = ?", (run,)) is None:
                return taken
            if _offset(connection, run, attempt) != offset:
                continue
            _insert(connection, rows, chunk.offset)
            dropped = 0
            if rows.epochs or "resumed_epoch" in rows.facts:
                dropped = connection.execute(_DROP_SUPERSEDED, {"run": run}).rowcount
            if rows.epochs or dropped:
                summarise(connection, run)
            if rows.results is not None:
                keep_results(connection, run, rows.results)
            refresh(connection, run)
        taken += len(chunk.entries)


def summarise(connection: StoreConnection, run: str) -> None:
    """Compute a run's row in ``summaries`` from its epochs, but for its results (inside a write
    transaction)."""
    connection.execute(_SUMMARISE, {"run": run})


def refresh(connection: StoreConnection, run: str) -> None:
    """Update a run's row from its attempts (inside a write transaction).

    An end in the current attempt's journal is final, whatever state was recorded before.
    """
    connection.execute(_REFRESH_FACTS, {"run": run, "recent": RECENT_EPOCHS})
    connection.execute(_REFRESH_STATE, {"run": run})
    mark_training(connection, run)
    mark_processor(connection, run)


def _offset(connection: StoreConnection, run: str, attempt: int) -> int:
    sql = "SELECT offset FROM attempts WHERE run = ? AND attempt = ?"
    row = connection.row(sql, (run, attempt))
    return int(row[0]) if row else 0


def _size(journal: Path) -> float:
    """Return a journal's size in bytes; infinity for an absent one, which hasn't shrunk."""
    try:
        return journal.stat().st_size
    except FileNotFoundError:
        return math.inf


def _begin_again(connection: StoreConnection, run: str, attempt: int, offset: int) -> None:
    """Read a journal from its beginning again, because it became shorter (replaced by a copy, say).

    Lines that were read before change nothing.
    """
    rows = Rows(run, attempt, warnings=[(offset, "the journal is shorter than it was")])
    with write(connection):
        if _offset(connection, run, attempt) == offset:
            _warn(connection, rows)
            _set_attempt(connection, run, attempt, {"offset": 0})


def _rows(run: str, attempt: int, entries: list[JournalLine | BadLine]) -> Rows:
    rows = Rows(run, attempt)
    for entry in entries:
        if isinstance(entry, BadLine):
            rows.warnings.append((entry.offset, entry.problem))
            continue
        reader = Reader(entry)
        _take(rows, reader)
        # A line that can be read has no offset of its own: its number says as much.
        rows.warnings += [(-1 - entry.seq, problem) for problem in reader.problems]
    return rows


def _take(rows: Rows, reader: Reader) -> None:
    line = reader.line
    head = [rows.run, rows.attempt, line.seq, line.t]
    rows.facts.setdefault("started", line.t)
    match line.kind:
        case "step":
            if (values := step_row(reader)) is not None:
                rows.steps.append([*head, *values])
                rows.facts["step"] = values[0]
        case "epoch":
            if (values := epoch_row(reader)) is not None:
                rows.epochs.append([rows.run, values[0], rows.attempt, *head[2:], *values[1:]])
                rows.facts["epoch"] = values[0]
                if values[1] is not None:
                    rows.facts["step"] = values[1]
        case "telemetry":
            rows.telemetry.append([*head, *telemetry_row(reader)])
        case "start":
            rows.facts |= start_facts(reader)
        case "end":
            rows.facts |= end_facts(reader) or {}
            if rows.facts.get("status") == "done":
                rows.results = end_results(reader)
        case "warning" | "checkpoint" | "heartbeat":
            pass
        case _:
            reader.problems.append(f"lines of kind {line.kind[:40]!r} are unknown here")
    if line.kind in EVENTS and (text := reader.event()) is not None:
        rows.events.append([*head, line.kind, text])


def _insert(connection: StoreConnection, rows: Rows, offset: int) -> None:
    connection.executemany(_INSERT_STEP, rows.steps)
    connection.executemany(_INSERT_TELEMETRY, rows.telemetry)
    connection.executemany(_INSERT_EVENT, rows.events)
    connection.executemany(_INSERT_EPOCH, rows.epochs)
    mark_device(connection, rows.run, rows.telemetry)
    _warn(connection, rows)
    facts = {**rows.facts, "offset": offset, "last_growth": time.time()}
    _set_attempt(connection, rows.run, rows.attempt, facts)
    if "resumed_epoch" in rows.facts:
        mark_data(connection, rows.run)


def _warn(connection: StoreConnection, rows: Rows) -> None:
    if not rows.warnings:
        return
    count = connection.rows("SELECT count(*) FROM warnings WHERE run = ?", (rows.run,))[0][0]
    connection.executemany(
        "INSERT OR IGNORE INTO warnings (run, attempt, offset, problem) VALUES (?, ?, ?, ?)",
        [
            (rows.run, rows.attempt, where, problem)
            for where, problem in rows.warnings[: max(0, MAX_WARNINGS - count)]
        ],
    )


def _set_attempt(
    connection: StoreConnection, run: str, attempt: int, facts: Mapping[str, Any]
) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO attempts (run, attempt, status) VALUES (?, ?, 'running')",
        (run, attempt),
    )
    given = {"started": None, "status": None, **facts}
    others = ", ".join(f"{name} = :{name}" for name in facts.keys() - {"started", "status"})
    connection.execute(
        f"UPDATE attempts SET {others}, started = coalesce(started, :started),"  # noqa: S608
        " status = coalesce(:status, CASE status WHEN 'starting' THEN 'running' ELSE status END)"
        " WHERE run = :run AND attempt = :attempt",
        {**given, "run": run, "attempt": attempt},
    )


def _insert_sql(table: str, columns: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608


_HEAD = ("run", "attempt", "seq", "t")
_INSERT_STEP = _insert_sql("steps", (*_HEAD, "step", "epoch", "loss", "grad_norm", "lr"))
_INSERT_TELEMETRY = _insert_sql("telemetry", (*_HEAD, *TELEMETRY_MEASURES))
_INSERT_EVENT = _insert_sql("events", (*_HEAD, "kind", "fields"))

_EPOCH_VALUES = ("attempt", "seq", "t", *EPOCH_INTEGERS, *EPOCH_MEASURES, "settings")
_INSERT_EPOCH = (
    f"INSERT INTO epochs (run, epoch, {', '.join(_EPOCH_VALUES)})"  # noqa: S608
    f" VALUES (?, ?, {', '.join('?' * len(_EPOCH_VALUES))})"
    " ON CONFLICT (run, epoch) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _EPOCH_VALUES)
    + " WHERE (excluded.attempt, excluded.seq) > (epochs.attempt, epochs.seq)"
)

# What an attempt did after the checkpoint that a later one went on from isn't part of the run: the
# later one does it again, and on another machine may stop earlier.
_DROP_SUPERSEDED = """
DELETE FROM epochs WHERE run = :run AND EXISTS (
    SELECT 1 FROM attempts later WHERE later.run = :run
    AND later.attempt > epochs.attempt AND later.resumed_epoch < epochs.epoch)
"""


_MEDIAN = """(
SELECT avg(value) FROM (
    SELECT {measure} AS value, row_number() OVER (ORDER BY {measure}) AS place,
        count(*) OVER () AS known
    FROM {epochs} AND {measure} IS NOT NULL)
WHERE place IN ((known + 1) / 2, (known + 2) / 2))
"""


def _summarise_sql() -> str:
    """Write SQL for a run's row of ``summaries`` from all its epochs, the best and the last."""
    kinds = {
        "best": "best.{0}",
        "max": "max(e.{0})",
        "min": "min(e.{0})",
        "mean": "avg(e.{0})",
        "last": "last.{0}",
        "median": _MEDIAN.format(measure="{0}", epochs="epochs WHERE run = :run"),
    }
    totals = ("best_epoch", "epochs_trained", "total_seconds", *RUN_ENERGY, "joules_of")
    columns = (*totals, *SUMMARY_MEASURES)
    values = []
    for column in SUMMARY_MEASURES:
        measure, _, how = column.rpartition("_")
        values.append(kinds[how].format(measure))
    return (
        f"INSERT INTO summaries (run, {', '.join(columns)})"  # noqa: S608
        " WITH refit AS (SELECT refits IS NOT NULL AS is_one FROM runs WHERE id = :run),"
        " last AS (SELECT * FROM epochs WHERE run = :run ORDER BY epoch DESC LIMIT 1),"
        " best AS (SELECT * FROM (SELECT e.* FROM epochs e JOIN refit WHERE run = :run"
        f" AND NOT is_one AND {SELECTION} IS NOT NULL ORDER BY {SELECTION} DESC, epoch LIMIT 1)"
        " UNION ALL SELECT last.* FROM last JOIN refit WHERE is_one),"
        f" parts AS MATERIALIZED (SELECT {JOULES_OF} AS joules_of FROM epochs WHERE run = :run),"
        f" energy AS MATERIALIZED (SELECT epoch, {joules('parts.joules_of', 'e')} AS joules"
        " FROM epochs e JOIN parts WHERE e.run = :run)"
        " SELECT :run, best.epoch, count(*),"
        " sum(coalesce(e.train_seconds, 0) + coalesce(e.eval_seconds, 0)),"
        f" {_MEDIAN.format(measure='joules', epochs='energy WHERE true')},"
        " (SELECT sum(joules) FROM energy WHERE epoch <= best.epoch),"
        " (SELECT sum(joules) FROM energy), (SELECT joules_of FROM parts),"
        f" {', '.join(values)} FROM epochs e LEFT JOIN best LEFT JOIN last WHERE e.run = :run"
        " ON CONFLICT (run) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in columns)
    )


_SUMMARISE = _summarise_sql()

# An attempt that failed before it trained tells nothing of this.
_REFRESH_FACTS = f"""
WITH newest AS (
    SELECT * FROM attempts WHERE run = :run AND started IS NOT NULL
    ORDER BY resumed_epoch IS NULL, attempt DESC LIMIT 1
), reached AS (
    SELECT epochs.step FROM epochs JOIN newest
    WHERE epochs.run = :run AND epochs.epoch = coalesce(newest.epoch, newest.resumed_epoch)
)
UPDATE runs SET
    started = (SELECT min(started) FROM attempts WHERE run = :run),
    device = (SELECT device FROM newest),
    epoch = (SELECT coalesce(epoch, resumed_epoch) FROM newest),
    step = (SELECT coalesce(newest.step, reached.step) FROM newest LEFT JOIN reached),
    epoch_step = (SELECT coalesce(reached.step, 0) FROM newest LEFT JOIN reached),
    steps_per_epoch = (SELECT steps_per_epoch FROM newest),
    epochs = coalesce(epochs, (SELECT epochs FROM newest)),
    parameters = coalesce((SELECT parameters FROM newest), parameters),
    ({", ".join(SPEEDS)}) = (SELECT {", ".join(SPEEDS)} FROM newest),
    checksum = (SELECT checksum FROM attempts WHERE run = :run AND checksum IS NOT NULL
        ORDER BY attempt DESC LIMIT 1),
    (best_epoch, best_valid_ndcg, best_test_ndcg) = (
        SELECT best_epoch, valid_ndcg_best, test_ndcg_best FROM summaries WHERE run = :run),
    epoch_seconds = (SELECT avg(seconds) FROM (
        SELECT train_seconds + coalesce(eval_seconds, 0) AS seconds FROM epochs
        WHERE run = :run ORDER BY epoch DESC LIMIT :recent))
WHERE id = :run AND EXISTS (SELECT 1 FROM newest)
"""  # noqa: S608

_REFRESH_STATE = f"""
UPDATE runs SET (state, finished, cause, message) = (
    SELECT status, ended, cause, message FROM attempts
    WHERE attempts.run = runs.id AND attempts.attempt = runs.attempt)
WHERE id = :run AND EXISTS (
    SELECT 1 FROM attempts WHERE attempts.run = runs.id AND attempts.attempt = runs.attempt
    AND status IN {states_sql(ENDED)})
"""  # noqa: S608

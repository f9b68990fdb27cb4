"""What happened in one run, in order: epochs, steps, telemetry, events, attempts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from engine.metrics import EPOCH_MEASURES
from engine.store.database import fetch


def epochs(con: sqlite3.Connection, run_id: str) -> list[dict[str, Any]]:
    """Every column of the table ``epochs``, by epoch."""
    return _dicts(con, "SELECT * FROM epochs WHERE run = ? ORDER BY epoch", (run_id,))


def steps(
    con: sqlite3.Connection, run_id: str, after_seq: tuple[int, int] = (-1, -1)
) -> list[sqlite3.Row]:
    """``attempt, seq, t, step, epoch, loss, grad_norm, lr`` after ``(attempt, seq)``, in order.

    What a later attempt did again is left out of the earlier ones, so that each step stands once.
    A reader that goes on from an earlier attempt's row therefore starts from the beginning when a
    row of a newer attempt comes.
    """
    return fetch(
        con,
        """WITH shown AS (
            SELECT attempt, (
                SELECT min(later.resumed_epoch) FROM attempts later
                WHERE later.run = a.run AND later.attempt > a.attempt
            ) AS last_epoch FROM attempts a WHERE a.run = :run
        )
        SELECT s.attempt, s.seq, s.t, s.step, s.epoch, s.loss, s.grad_norm, s.lr
        FROM steps s JOIN shown ON shown.attempt = s.attempt
        WHERE s.run = :run AND (s.attempt, s.seq) > (:attempt, :seq)
            AND (shown.last_epoch IS NULL OR s.epoch <= shown.last_epoch)
        ORDER BY s.attempt, s.seq""",
        {"run": run_id, "attempt": after_seq[0], "seq": after_seq[1]},
    )


def attempt_spans(con: sqlite3.Connection, run_id: str) -> list[tuple[int, float, float]]:
    """Attempt, and wall time of its first and of its newest journal line, for those that wrote
    one, in order."""
    newest = ", ".join(
        f"coalesce((SELECT t FROM {table} s WHERE s.run = a.run AND s.attempt = a.attempt"  # noqa: S608
        " ORDER BY s.seq DESC LIMIT 1), a.started)"
        for table in ("steps", "telemetry", "events")
    )
    rows = fetch(
        con,
        f"SELECT attempt, started, max({newest}) FROM attempts a"  # noqa: S608
        " WHERE run = ? AND started IS NOT NULL ORDER BY attempt",
        (run_id,),
    )
    return [(row[0], row[1], row[2]) for row in rows]


def epoch_figures(
    con: sqlite3.Connection,
    run_id: str,
    measures: Sequence[str],
    after: int = 0,
    last: int | None = None,
) -> list[sqlite3.Row]:
    """``epoch, attempt, t, step, train_seconds, eval_seconds`` and these measures of each epoch
    after one, up to ``last`` if given, in order."""
    known = [measure for measure in measures if measure in EPOCH_MEASURES]
    columns = ", ".join(("epoch, attempt, t, step, train_seconds, eval_seconds", *known))
    sql = (
        f"SELECT {columns} FROM epochs"  # noqa: S608
        " WHERE run = ? AND epoch > ? AND epoch <= coalesce(?, epoch) ORDER BY epoch"
    )
    return fetch(con, sql, (run_id, after, last))


def telemetry(con: sqlite3.Connection, run_id: str, since: float = 0) -> list[dict[str, Any]]:
    """Every column of the table ``telemetry`` from after time ``since`` on, in order of time."""
    sql = "SELECT * FROM telemetry WHERE run = ? AND t > ? ORDER BY t, attempt, seq"
    return _dicts(con, sql, (run_id, since))


def newest_telemetry(con: sqlite3.Connection, run_id: str) -> dict[str, Any]:
    """The last row of the table ``telemetry``; empty where there is none."""
    sql = "SELECT * FROM telemetry WHERE run = ? ORDER BY t DESC LIMIT 1"
    return next(iter(_dicts(con, sql, (run_id,))), {})


def thinned_telemetry(
    con: sqlite3.Connection, run_id: str, at_most: int
) -> tuple[list[dict[str, Any]], int]:
    """Every column of the table ``telemetry``, of every n-th sample and the newest, in order; and
    that n: 1 unless there are more than ``at_most``."""
    rows = fetch(con, "SELECT count(*) FROM telemetry WHERE run = ?", (run_id,))
    stride = max(1, -(-rows[0][0] // at_most))
    sql = """SELECT * FROM (
            SELECT *, row_number() OVER (ORDER BY attempt DESC, seq DESC) AS back
            FROM telemetry WHERE run = ?
        ) WHERE (back - 1) % ? = 0 ORDER BY attempt, seq"""
    return _dicts(con, sql, (run_id, stride)), stride


def events(con: sqlite3.Connection, run_id: str) -> list[dict[str, Any]]:
    """Starts, warnings, checkpoints and ends: ``attempt``, ``seq``, ``t``, ``kind`` and the
    journal line's own fields, in order."""
    rows = fetch(
        con,
        "SELECT attempt, seq, t, kind, fields FROM events WHERE run = ? ORDER BY attempt, seq",
        (run_id,),
    )
    return [
        {**json.loads(fields), "attempt": attempt, "seq": seq, "t": t, "kind": kind}
        for attempt, seq, t, kind, fields in rows
    ]


def attempts(con: sqlite3.Connection, run_id: str) -> list[dict[str, Any]]:
    """Every column of the table ``attempts``, by attempt."""
    return _dicts(con, "SELECT * FROM attempts WHERE run = ? ORDER BY attempt", (run_id,))


def _dicts(con: sqlite3.Connection, sql: str, parameters: object) -> list[dict[str, Any]]:
    return [dict(row) for row in fetch(con, sql, parameters)]

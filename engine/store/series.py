"""Series of one run, in order: epochs, steps, telemetry, events, attempts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from engine.metrics import EPOCH_MEASURES
from engine.store.database import fetch, json_object

DEVICE_MEANS = ("gpu_utilization", "gpu_power_w", "cpu_percent", "process_cpu_percent")
DEVICE_PEAKS = (
    "gpu_memory_mib",
    "process_gpu_memory_mib",
    "memory_used_mib",
    "process_memory_mib",
)
"""Columns of telemetry that are charted: those of which several samples are told by their mean, and
those by their maximum."""


def epochs(con: sqlite3.Connection, run_id: str) -> list[dict[str, Any]]:
    """Read all columns of the table ``epochs``, by epoch; ``settings`` as a mapping, or ``None``
    of a model that isn't fitted."""
    rows = _dicts(con, "SELECT * FROM epochs WHERE run = ? ORDER BY epoch", (run_id,))
    for row in rows:
        row["settings"] = json_object(row["settings"]) if row["settings"] is not None else None
    return rows


def steps(
    con: sqlite3.Connection, run_id: str, after_seq: tuple[int, int] = (-1, -1)
) -> list[sqlite3.Row]:
    """Read ``(attempt, seq, t, step, epoch, loss, grad_norm, lr)`` after ``(attempt, seq)``.

    Steps that a later attempt repeated are left out of the earlier one, so that each appears once.
    A caller that reads on from a row must therefore start over once a newer attempt has a row.
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
    """Read ``(attempt, first, newest)``: wall times (seconds since 1970) of the first and the
    newest journal line of each attempt that has any."""
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
    """Read ``(epoch, attempt, t, step, train_seconds, eval_seconds, *measures)`` of each epoch
    after ``after``, up to ``last`` if given."""
    known = [measure for measure in measures if measure in EPOCH_MEASURES]
    columns = ", ".join(("epoch, attempt, t, step, train_seconds, eval_seconds", *known))
    sql = (
        f"SELECT {columns} FROM epochs"  # noqa: S608
        " WHERE run = ? AND epoch > ? AND epoch <= coalesce(?, epoch) ORDER BY epoch"
    )
    return fetch(con, sql, (run_id, after, last))


def starts(con: sqlite3.Connection, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read what the newest attempt of each run recorded at its start, by run id."""
    rows = fetch(
        con,
        "SELECT run, fields FROM events WHERE kind = 'start'"
        " AND run IN (SELECT value FROM json_each(?)) ORDER BY run, attempt, seq",
        (json.dumps(list(run_ids)),),
    )
    return {run: json.loads(fields) for run, fields in rows}


def device_samples(
    con: sqlite3.Connection, run_id: str, after_seq: tuple[int, int], at_most: int
) -> list[sqlite3.Row]:
    """Read the samples of telemetry after ``(attempt, seq)`` for charts, without those of work that
    a later attempt did again.

    Where there are more than ``at_most`` of a GPU, neighbours are taken together: the mean of
    `DEVICE_MEANS`, the maximum of `DEVICE_PEAKS`.

    Returns:
        ``attempt, seq, t, gpu`` (0 is the first GPU, with the host), then the measures.
    """
    wanted = {"run": run_id, "attempt": after_seq[0], "seq": after_seq[1]}
    new = "s.run = :run AND (s.attempt, s.seq) > (:attempt, :seq)"
    spans = fetch(
        con,
        "SELECT count(*), max(s.t) - min(s.t) FROM telemetry s"  # noqa: S608
        f" WHERE {new} AND gpu IS NULL GROUP BY s.attempt",
        wanted,
    )
    seconds = sum(span[1] for span in spans) / at_most
    measures = [f"avg(s.{name}) AS {name}" for name in DEVICE_MEANS]
    measures += [f"max(s.{name}) AS {name}" for name in DEVICE_PEAKS]
    return fetch(
        con,
        f"""WITH ends AS (
            SELECT attempt, (
                SELECT min(later.resumed_epoch) FROM attempts later
                WHERE later.run = a.run AND later.attempt > a.attempt
            ) AS last_epoch FROM attempts a WHERE a.run = :run
        )
        SELECT s.attempt, max(s.seq) AS seq, avg(s.t) AS t, coalesce(s.gpu, 0) AS gpu,
            {", ".join(measures)}
        FROM telemetry s JOIN ends ON ends.attempt = s.attempt
        WHERE {new} AND (last_epoch IS NULL
            OR s.t <= (SELECT t FROM epochs WHERE run = :run AND epoch = last_epoch))
        GROUP BY s.attempt, s.gpu,
            CASE WHEN :seconds > 0 THEN CAST(s.t / :seconds AS INTEGER) ELSE s.seq END
        ORDER BY s.attempt, seq""",  # noqa: S608
        {**wanted, "seconds": seconds if sum(span[0] for span in spans) > at_most else 0.0},
    )


def mean_utilization(con: sqlite3.Connection, run_id: str) -> list[float]:
    """Read the mean utilization of each of the run's GPUs over its samples, in per cent; none of a
    run without one."""
    rows = fetch(
        con,
        "SELECT avg(gpu_utilization) AS mean FROM telemetry WHERE run = ?"
        " GROUP BY coalesce(gpu, 0) HAVING mean IS NOT NULL ORDER BY coalesce(gpu, 0)",
        (run_id,),
    )
    return [row["mean"] for row in rows]


def telemetry(con: sqlite3.Connection, run_id: str, since: float = 0) -> list[dict[str, Any]]:
    """Read all columns of the table ``telemetry`` after the time ``since``, in order of time."""
    sql = "SELECT * FROM telemetry WHERE run = ? AND t > ? ORDER BY t, attempt, seq"
    return _dicts(con, sql, (run_id, since))


def newest_telemetry(con: sqlite3.Connection, run_id: str) -> dict[str, Any]:
    """Read the newest row of the table ``telemetry`` of host and first GPU; empty without one."""
    sql = "SELECT * FROM telemetry WHERE run = ? AND gpu IS NULL ORDER BY t DESC LIMIT 1"
    return next(iter(_dicts(con, sql, (run_id,))), {})


def thinned_telemetry(
    con: sqlite3.Connection, run_id: str, at_most: int
) -> tuple[list[dict[str, Any]], int]:
    """Read every n-th sample of the host and the first GPU, the newest among them, with all columns
    of telemetry, and return n.

    n is 1 unless there are more than ``at_most`` samples.
    """
    rows = fetch(con, "SELECT count(*) FROM telemetry WHERE run = ? AND gpu IS NULL", (run_id,))
    stride = max(1, -(-rows[0][0] // at_most))
    sql = """SELECT * FROM (
            SELECT *, row_number() OVER (ORDER BY attempt DESC, seq DESC) AS back
            FROM telemetry WHERE run = ? AND gpu IS NULL
        ) WHERE (back - 1) % ? = 0 ORDER BY attempt, seq"""
    return _dicts(con, sql, (run_id, stride)), stride


def events(con: sqlite3.Connection, run_id: str) -> list[dict[str, Any]]:
    """Read starts, warnings, checkpoints and ends: ``attempt``, ``seq``, ``t``, ``kind`` and the
    journal line's own fields."""
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
    """Read all columns of the table ``attempts``, by attempt."""
    return _dicts(con, "SELECT * FROM attempts WHERE run = ? ORDER BY attempt", (run_id,))


def _dicts(con: sqlite3.Connection, sql: str, parameters: object) -> list[dict[str, Any]]:
    return [dict(row) for row in fetch(con, sql, parameters)]

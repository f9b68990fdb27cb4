"""The comparison: any columns of all runs, sorted, filtered and cut by SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from engine.errors import UsageError, did_you_mean
from engine.store.database import fetch
from engine.store.schema import SUMMARY_MEASURES

_RUN_COLUMNS = (
    "id",
    "model",
    "dataset",
    "length",
    "seed",
    "profile",
    "suite",
    "state",
    "created",
    "started",
    "finished",
    "attempt",
    "device",
    "epoch",
    "epochs",
    "parameters",
    "fingerprint",
    "cause",
    "message",
    "note",
)
_SUMMARY_COLUMNS = ("best_epoch", "epochs_trained", "total_seconds", *SUMMARY_MEASURES)
_SQL = {name: f"r.{name}" for name in _RUN_COLUMNS} | {
    name: f"s.{name}" for name in _SUMMARY_COLUMNS
}
_SEARCHED = ("id", "model", "dataset", "length", "state", "profile", "suite", "note")
_WHOLE = frozenset({"length", "seed", "attempt", "epoch", "epochs", "parameters"})
"""Columns that ``key:value`` compares as a whole: ``length:5`` isn't ``length:50``."""


def comparison_columns() -> list[str]:
    """Columns that `comparison` can give and sort by: those of a run, then its summary's,
    ``{measure}_{aggregate}``."""
    return list(_SQL)


def comparison(
    con: sqlite3.Connection,
    columns: Sequence[str],
    sort: str,
    descending: bool,
    filter: str = "",  # noqa: A002
    limit: int = 200,
    offset: int = 0,
) -> list[tuple[Any, ...]]:
    """``columns`` of the runs that match, ``limit`` of them from ``offset`` on.

    Runs without a value in ``sort`` come last in both directions; equals go by id, in the
    same direction.

    Args:
        filter: words, each of which must occur in a run's id, model, dataset, length, state,
            profile, suite or note; ``key:value`` looks into that column only.

    Raises:
        UsageError: an unknown column.
    """
    for name in (*columns, sort):
        if name not in _SQL:
            raise UsageError(f"There is no column {name!r}: {did_you_mean(name, _SQL)}")
    where, parameters = _where(filter)
    column, direction = _SQL[sort], "DESC" if descending else "ASC"
    # The page's ids first, from narrow indexes; then the wide rows of these alone.
    if column.startswith("s."):
        matching = f" WHERE +s.run IN (SELECT r.id FROM runs r{where})" if where else ""  # noqa: S608
        page = f"SELECT s.run AS id FROM summaries s{matching}"  # noqa: S608
        order = f"{column} {direction} NULLS LAST, s.run {direction}"
    else:
        page = f"SELECT r.id AS id FROM runs r{where}"  # noqa: S608
        order = f"{column} {direction} NULLS LAST, r.id {direction}"
    chosen = ", ".join(_SQL[name] for name in columns) or "NULL"
    sql = (
        f"WITH page AS MATERIALIZED ({page} ORDER BY {order} LIMIT ? OFFSET ?)"  # noqa: S608
        f" SELECT {chosen} FROM page CROSS JOIN runs r ON r.id = page.id"
        f" CROSS JOIN summaries s ON s.run = page.id ORDER BY {order}"
    )
    return [tuple(row) for row in fetch(con, sql, (*parameters, limit, offset))]


def comparison_count(con: sqlite3.Connection, filter: str = "") -> int:  # noqa: A002
    """How many runs match (see `comparison`)."""
    where, parameters = _where(filter)
    return int(fetch(con, f"SELECT count(*) FROM runs r{where}", parameters)[0][0])  # noqa: S608


def _where(text: str) -> tuple[str, list[object]]:
    conditions: list[str] = []
    parameters: list[object] = []
    for word in text.lower().split():
        key, colon, value = word.partition(":")
        if colon and key in _RUN_COLUMNS:
            if not value:
                continue
            same = key in _WHOLE
            test = "CAST({} AS TEXT) = ?" if same else "instr(lower({}), ?) > 0"
            conditions.append(test.format(_SQL[key]))
            parameters.append(value)
        else:
            # The separator can't be typed, so that no word matches across columns.
            searched = " || char(31) || ".join(f"ifnull({_SQL[name]}, '')" for name in _SEARCHED)
            conditions.append(f"instr(lower({searched}), ?) > 0")
            parameters.append(word)
    return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), parameters

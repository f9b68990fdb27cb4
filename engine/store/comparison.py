"""The comparison: any columns of all runs, sorted, filtered and cut by SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from engine.errors import UsageError, did_you_mean
from engine.store.database import fetch
from engine.store.filter_sql import conditions
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
    "tags",
)
_SUMMARY_COLUMNS = ("best_epoch", "epochs_trained", "total_seconds", *SUMMARY_MEASURES)
SQL = {name: f"r.{name}" for name in _RUN_COLUMNS} | {
    name: f"s.{name}" for name in _SUMMARY_COLUMNS
}


def comparison_columns() -> list[str]:
    """Columns that `comparison` can give and sort by: those of a run, then its summary's,
    ``{measure}_{aggregate}``."""
    return list(SQL)


def comparison(
    con: sqlite3.Connection,
    columns: Sequence[str],
    sort: str,
    descending: bool,
    filter: str = "",  # noqa: A002
    limit: int = 200,
    offset: int = 0,
    *,
    aggregate: str = "best",
    without: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """``columns`` of the runs that match, ``limit`` of them from ``offset`` on.

    Runs without a value in ``sort`` come last in both directions; equals go by id, in the
    same direction.

    Args:
        filter: what a run must have, in the language of docs/queries.md.
        aggregate: which figure of a run's epochs the filter's ``ndcg`` and such stand for.
        without: ids of runs that are left out.

    Raises:
        UsageError: an unknown column, or a filter that means nothing (`FilterError`).
    """
    check_columns([*columns, sort])
    column, direction = SQL[sort], "DESC" if descending else "ASC"
    # The page's ids first, from narrow indexes; then the wide rows of these alone.
    by_figure = column.startswith("s.")
    source, key = ("summaries s", "s.run") if by_figure else ("runs r", "r.id")
    where, parameters = _where(filter, aggregate, without, by_figure)
    order = f"{column} {direction} NULLS LAST, {key} {direction}"
    chosen = ", ".join(SQL[name] for name in columns) or "NULL"
    sql = (
        "WITH page AS MATERIALIZED ("  # noqa: S608
        f"SELECT {key} AS id FROM {source} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?)"
        f" SELECT {chosen} FROM page CROSS JOIN runs r ON r.id = page.id"
        f" CROSS JOIN summaries s ON s.run = page.id ORDER BY {order}"
    )
    return [tuple(row) for row in fetch(con, sql, (*parameters, limit, offset))]


def runs_by_id(
    con: sqlite3.Connection, columns: Sequence[str], ids: Sequence[str]
) -> list[tuple[Any, ...]]:
    """``columns`` of some runs, in no order. Raises `UsageError` for an unknown column."""
    check_columns(columns)
    chosen = ", ".join(SQL[name] for name in columns)
    sql = (
        f"SELECT {chosen} FROM json_each(?) wanted"  # noqa: S608
        " CROSS JOIN runs r ON r.id = wanted.value CROSS JOIN summaries s ON s.run = r.id"
    )
    return [tuple(row) for row in fetch(con, sql, (json.dumps(list(ids)),))]


def comparison_count(
    con: sqlite3.Connection,
    filter: str = "",  # noqa: A002
    *,
    aggregate: str = "best",
    without: Sequence[str] = (),
) -> int:
    """How many runs match (see `comparison`)."""
    where, parameters = _where(filter, aggregate, without, by_figure=False)
    return int(fetch(con, f"SELECT count(*) FROM runs r WHERE {where}", parameters)[0][0])  # noqa: S608


def matching(
    filter: str,  # noqa: A002
    aggregate: str = "best",
    without: Sequence[str] = (),
) -> tuple[str, list[object]]:
    """A condition on ``runs r``, and its parameters, for queries of other modules."""
    return _where(filter, aggregate, without, by_figure=False)


def check_columns(names: Sequence[str]) -> None:
    """Raises `UsageError` for one that `comparison_columns` hasn't."""
    for name in names:
        if name not in SQL:
            raise UsageError(f"There is no column {name!r}: {did_you_mean(name, SQL)}")


def _where(
    text: str, aggregate: str, without: Sequence[str], by_figure: bool
) -> tuple[str, list[object]]:
    """Conditions for a scan of ``summaries s`` (``by_figure``) or ``runs r``.

    What concerns the other table is asked of that once, and gives a set of ids.
    """
    own, key = ("s", "s.run") if by_figure else ("r", "r.id")
    asked: list[str] = []
    parameters: list[object] = []
    for group in conditions(text, aggregate):
        sides: dict[str, list[str]] = {}
        for part in sorted(group, key=lambda part: part.table != own):
            sides.setdefault(part.table, []).append(part.sql)
            parameters += part.parameters
        alternatives = [
            " OR ".join(tests) if table == own else _set_of_ids(key, table, " OR ".join(tests))
            for table, tests in sides.items()
        ]
        asked.append(f"({' OR '.join(alternatives)})")
    if without:
        asked.append(f"{key} NOT IN (SELECT value FROM json_each(?))")  # noqa: S608
        parameters.append(json.dumps(list(without)))
    return " AND ".join(asked) or "1", parameters


def _set_of_ids(key: str, table: str, test: str) -> str:
    source = "SELECT s.run FROM summaries s" if table == "s" else "SELECT r.id FROM runs r"
    # The plus keeps SQLite from walking the set where it should walk what is sorted.
    return f"+{key} IN ({source} WHERE {test})"

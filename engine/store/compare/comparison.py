"""The comparison: any columns of all runs, sorted, filtered and cut by SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from engine.errors import UsageError, did_you_mean
from engine.metrics import SPEEDS
from engine.store.compare.filter_sql import conditions
from engine.store.database import fetch
from engine.store.schema import SUMMARY_MEASURES

_RUN_COLUMNS = (
    "id", "model", "dataset", "length", "seed", "profile", "suite", "state", "created",
    "started", "finished", "attempt", "device", "epoch", "epochs", "parameters", *SPEEDS,
    "fingerprint", "cause", "message", "note", "tags", "origin", "marks",
)  # fmt: skip
SUMMARY_COLUMNS = ("best_epoch", "epochs_trained", "total_seconds", *SUMMARY_MEASURES)
SQL = {name: f"r.{name}" for name in _RUN_COLUMNS} | {name: f"s.{name}" for name in SUMMARY_COLUMNS}


def comparison_columns() -> list[str]:
    """List the columns that `comparison` can give and sort by: a run's, then its summary's
    (``{measure}_{aggregate}``)."""
    return list(SQL)


def columns_sql(names: Sequence[str]) -> str:
    """Write SQL for columns, from ``runs r`` and ``summaries s``. Raises `UsageError` for an
    unknown one."""
    check_columns(names)
    return ", ".join(SQL[name] for name in names) or "NULL"


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
    """Read ``columns`` of the runs that match, ``limit`` of them from ``offset`` on.

    Runs without a value in ``sort`` come last in both directions; equals go by id, in the
    same direction.

    Args:
        filter: what a run must have, in the language of docs/queries.md.
        aggregate: how a run's epochs become one figure, for ``ndcg`` and the like in the filter.
        without: ids of runs to leave out.

    Raises:
        UsageError: an unknown column, or a filter that means nothing (`FilterError`).
    """
    check_columns([sort])
    column, direction = SQL[sort], "DESC" if descending else "ASC"
    # The page's ids first, from narrow indexes; then the wide rows of these alone.
    page, order, parameters = ordered_ids(column, direction, filter, aggregate, without)
    if limit < 0 and not offset:
        return _all_of(con, columns, [row[0] for row in fetch(con, page, parameters)])
    sql = (
        "WITH page AS MATERIALIZED ("  # noqa: S608
        f"{page} LIMIT ? OFFSET ?)"
        f" SELECT {columns_sql(columns)} FROM page CROSS JOIN runs r ON r.id = page.id"
        f" CROSS JOIN summaries s ON s.run = page.id ORDER BY {order}"
    )
    return [tuple(row) for row in fetch(con, sql, (*parameters, limit, offset))]


def _all_of(
    con: sqlite3.Connection, columns: Sequence[str], ids: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Read ``columns`` of the runs in the order of their ``ids``.

    They are looked up in the order of the tables: in another one, each of very many wide rows would
    be read from the file by itself, which takes three times as long.
    """
    found = {row[-1]: row[:-1] for row in runs_by_id(con, [*columns, "id"], sorted(ids))}
    return [found[run] for run in ids if run in found]


def runs_by_id(
    con: sqlite3.Connection, columns: Sequence[str], ids: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Read ``columns`` of runs by their ids, in any order. Raises `UsageError`."""
    sql = (
        f"SELECT {columns_sql(columns)} FROM json_each(?) wanted"  # noqa: S608
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
    """Count the runs that match (see `comparison`)."""
    columns = {part.column for group in conditions(filter, aggregate) for part in group}
    places = {place_of(column) for column in columns}
    walked = columns.pop() if len(places) == 1 else "r"
    where, parameters, _ = _where(filter, aggregate, without, walked)
    source = "runs r" if place_of(walked) == "r" else f"summaries s{_indexed(walked)}"
    return int(fetch(con, f"SELECT count(*) FROM {source} WHERE {where}", parameters)[0][0])  # noqa: S608


def matching(
    filter: str,  # noqa: A002
    aggregate: str = "best",
    without: Sequence[str] = (),
) -> tuple[str, list[object]]:
    """Return SQL for a condition on ``runs r``, and its parameters."""
    return _where(filter, aggregate, without, "r")[:2]


def check_columns(names: Sequence[str]) -> None:
    """Raise `UsageError` for a name that isn't one of `comparison_columns`."""
    for name in names:
        if name not in SQL:
            raise UsageError(f"There is no column {name!r}: {did_you_mean(name, SQL)}")


def ordered_ids(
    column: str, direction: str, filter_: str, aggregate: str, without: Sequence[str]
) -> tuple[str, str, list[object]]:
    """Return a query for the ids of all runs that match, its ``ORDER BY``, and its parameters."""
    where, parameters, others = _where(filter_, aggregate, without, column)
    if column.startswith("s."):
        # With another figure to test, the index that has both; else the sorted one's own.
        source, key = f"summaries s{_indexed(column) if others else ''}", "s.run"
    else:
        source, key = "runs r", "r.id"
    order = f"{column} {direction} NULLS LAST, {key} {direction}"
    return f"SELECT {key} AS id FROM {source} WHERE {where} ORDER BY {order}", order, parameters  # noqa: S608


def _where(
    text: str, aggregate: str, without: Sequence[str], walked: str
) -> tuple[str, list[object], bool]:
    """Return conditions for a scan of the table or index that holds the column ``walked``.

    A condition on a column of another table or index becomes a set of ids, made there once.

    Returns:
        SQL, its parameters, and whether a condition is on another column of what is scanned.
    """
    own = place_of(walked)
    key = "r.id" if own == "r" else "s.run"
    here: list[str] = []
    values: list[object] = []
    sets: dict[str, list[str]] = {}
    of_sets: dict[str, list[object]] = {}
    others = False
    for group in conditions(text, aggregate):
        places = {place_of(part.column) for part in group}
        if len(places) == 1 and (place := places.pop()) != own:
            sets.setdefault(place, []).append(_either(part.sql for part in group))
            of_sets.setdefault(place, []).extend(v for part in group for v in part.parameters)
            continue
        here.append(
            _either(
                part.sql
                if place_of(part.column) == own
                else _set_of_ids(key, place_of(part.column), part.sql)
                for part in group
            )
        )
        values += [value for part in group for value in part.parameters]
        others |= any(part.column != walked for part in group if place_of(part.column) == own)
    for place, tests in sets.items():
        here.append(_set_of_ids(key, place, " AND ".join(tests)))
        values += of_sets[place]
    if without:
        here.append(f"{key} NOT IN (SELECT value FROM json_each(?))")  # noqa: S608
        values.append(json.dumps(list(without)))
    return " AND ".join(here) or "1", values, others


def place_of(column: str) -> str:
    """Return where a column is read: ``r``, the table of runs, or an index on ``summaries``.

    There is an index for each aggregate, which holds it of every measure: a fraction of the
    table's size, in the order of the runs' ids.
    """
    if column.startswith("r"):
        return "r"
    name = column.removeprefix("s.")
    return f"summaries_{name.rpartition('_')[2] if name in SUMMARY_MEASURES else 'totals'}"


def _indexed(column: str) -> str:
    return f" INDEXED BY {place_of(column)}"


def _either(tests: Iterable[str]) -> str:
    return f"({' OR '.join(tests)})"


def _set_of_ids(key: str, place: str, test: str) -> str:
    source = "r.id FROM runs r" if place == "r" else f"s.run FROM summaries s INDEXED BY {place}"
    # The plus keeps SQLite from walking the set where it should walk what is sorted.
    return f"+{key} IN (SELECT {source} WHERE {test})"

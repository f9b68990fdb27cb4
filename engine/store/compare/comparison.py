"""The comparison: any columns of all runs, sorted, filtered and cut by SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.errors import UsageError, did_you_mean
from engine.metrics import RESULT_OF, RUN_ENERGY, SPEEDS
from engine.store.compare.computed import COMPUTED
from engine.store.compare.filter_sql import CONFIGURATION, Condition, conditions
from engine.store.database import fetch, fetch_tuples
from engine.store.schema import RESULT_INDEXES, SUMMARY_MEASURES

if TYPE_CHECKING:
    from engine.spec.settings import Setting

_RUN_COLUMNS = (
    "id", "model", "dataset", "length", "seed", "profile", "suite", "state", "created",
    "started", "finished", "attempt", "device", "epoch", "epochs", "parameters", *SPEEDS,
    "fingerprint", "cause", "message", "note", "tags", "origin", "marks", "configuration",
    "refits", "study", "trial", "tuned_trials", "tuned_seconds",
)  # fmt: skip
SUMMARY_COLUMNS = (
    "best_epoch", "epochs_trained", "total_seconds", *RUN_ENERGY, "joules_of",
    *SUMMARY_MEASURES, *RESULT_OF,
)  # fmt: skip
SQL = {
    **{name: f"r.{name}" for name in _RUN_COLUMNS},
    **{name: f"s.{name}" for name in SUMMARY_COLUMNS},
    **COMPUTED,
}


def comparison_columns() -> list[str]:
    """List the columns that `comparison` can give and sort by: a run's, then its summary's
    (``{measure}_{aggregate}``), what is computed when it is read (`COMPUTED`), then its settings
    (`engine.spec.settings.every_setting`)."""
    return [*SQL, *known_settings()]


def column_sql(name: str) -> str:
    """Write SQL for a column, from ``runs r`` and ``summaries s``. Raises `UsageError` for an
    unknown one."""
    if found := SQL.get(name):
        return found
    check_columns([name])
    return (
        f"(SELECT value FROM settings WHERE configuration = {CONFIGURATION}"  # noqa: S608
        f" AND name = '{known_settings()[name].name}')"
    )


def known_settings() -> Mapping[str, Setting]:
    """Return `engine.spec.settings.every_setting`."""
    from engine.spec.settings import every_setting  # pydantic, which figures alone needn't

    return every_setting()


def columns_sql(names: Sequence[str]) -> str:
    """Write SQL for columns, from ``runs r`` and ``summaries s``. Raises `UsageError` for an
    unknown one."""
    return ", ".join(map(column_sql, names)) or "NULL"


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
    direction = "DESC" if descending else "ASC"
    # The page's ids first, from narrow indexes; then the wide rows of these alone.
    most = -1 if limit < 0 else limit + offset
    page, order, parameters = ordered_ids(sort, direction, filter, aggregate, without, most)
    if limit < 0 and not offset:
        return _all_of(con, columns, [row[0] for row in fetch(con, page, parameters)])
    sql = (
        "WITH page AS MATERIALIZED ("  # noqa: S608
        f"{page} LIMIT ? OFFSET ?)"
        f" SELECT {columns_sql(columns)} FROM page CROSS JOIN runs r ON r.id = page.id"
        f" CROSS JOIN summaries s ON s.run = page.id ORDER BY {order}"
    )
    return fetch_tuples(con, sql, (*parameters, limit, offset))


def _all_of(
    con: sqlite3.Connection, columns: Sequence[str], ids: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Read ``columns`` of the runs in the order of their ``ids``.

    They are looked up in the order of the tables: in another one, each of very many wide rows would
    be read from the file by itself, which takes three times as long.
    """
    if "id" not in columns:
        return [row[:-1] for row in _all_of(con, [*columns, "id"], ids)]
    place = columns.index("id")
    found = {row[place]: row for row in runs_by_id(con, columns, sorted(ids))}
    return [found[run] for run in ids if run in found]


def runs_by_id(
    con: sqlite3.Connection, columns: Sequence[str], ids: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Read ``columns`` of runs by their ids, in any order. Raises `UsageError`.

    Summaries are read from the indexes that hold the columns: their rows are several times as wide.
    """
    found = [(place_of(column), column) for column in map(column_sql, columns)]
    read = ", ".join(
        f"{place}.{column.removeprefix('s.')}" if place != "r" else column
        for place, column in found
    )
    indexes = {place for place, _ in found if place != "r"} or {"summaries_totals"}
    summaries = "".join(
        f" CROSS JOIN summaries {index} INDEXED BY {index} ON {index}.run = r.id"
        for index in sorted(indexes)
    )
    sql = (
        f"SELECT {read} FROM json_each(?) wanted"  # noqa: S608
        f" CROSS JOIN runs r ON r.id = wanted.value{summaries}"
    )
    return fetch_tuples(con, sql, (json.dumps(list(ids)),))


def matching_datasets(con: sqlite3.Connection, filter: str, without: Sequence[str]) -> set[str]:  # noqa: A002
    """Return the data sets of the matching runs; fields as in `comparison`.

    Raises:
        UsageError: a filter that means nothing.
    """
    where, parameters = matching(filter, without=without)
    sql = f"SELECT DISTINCT r.dataset FROM runs r WHERE {where}"  # noqa: S608
    return {str(name) for (name,) in map(tuple, fetch(con, sql, parameters))}


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
    walked = min(columns) if len(places) == 1 else "r"
    where, parameters, _ = _where(filter, aggregate, without, walked)
    source = "runs r" if place_of(walked) == "r" else f"summaries s{_indexed(walked)}"
    return int(fetch(con, f"SELECT count(*) FROM {source} WHERE {where}", parameters)[0][0])  # noqa: S608


def matching(
    filter: str,  # noqa: A002
    aggregate: str = "best",
    without: Sequence[str] = (),
    *,
    trials: bool = False,
) -> tuple[str, list[object]]:
    """Return SQL for a condition on ``runs r``, and its parameters.

    Args:
        trials: whether trials of studies match, which else match only a filter that names studies.
    """
    return _where(filter, aggregate, without, "r", trials=trials)[:2]


def check_columns(names: Sequence[str]) -> None:
    """Raise `UsageError` for a name that isn't one of `comparison_columns`."""
    for name in names:
        if name not in SQL and name not in known_settings():
            hint = did_you_mean(name, comparison_columns())
            raise UsageError(f"There is no column {name!r}: {hint}")


def ordered_ids(
    sort: str,
    direction: str,
    filter_: str,
    aggregate: str,
    without: Sequence[str],
    most: int = -1,
) -> tuple[str, str, list[object]]:
    """Return a query for the ids of the runs that match, its ``ORDER BY``, and its parameters.

    Args:
        most: how many ids will be read at most; -1 for all.
    """
    column = column_sql(sort)
    where, parameters, others = _where(filter_, aggregate, without, column)
    if sort not in SQL:
        order = f"{column} {direction} NULLS LAST, r.id {direction}"
        query = _ids_by_setting(known_settings()[sort].name, direction, where, most)
        return query, order, [*parameters, *parameters]
    if column.startswith("s."):
        # With another measure to test, the index that has both; otherwise that of the sorted one.
        source, key = f"summaries s{_indexed(column) if others else ''}", "s.run"
    else:
        source, key = "runs r", "r.id"
    order = f"{column} {direction} NULLS LAST, {key} {direction}"
    return f"SELECT {key} AS id FROM {source} WHERE {where} ORDER BY {order}", order, parameters  # noqa: S608


def _ids_by_setting(name: str, direction: str, where: str, most: int) -> str:
    """Write a query for ids in the order of a setting: its values one after the other, each with
    its runs, and then the runs that have none.

    The runs of a value are sorted when it is its turn, no more than ``most`` of them at a time, and
    those without a value are looked for only if the others don't suffice.
    """
    return (
        "SELECT id FROM (SELECT r.id FROM settings v INDEXED BY settings_value"  # noqa: S608
        " CROSS JOIN runs r INDEXED BY runs_configuration ON r.configuration = v.configuration"
        f" WHERE v.name = '{name}' AND {where}"
        f" ORDER BY v.value {direction}, r.id {direction} LIMIT {most})"
        " UNION ALL SELECT id FROM (SELECT r.id FROM runs r"
        " WHERE (r.configuration IN (SELECT configuration FROM settings"
        f" WHERE name = '{name}')) IS NOT TRUE AND {where}"
        f" ORDER BY r.id {direction} LIMIT {most})"
    )


def _where(
    text: str, aggregate: str, without: Sequence[str], walked: str, *, trials: bool = False
) -> tuple[str, list[object], bool]:
    """Return conditions for a scan of the table or index that holds the column ``walked``.

    A condition on a column of another table or index becomes a set of ids, made there once. Trials
    of studies have nothing of test, and are compared only if the filter names studies.

    Returns:
        SQL, its parameters, and whether a condition is on another column of what is scanned.
    """
    own = place_of(walked)
    here: list[Sequence[Condition]] = []
    sets: dict[str, list[Sequence[Condition]]] = {}
    for group in conditions(text, aggregate):
        places = {place_of(part.column) for part in group}
        if len(places) == 1 and (place := places.pop()) != own:
            sets.setdefault(place, []).append(group)
        else:
            here.append(group)
    key = "r.id" if own == "r" else "s.run"
    tests = [_tests_of(here, own, walked)] if here else []
    tests += [_set_of_ids(key, place, _tests_of(groups, place)) for place, groups in sets.items()]
    scanned = [part for group in here for part in group]
    parts = [*scanned, *(part for groups in sets.values() for group in groups for part in group)]
    values = [value for part in parts for value in part.parameters]
    others = any(part.column != walked and place_of(part.column) == own for part in scanned)
    if not trials and not any(part.column in _OF_STUDIES for part in parts):
        tests.append(f"{key} NOT IN (SELECT id FROM runs WHERE study IS NOT NULL)")  # noqa: S608
    if without:
        tests.append(f"{key} NOT IN (SELECT value FROM json_each(?))")  # noqa: S608
        values.append(json.dumps(list(without)))
    return " AND ".join(tests) or "1", values, others


def _tests_of(
    groups: Sequence[Sequence[Condition]], place: str, walked: str = CONFIGURATION
) -> str:
    """Write SQL for groups of conditions, in a scan of the table or index ``place`` that holds the
    column ``walked``."""
    key = "r.id" if place == "r" else "s.run"
    # The plus keeps SQLite from walking settings where anything else is tested or sorted by.
    columns = {walked, *(part.column for group in groups for part in group)}
    plus = "" if columns == {CONFIGURATION} else "+"

    def test(part: Condition) -> str:
        if part.column == CONFIGURATION and place == "r":
            return part.sql.replace(CONFIGURATION, plus + CONFIGURATION)
        own = place_of(part.column)
        return part.sql if own == place else _set_of_ids(key, own, part.sql)

    return " AND ".join(f"({' OR '.join(map(test, group))})" for group in groups)


def place_of(column: str) -> str:
    """Return where a column is read: ``r``, the table of runs, or an index on ``summaries``.

    There is an index for each aggregate, which holds it of every measure, and for each kind of
    results: a fraction of the table's size, in the order of the runs' ids.
    """
    if not column.startswith("s."):
        return "r"
    return _PLACES.get(column.removeprefix("s."), "summaries_totals")


_OF_STUDIES = frozenset({"r.study", "r.trial"})

_PLACES = {name: f"summaries_{name.rpartition('_')[2]}" for name in SUMMARY_MEASURES} | {
    name: index for index, names in RESULT_INDEXES.items() for name in names
}
"""The index on ``summaries`` that holds a column."""


def _indexed(column: str) -> str:
    return f" INDEXED BY {place_of(column)}"


def _set_of_ids(key: str, place: str, test: str) -> str:
    source = "r.id FROM runs r" if place == "r" else f"s.run FROM summaries s INDEXED BY {place}"
    # The plus keeps SQLite from walking the set where it should walk what is sorted.
    return f"+{key} IN (SELECT {source} WHERE {test})"

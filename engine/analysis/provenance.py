"""What makes a run's results comparable with another's: data, split, protocol, code, device."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError

from engine.analysis.columns.definitions import OF_TEST
from engine.evaluated import ceiling_of, evaluated_of
from engine.spec import Code, Filter, SplitRule
from engine.spec.identity import told_split
from engine.store.database import fetch_tuples

EVALUATED = tuple(column.name for column in OF_TEST)
"""Keys that say whom the metrics on test are of."""

PROVENANCE = (
    "device", "dtype", "checksum", "protocol", "split", "torch", "code", "settings", "attempts",
    *EVALUATED,
)  # fmt: skip
"""Keys of `provenance_of`. ``settings`` is equal for runs that differ in seed only."""

_SPEC = ("protocol", "source")
_START = (
    "device", "dtype", "checksum", "torch", "code", "users", "valid_users", "test_users",
    "test_cold_users", "test_targets", "test_cold", "test_ceiling",
)  # fmt: skip
"""Fields of a journal's ``start`` that are read."""

_AT_ONCE = 500
_SPLIT = SplitRule().model_dump()
_FILTER = Filter().model_dump()


def provenance_of(
    con: sqlite3.Connection, run_ids: Sequence[str]
) -> dict[str, Mapping[str, str | float | None]]:
    """Read the provenance of runs, by run id, from the newest attempt of each."""
    found: dict[str, Mapping[str, str | float | None]] = {}
    # Very many runs have few texts, and lie in the tables in the order of their ids.
    described, specs, ordered = cache(_described), dict[str, str | None](), sorted(run_ids)

    @cache
    def of(
        spec: str | None, start: str | None, settings: str | None, attempts: int
    ) -> Mapping[str, str | float | None]:
        return {**described(spec, start), "settings": settings, "attempts": attempts}

    for first in range(0, len(ordered), _AT_ONCE):
        some = ordered[first : first + _AT_ONCE]
        marks = ",".join("?" * len(some))
        # Runs of the same settings have the same protocol and split (`engine.spec.identity`), but
        # for imported ones, whose settings aren't known.
        runs = fetch_tuples(
            con,
            "SELECT id, r.settings, iif(origin = '', coalesce(r.settings, id), id),"  # noqa: S608
            f" ifnull(e.attempt, 0), {_parts('fields', _START)} FROM runs r"
            " LEFT JOIN events e ON e.run = id AND e.kind = 'start'"
            f" WHERE id IN ({marks}) ORDER BY id, e.attempt, e.seq",
            some,
        )
        unread = {like: run for run, _, like, *_ in runs if like not in specs}
        specs |= dict.fromkeys(unread)
        specs |= _specs(con, unread)
        for run, settings, like, attempt, start in runs:
            found[run] = of(specs[like], start, settings, attempt)
    return found


def _specs(con: sqlite3.Connection, runs: Mapping[str, str]) -> dict[str, str]:
    """Read protocol and source of runs' specifications, as a JSON array each, by the runs' keys."""
    rows = fetch_tuples(
        con,
        f"SELECT run, {_parts('spec', _SPEC)} FROM specs"  # noqa: S608
        " WHERE run IN (SELECT value FROM json_each(?))",
        (json.dumps(list(runs.values())),),
    )
    parts = dict(rows)
    return {key: parts[run] for key, run in runs.items() if run in parts}


def _parts(column: str, names: Sequence[str]) -> str:
    """Write SQL for some fields of a column's JSON object, as one JSON array; NULL where it holds
    none."""
    paths = ", ".join(f"'$.{name}'" for name in names)
    return f"CASE WHEN json_valid({column}) THEN json_extract({column}, {paths}) END"


def _described(spec: str | None, start: str | None) -> Mapping[str, str | float | None]:
    """Put a run's provenance together, its keys in the order of `PROVENANCE`; ``settings`` and
    ``attempts`` are None.

    Args:
        spec: the fields `_SPEC` of its specification, as a JSON array.
        start: the fields `_START` of its newest attempt's ``start``, as a JSON array.
    """
    specified = dict(zip(_SPEC, json.loads(spec), strict=True)) if spec else {}
    started = dict(zip(_START, json.loads(start), strict=True)) if start else {}
    ceiling, evaluated = ceiling_of(started), evaluated_of(started)
    known: dict[str, str | float | None] = {
        **{name: _scalar(value) for name, value in started.items()},
        "protocol": _scalar(specified.get("protocol")),
        "split": split_of(specified),
        "test_users": evaluated.test if evaluated else None,
        "test_cold_users": evaluated.test_cold_users if evaluated else None,
        "test_targets": evaluated.test_targets if evaluated else None,
        "test_cold": ceiling.cold if ceiling else None,
        "ceiling": ceiling.highest if ceiling else None,
    }
    return {name: known.get(name) for name in PROVENANCE}


def split_of(spec: Mapping[str, Any]) -> str | None:
    """Return how the interactions were split into training, validation and test, such as
    ``leave-one-out``; None if the specification doesn't tell, as of an imported run."""
    rule = rule_of(spec, "split")
    if not isinstance(rule, dict):
        return rule
    told = told_split(rule, spec.get("protocol"))
    own = {name: value for name, value in told.items() if name != "kind"}
    return f"{rule.get('kind', _SPLIT['kind'])} {_changed(own, _SPLIT)}".strip()


def filter_of(spec: Mapping[str, Any]) -> str | None:
    """Return the filter that the interactions went through, such as ``min_rating=4 k_core=5``, or
    ``none``; None if the specification doesn't tell."""
    rule = rule_of(spec, "filter")
    return _changed(rule, _FILTER) or "none" if isinstance(rule, dict) else rule


def model_file_of(spec: Mapping[str, Any]) -> str | None:
    """Return the file of a model that doesn't come with seqbench, with the beginning of its
    SHA-256, such as ``mine.py 1a2b3c4``; ``None`` for other models."""
    code = spec.get("code")
    try:
        known = Code.model_validate(code)
    except ValidationError:
        return None if code is None else "unknown"
    return f"{known.file} {known.short}"


def is_plain(spec: Mapping[str, Any]) -> bool:
    """Return whether the specification splits and filters interactions as they are where nobody
    says otherwise: leave-one-out, and all of them."""
    return (split_of(spec), filter_of(spec)) == (_SPLIT["kind"], "none")


def rule_of(spec: Mapping[str, Any], name: str) -> dict[str, Any] | str | None:
    """Return a rule of the data's specification; as text if another version wrote it otherwise."""
    source = spec.get("source")
    if not isinstance(source, dict):
        return None
    rule = source.get(name) or {}
    return rule if isinstance(rule, dict) else str(rule)


def _changed(rule: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    return " ".join(
        f"{name}={value}" for name, value in rule.items() if value != defaults.get(name)
    )


def _scalar(value: Any) -> str | int | None:
    return value if isinstance(value, str | int) or value is None else str(value)

"""What makes a run's figures comparable with another's: data, split, protocol, code, device."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from engine.ceiling import ceiling_of
from engine.evaluated import evaluated_of
from engine.spec import Filter, SplitRule
from engine.store.database import fetch, json_object

PROVENANCE = (
    "device", "dtype", "checksum", "protocol", "split", "torch", "code", "settings", "attempts",
    "test_users", "ceiling",
)  # fmt: skip
"""Keys of `provenance_of`. ``settings`` is equal for runs that differ in seed only, ``test_users``
are those that are evaluated in test, ``ceiling`` is the highest value that a metric on test can
have (`engine.ceiling`)."""

_STARTED = ("device", "dtype", "checksum", "torch", "code")
_AT_ONCE = 500
_SPLIT = SplitRule().model_dump()
_FILTER = Filter().model_dump()


def provenance_of(
    con: sqlite3.Connection, run_ids: Sequence[str]
) -> dict[str, dict[str, str | float | None]]:
    """Read the provenance of runs, by run id, from the newest attempt of each."""
    found: dict[str, dict[str, str | float | None]] = {}
    for first in range(0, len(run_ids), _AT_ONCE):
        some = run_ids[first : first + _AT_ONCE]
        marks = ",".join("?" * len(some))
        specs = fetch(
            con,
            "SELECT s.run, s.spec, r.settings FROM specs s CROSS JOIN runs r ON r.id = s.run"  # noqa: S608
            f" WHERE s.run IN ({marks})",
            some,
        )
        for run, spec, settings in specs:
            content = json_object(spec)
            found[run] = dict.fromkeys(PROVENANCE) | {
                "protocol": _scalar(content.get("protocol")),
                "split": split_of(content),
                "settings": settings,
                "attempts": 0,
            }
        starts = fetch(
            con,
            f"SELECT run, attempt, fields FROM events WHERE run IN ({marks}) AND kind = 'start'"  # noqa: S608
            " ORDER BY run, attempt, seq",
            some,
        )
        for run, attempt, fields in starts:
            if run in found:
                content = json_object(fields)
                found[run].update({name: _scalar(content.get(name)) for name in _STARTED})
                found[run]["attempts"] = attempt
                ceiling, evaluated = ceiling_of(content), evaluated_of(content)
                found[run]["test_users"] = evaluated.test if evaluated else None
                found[run]["ceiling"] = ceiling.highest if ceiling else None
    return found


def split_of(spec: Mapping[str, Any]) -> str | None:
    """Return how the interactions were split into training, validation and test, such as
    ``leave-one-out``; None if the specification doesn't tell, as of an imported run."""
    rule = rule_of(spec, "split")
    if not isinstance(rule, dict):
        return rule
    own = {name: value for name, value in rule.items() if name != "kind"}
    return f"{rule.get('kind', _SPLIT['kind'])} {_changed(own, _SPLIT)}".strip()


def filter_of(spec: Mapping[str, Any]) -> str | None:
    """Return the filter that the interactions went through, such as ``min_rating=4 k_core=5``, or
    ``none``; None if the specification doesn't tell."""
    rule = rule_of(spec, "filter")
    return _changed(rule, _FILTER) or "none" if isinstance(rule, dict) else rule


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

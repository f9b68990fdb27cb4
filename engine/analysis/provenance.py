"""What makes a run's figures comparable with another's: data, protocol, code, device."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from engine.store.database import fetch
from engine.store.settings import settings_digest

PROVENANCE = (
    "device",
    "dtype",
    "checksum",
    "protocol",
    "torch",
    "code",
    "settings",
    "attempts",
)
"""Keys of `provenance_of`. ``settings`` is equal for runs that differ in seed only."""

_STARTED = ("device", "dtype", "checksum", "torch", "code")
_AT_ONCE = 500


def provenance_of(
    con: sqlite3.Connection, run_ids: Sequence[str]
) -> dict[str, dict[str, str | int | None]]:
    """By run id; of a run of several attempts, the newest says."""
    found: dict[str, dict[str, str | int | None]] = {}
    for first in range(0, len(run_ids), _AT_ONCE):
        some = run_ids[first : first + _AT_ONCE]
        marks = ",".join("?" * len(some))
        specs = fetch(con, f"SELECT run, spec FROM specs WHERE run IN ({marks})", some)  # noqa: S608
        for run, spec in specs:
            content = _object(spec)
            found[run] = dict.fromkeys(PROVENANCE) | {
                "protocol": content.get("protocol"),
                "settings": settings_digest(content),
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
                content = _object(fields)
                found[run].update({name: _scalar(content.get(name)) for name in _STARTED})
                found[run]["attempts"] = attempt
    return found


def _object(text: str | None) -> dict[str, Any]:
    try:
        content = json.loads(text or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _scalar(value: Any) -> str | int | None:
    return value if isinstance(value, str | int) or value is None else str(value)

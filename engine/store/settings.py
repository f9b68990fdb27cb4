"""The settings of runs, as the store keeps them.

Runs with equal settings share their rows in the table ``settings``, by the number in
``runs.configuration``, which follows from the settings alone: very many runs have few of them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from engine.spec.settings import Scalar, stored_settings
from engine.store.database import fetch


def keep_settings(
    connection: sqlite3.Connection, contents: Iterable[Mapping[str, Any]]
) -> list[int | None]:
    """Write the settings of specifications (inside a write transaction).

    Args:
        contents: `engine.spec.RunSpec` as JSON each, of this version or another.

    Returns:
        The configuration of each, None for an imported run's.
    """
    found = [stored_settings(content) for content in contents]
    rows = {
        (configuration, name): value
        for configuration, values in filter(None, found)
        for name, value in values.items()
    }
    connection.executemany(
        "INSERT OR IGNORE INTO settings (configuration, name, value) VALUES (?, ?, ?)",
        [(*key, value) for key, value in rows.items()],
    )
    return [each and each[0] for each in found]


def read_settings(
    con: sqlite3.Connection, configurations: Collection[int]
) -> dict[int, dict[str, Scalar]]:
    """Read the values of settings by name, for each of some configurations."""
    found: dict[int, dict[str, Scalar]] = {each: {} for each in configurations}
    rows = fetch(
        con,
        "SELECT configuration, name, s.value FROM json_each(?) wanted"
        " CROSS JOIN settings s ON s.configuration = wanted.value",
        (json.dumps(list(found)),),
    )
    for configuration, name, value in rows:
        found[configuration][name] = value
    return found

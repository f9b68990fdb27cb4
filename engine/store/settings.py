"""The settings of runs, as the store keeps them.

Runs with equal settings share their rows in the table ``settings``, by the number in
``runs.configuration``, which follows from the settings alone: very many runs have few of them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from engine.budget import BY_HAND
from engine.spec.settings import Scalar, every_setting, stored_settings
from engine.store.database import fetch, fetch_tuples

if TYPE_CHECKING:
    from engine.spec import RunSpec


def told_by(spec: RunSpec | None) -> dict[str, float | str | None]:
    """Return the columns of ``runs`` that a configuration tells beside a run's names: its epoch
    limit; the run that it refits, whose chosen epoch is its limit then; of a trial the study and
    its number there; and the budget that its settings were chosen with, 0 where that was by hand.

    Args:
        spec: ``None`` for an imported run.
    """
    trial, chosen = (spec.trial, spec.chosen_by) if spec else (None, None)
    by_hand = 0 if chosen == BY_HAND else None
    counted = None if chosen == BY_HAND else chosen
    of_study: dict[str, float | str | None] = {
        "tuned_trials": counted.trials if counted else by_hand,
        "tuned_seconds": counted.seconds if counted else by_hand,
        "study": trial.study.name if trial else None,
        "trial": trial.number if trial else None,
    }
    if spec is None or spec.training.refit:
        return {"epochs": None, "refits": spec.refits if spec else None, **of_study}
    return {"epochs": spec.training.epochs, "refits": None, **of_study}


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


def drop_unused_settings(connection: sqlite3.Connection) -> None:
    """Remove the settings that no run has any more (inside a write transaction)."""
    connection.execute(
        "DELETE FROM settings WHERE NOT EXISTS"
        " (SELECT 1 FROM runs WHERE runs.configuration = settings.configuration)"
    )


def read_settings(
    con: sqlite3.Connection, configurations: Iterable[int | None]
) -> dict[int | None, dict[str, Scalar | None]]:
    """Read the values of all settings by title, for each of some configurations and for None.

    A setting that the runs don't have is None.
    """
    asked = [each for each in configurations if each is not None]
    rows = fetch_tuples(
        con,
        "SELECT configuration, name, s.value FROM json_each(?) wanted"
        " CROSS JOIN settings s ON s.configuration = wanted.value",
        (json.dumps(asked),),
    )
    settings = every_setting()
    titles = {setting.name: title for title, setting in settings.items()}
    none = dict[str, Scalar | None].fromkeys(settings)
    found = {each: none.copy() for each in (*asked, None)}
    for configuration, name, value in rows:
        if title := titles.get(name):  # none of a setting that another version has
            found[configuration][title] = value
    return found


def has_setting(con: sqlite3.Connection, name: str, value: str) -> bool:
    """Return whether any run of a store, on a connection from `connect_reader`, has a setting."""
    sql = "SELECT 1 FROM settings WHERE name = ? AND value = ? LIMIT 1"
    return bool(fetch(con, sql, (name, value)))

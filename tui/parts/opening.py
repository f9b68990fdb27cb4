"""The screen that the app opens on.

It is chosen before the first paint, so the store is asked one question, through nothing that would
have to be loaded first.
"""

from __future__ import annotations

from contextlib import closing

from engine.lifecycle import UNDER_WAY
from engine.lifecycle import sql as states_sql
from engine.store.location import StoreLocation

_UNFINISHED = f"SELECT 1 FROM runs WHERE state IN {states_sql(UNDER_WAY)} LIMIT 1"  # noqa: S608


def opening_mode(location: StoreLocation) -> str:
    """Choose Live if a run is running or queued, else Launch; Launch too of a store that can't be
    read at once: the screens say what is wrong with it."""
    if not location.db.exists():
        return "launch"
    import sqlite3  # only where there is a store

    try:
        with closing(
            sqlite3.connect(f"{location.db.absolute().as_uri()}?mode=ro", uri=True, timeout=0)
        ) as connection:
            return "live" if connection.execute(_UNFINISHED).fetchone() else "launch"
    except sqlite3.Error:
        return "launch"

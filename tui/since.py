"""Reading what ended while the user was away."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.store.location import StoreLocation
    from tui.screens.since import News


def wall_clock() -> float:
    """Seconds since 1970."""
    return time.time()


def read_news(location: StoreLocation, since: float | None) -> News | None:
    """What ended since a moment, if anything did. For a thread."""
    from engine.errors import UserError
    from engine.store.connect import connect_reader
    from engine.store.news import ended_counts, ended_since
    from tui.screens.since import News

    if since is None or not location.db.exists():
        return None
    try:
        with closing(connect_reader(location)) as connection:
            counts = ended_counts(connection, since)
            runs = ended_since(connection, since)
            return News(since, counts, runs, wall_clock()) if counts else None
    except (UserError, sqlite3.Error, OSError):
        return None  # who follows the store tells why it can't be read

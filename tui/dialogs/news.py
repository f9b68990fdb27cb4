"""What ended while the user was away, and reading it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.store.location import StoreLocation
    from engine.store.news import EndedRun


@dataclass(frozen=True, slots=True)
class News:
    """What ended since a moment."""

    since: float
    counts: Mapping[str, int]
    runs: Sequence[EndedRun]
    """The most pressing of them."""
    now: float
    """When it was looked at."""


def wall_clock() -> float:
    """Seconds since 1970."""
    return time.time()


def read_news(location: StoreLocation, since: float | None) -> News | None:
    """What ended since a moment, if anything did. For a thread."""
    from engine.errors import UserError
    from engine.store.connect import connect_reader
    from engine.store.news import ended_counts, ended_since

    if since is None or not location.db.exists():
        return None
    try:
        with closing(connect_reader(location)) as connection:
            counts = ended_counts(connection, since)
            runs = ended_since(connection, since)
            return News(since, counts, runs, wall_clock()) if counts else None
    except (UserError, sqlite3.Error, OSError):
        return None  # who follows the store tells why it can't be read

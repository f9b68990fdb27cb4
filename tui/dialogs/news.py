"""Reading what ended while the user was away, in a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from time import time as wall_clock
from typing import TYPE_CHECKING

from engine.analysis.labels.stored import labels_of_runs
from engine.errors import UserError
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.news import EndedRun, ended_counts, ended_since

if TYPE_CHECKING:
    from engine.config import Catalogue


@dataclass(frozen=True, slots=True)
class News:
    """The runs that ended since a time; times are in seconds since 1970."""

    since: float
    counts: Mapping[str, int]
    runs: Sequence[EndedRun]
    """The most pressing runs."""
    labels: Mapping[str, str]
    """In what these runs differ from each other in settings, by run."""
    now: float
    """When the store was read."""


def read_news(
    location: StoreLocation, since: float | None, catalogue: Catalogue | None
) -> News | None:
    """Read what ended since a time (seconds since 1970), if anything did.

    Args:
        catalogue: knows what recipes give, against which runs are named.
    """
    if since is None or not location.db.exists():
        return None
    try:
        with closing(connect_reader(location)) as connection:
            counts = ended_counts(connection, since)
            runs = ended_since(connection, since)
            labels = labels_of_runs(connection, [run.id for run in runs], catalogue)
            return News(since, counts, runs, labels, wall_clock()) if counts else None
    except (UserError, sqlite3.Error, OSError):
        return None  # the thread that watches the store tells why it can't be read

"""Watching the store in a thread, at microseconds a look while nothing changes."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from threading import Event

from engine.errors import UserError
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.news import Notification, NotificationReader
from engine.store.queries import data_version, state_counts
from tui.messages import Snapshot
from tui.parts.bell import MOST_NOTIFICATIONS

POLL_SECONDS = 0.2
SUPERVISOR_SECONDS = 10.0
"""Seconds between two checks that a supervisor works on unfinished runs."""


class StoreFollower:
    """Reads what the store holds, whenever that changed. For one thread."""

    def __init__(self, location: StoreLocation) -> None:
        self._location = location
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._data_version: int | None = None
        self._changes = 0
        self._last: Snapshot | None = None
        self._news = NotificationReader()

    def notifications(self) -> list[Notification]:
        """Read what happened since the last time; for after a look that found a change."""
        if self._connection is None:
            return []
        try:
            return self._news.look(self._connection)
        except (UserError, sqlite3.Error):
            return []  # the next look finds the error too

    def look(self) -> Snapshot | None:
        """Read a new snapshot; None if nothing changed since the last look."""
        try:
            snapshot = self._read()
        except (UserError, sqlite3.Error, OSError) as error:
            self.close()
            if self._last is not None and self._last.problem == str(error):
                return None
            self._changes += 1
            snapshot = Snapshot(exists=True, version=self._changes, problem=str(error))
        if snapshot is not None:
            self._last = snapshot
        return snapshot

    def close(self) -> None:
        """Close the store's file."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._identity, self._data_version = None, None, None

    def _read(self) -> Snapshot | None:
        identity = self._file_identity()
        if identity is None:
            self.close()
            if self._last is not None and not self._last.exists:
                return None
            self._changes += 1
            return Snapshot(version=self._changes)
        if identity != self._identity:  # a new file under the old name, as after a rebuild
            self.close()
        if self._connection is None:
            self._connection = connect_reader(self._location)
            self._identity = identity
        version = data_version(self._connection)
        if version == self._data_version:
            return None
        self._data_version = version
        self._changes += 1
        return Snapshot(True, self._changes, state_counts(self._connection))

    def _file_identity(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._location.db)  # noqa: PTH116
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino


def watch(
    location: StoreLocation,
    leaving: Event,
    listens: Event,
    tell: Callable[[Snapshot | None, bool, list[Notification]], object],
    beside: Callable[[], object],
) -> None:
    """Look at the store until ``leaving`` is set.

    Args:
        listens: set while the app hears. An app whose terminal isn't read hears nothing, for days
            perhaps: meanwhile no news pile up.
        tell: takes, once something is to tell, the newest snapshot if that changed, whether a
            supervisor should be looked for, and what happened. ``listens`` is cleared before.
        beside: is called after every look.
    """
    follower = StoreFollower(location)
    newest: Snapshot | None = None
    notifications: list[Notification] = []
    unfinished, look_again = 0, time.monotonic()
    while not leaving.is_set():
        snapshot = follower.look()
        if snapshot is not None:
            newest, unfinished = snapshot, snapshot.unfinished
            notifications = [*notifications, *follower.notifications()][-MOST_NOTIFICATIONS:]
        idle = not unfinished or time.monotonic() < look_again
        if listens.is_set() and not (newest is None and idle):
            listens.clear()
            tell(newest, not idle, notifications)
            newest, notifications = None, []
            if not idle:
                look_again = time.monotonic() + SUPERVISOR_SECONDS
        beside()
        leaving.wait(POLL_SECONDS)
    follower.close()

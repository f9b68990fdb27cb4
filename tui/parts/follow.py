"""Watching the store from a thread: microseconds while nothing changes."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from tui.messages import Snapshot

if TYPE_CHECKING:
    from engine.store.location import StoreLocation
    from engine.store.news import Notification, NotificationReader


class StoreFollower:
    """Says what the store holds whenever that changed. For one thread."""

    def __init__(self, location: StoreLocation) -> None:
        self._location = location
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._data_version: int | None = None
        self._changes = 0
        self._last: Snapshot | None = None
        self._news: NotificationReader | None = None

    def notifications(self) -> list[Notification]:
        """What ended since the last time. To be asked after a look that found a change."""
        from engine.errors import UserError
        from engine.store.news import NotificationReader

        if self._connection is None:
            return []
        if self._news is None:
            self._news = NotificationReader()
        try:
            return self._news.look(self._connection)
        except (UserError, sqlite3.Error):
            return []  # the next look tells why

    def look(self) -> Snapshot | None:
        """A new snapshot, or ``None`` if nothing changed since the last look."""
        from engine.errors import UserError

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
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._identity, self._data_version = None, None, None

    def _read(self) -> Snapshot | None:
        from engine.store.connect import connect_reader
        from engine.store.queries import data_version, state_counts

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

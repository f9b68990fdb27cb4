"""Opening the store, for reading and for writing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import StoreError
from engine.progress import OnProgress, untold
from engine.store.database import (
    StoreConnection,
    has_current_version,
    is_current,
    is_current_version,
    migrate,
    open_database,
    store_lock,
)
from engine.store.location import StoreLocation
from engine.store.own_settings import meet_stored_settings


def connect_reader(location: StoreLocation) -> StoreConnection:
    """Open for reading; rows are `sqlite3.Row`. May be handed from thread to thread.

    Raises:
        StoreError: there is none, it is damaged, or another version made it.
    """
    if not location.db.exists():
        again = ", `seqbench db rebuild` builds it from the run folders"
        hint = again if any(location.folders()) else ""
        raise StoreError(f"There is no store at {location.db} yet: `seqbench run` makes one{hint}.")
    connection = open_database(location.db, "ro")
    try:
        if not has_current_version(connection):
            connection.close()
            create_or_migrate(location)
            connection = open_database(location.db, "ro")
        meet_stored_settings(connection)
    except BaseException:
        connection.close()
        raise
    return connection


class KeptReader:
    """A connection for reading that is kept from one reading to the next: what is read again and
    again isn't slowed by opening. Another file in the store's place is opened by itself."""

    def __init__(self, location: StoreLocation) -> None:
        self.location = location
        self._lock = threading.Lock()
        self._connection: StoreConnection | None = None
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[StoreConnection]:
        """Yield the connection, to one thread at a time. An error in the body closes it.

        Raises:
            StoreError: as `connect_reader`.
        """
        with self._lock:
            try:
                if self._connection is not None and not is_current(self._connection):
                    self._forget()
                if self._connection is None:
                    self._connection = connect_reader(self.location)
                yield self._connection
            except BaseException:
                self._forget()
                raise
            finally:
                if self._closed:
                    self._forget()

    def close(self) -> None:
        """Let go of the store once a reading that goes on has ended; a later one keeps nothing."""
        with self._lock:
            self._closed = True
            self._forget()

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def connect_writer(location: StoreLocation) -> StoreConnection:
    """Open for writing, making the store if need be. Write within `write` only.

    Raises:
        StoreError: it can't be opened or made.
    """
    create_or_migrate(location)
    return open_database(location.db, "rw")


def create_or_migrate(location: StoreLocation, on_progress: OnProgress = untold) -> None:
    """Make sure that the store is there and up to date; light and quick when it is.

    A missing database is made from the run folders, if there are any.

    Args:
        on_progress: told how many of these are read.

    Raises:
        StoreError: it can't be made, or was made by a newer version.
    """
    if is_current_version(location.db):
        return
    from engine.store.intake.rebuild import build  # pydantic

    with store_lock(location):
        if not location.db.exists():
            build(location, on_progress)
        elif not is_current_version(location.db):
            migrate(location.db, on_progress)

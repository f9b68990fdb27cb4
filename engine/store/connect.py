"""Opening the store, for reading and for writing."""

from __future__ import annotations

from engine.errors import StoreError
from engine.progress import OnProgress, untold
from engine.store.database import (
    StoreConnection,
    is_current_version,
    migrate,
    open_database,
    store_lock,
)
from engine.store.location import StoreLocation


def connect_reader(location: StoreLocation) -> StoreConnection:
    """Open for reading; rows are `sqlite3.Row`. May be handed from thread to thread.

    Raises:
        StoreError: there is none, it is damaged, or another version made it.
    """
    if not location.db.exists():
        again = ", `seqbench db rebuild` builds it from the run folders"
        hint = again if any(location.folders()) else ""
        raise StoreError(f"There is no store at {location.db} yet: `seqbench run` makes one{hint}.")
    create_or_migrate(location)
    return open_database(location.db, "ro")


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
            migrate(location.db)

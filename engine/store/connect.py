"""Opening the store, for reading and for writing."""

from __future__ import annotations

from engine.errors import StoreError
from engine.store.database import StoreConnection, is_current_version, open_database
from engine.store.location import StoreLocation


def connect_reader(location: StoreLocation) -> StoreConnection:
    """Open for reading; rows are `sqlite3.Row`. May be handed from thread to thread.

    Raises:
        StoreError: there is none, it is damaged, or another version made it.
    """
    if not location.db.exists():
        again = ", `seqbench db rebuild` makes it from the run folders"
        hint = again if any(location.folders()) else ""
        raise StoreError(f"There is no store at {location.db} yet: `seqbench run` makes one{hint}.")
    bring_up_to_date(location)
    return open_database(location.db, "ro")


def connect_writer(location: StoreLocation) -> StoreConnection:
    """Open for writing, making the store if need be. Write within `write` only.

    Raises:
        StoreError: it can't be opened or made.
    """
    bring_up_to_date(location)
    return open_database(location.db, "rw")


def bring_up_to_date(location: StoreLocation) -> None:
    """`engine.store.create.create_or_migrate`, and light where there is nothing to do."""
    if not is_current_version(location.db):
        from engine.store.create import create_or_migrate

        create_or_migrate(location)

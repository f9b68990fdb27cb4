"""The store for the first time, or for the first time with this version."""

from __future__ import annotations

from engine.store.database import is_current_version, migrate, store_lock
from engine.store.intake.rebuild import build
from engine.store.location import StoreLocation


def create_or_migrate(location: StoreLocation) -> None:
    """Make sure that the store is there and up to date; cheap when it is.

    A missing database is made from the run folders, if there are any.

    Raises:
        StoreError: it can't be made, or was made by a newer version.
    """
    if is_current_version(location.db):
        return
    with store_lock(location):
        if not location.db.exists():
            build(location)
        elif not is_current_version(location.db):
            migrate(location.db)

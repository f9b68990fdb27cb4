"""Rebuilding the store from the run folders: beside the old one, then put in its place."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from engine.errors import RunError, StoreError
from engine.files.atomic import fsync_folder
from engine.progress import OnProgress, counted, untold
from engine.store.database import (
    StoreConnection,
    StoreDamagedError,
    make_database,
    open_database,
    refuse_foreign,
    store_lock,
    write,
)
from engine.store.intake.folders import save_folder, save_unsaved
from engine.store.intake.import_run import import_run
from engine.store.location import StoreLocation
from engine.store.transitions import held


def rebuild(location: StoreLocation, on_progress: OnProgress = untold) -> int:
    """Rebuild ``runs.db`` from the run folders; return how many runs it has.

    What the old one knows and no folder does yet (runs just queued, requests) is kept, if it can
    be read; a damaged one is left beside as ``runs.db.damaged``. A folder that can't be read is
    passed over and named in the table ``warnings``.

    Args:
        on_progress: told how many run folders are read.

    Raises:
        StoreError: it can't be written, or another program's database stands there.
    """
    with store_lock(location):
        return build(location, on_progress)


def build(location: StoreLocation, on_progress: OnProgress = untold) -> int:
    """Do as `rebuild`, for a caller that holds the store's lock."""
    beside = location.db.with_name(f".{location.db.name}.rebuild")
    try:
        _remove(beside)
        with _frozen(location) as (requests, damaged):
            make_database(beside, location.db)
            count = _fill(beside, location, requests, on_progress)
            _put_in_place(beside, location.db, damaged)
    except OSError as error:
        raise StoreError(f"{location.db} can't be made: {error.strerror}.") from None
    finally:
        _remove(beside)
    return count


@contextmanager
def _frozen(location: StoreLocation) -> Iterator[tuple[list[tuple[Any, ...]], bool]]:
    """Lock the old database against writing until it is replaced.

    Yields its requests, and whether it is damaged.
    """
    if not location.db.exists():
        yield [], False
        return
    try:
        connection = open_database(location.db, "rw")
    except StoreDamagedError:
        yield [], True
        return
    with closing(connection):
        try:
            refuse_foreign(connection)
            save_unsaved(connection, location)
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            connection.execute("BEGIN IMMEDIATE")
            # Again, for what was queued before the lock was held.
            requests = _requests(connection)
            unsaved = connection.rows("SELECT id FROM runs WHERE revision > saved")
        except StoreDamagedError:
            yield [], True
            return
        for row in unsaved:
            with suppress(RunError):  # without a configuration there is nothing to keep
                save_folder(connection, location, row[0])
        yield requests, False


def _requests(connection: StoreConnection) -> list[tuple[Any, ...]]:
    """Read the requests, and one for a pause if the queue is paused."""
    found = [tuple(row) for row in connection.rows("SELECT action, run, created FROM requests")]
    if int(connection.rows("PRAGMA user_version")[0][0]) >= 2 and held(connection) is not None:
        found.append(("pause", "", time.time()))
    return found


def _fill(
    path: Path,
    location: StoreLocation,
    requests: list[tuple[Any, ...]],
    on_progress: OnProgress,
) -> int:
    with closing(open_database(path, "rw")) as connection:
        # Nothing is lost if the power goes: the file isn't in its place yet.
        connection.execute("PRAGMA synchronous = OFF")
        folders = counted(list(location.folders()), on_progress)
        count = sum(import_run(connection, folder) for folder in folders)
        with write(connection):
            connection.executemany(
                "INSERT INTO requests (action, run, created)"
                " SELECT ?1, ?2, ?3 WHERE ?2 = '' OR EXISTS (SELECT 1 FROM runs WHERE id = ?2)",
                requests,
            )
        return count


def _put_in_place(new: Path, db: Path, damaged: bool) -> None:
    descriptor = os.open(new, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if damaged:
        db.replace(_aside(db))
    # The old one's log must never meet the new one. Connections that still hold the old files
    # see that theirs has moved, and leave the new one's alone when they close.
    for suffix in ("-wal", "-shm", "-journal"):
        Path(f"{db}{suffix}").unlink(missing_ok=True)
    new.replace(db)
    fsync_folder(db.parent)


def _aside(db: Path) -> Path:
    """Return a free path beside a damaged database to move it to."""
    path = db.with_name(f"{db.name}.damaged")
    for number in itertools.count(2):
        if not path.exists():
            break
        path = db.with_name(f"{db.name}.damaged-{number}")
    return path


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)

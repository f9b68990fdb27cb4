"""One database file: opened, migrated, written in transactions.

Whatever SQLite complains of becomes a `StoreError` of one sentence.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from engine.errors import StoreError
from engine.progress import OnProgress, untold
from engine.store.filesystem import network_filesystem
from engine.store.location import StoreLocation
from engine.store.schema import SCHEMA_VERSION

BUSY_SECONDS = 10.0


class StoreReplacedError(StoreError):
    """Another file stands where the open database stood (it was rebuilt): open it again."""


class StoreDamagedError(StoreError):
    """What stands there can't be read as a store; the run folders can."""


class StoreConnection(sqlite3.Connection):
    """A connection that knows its file and raises only `StoreError`."""

    path: Path
    file: tuple[int, int]
    """Device and inode of the open file."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        with _store_errors(self.path):
            return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        with _store_errors(self.path):
            return super().executemany(sql, parameters)

    def rows(self, sql: str, parameters: Any = ()) -> list[sqlite3.Row]:
        """Run a query to its end and return its rows."""
        with _store_errors(self.path):
            return super().execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Any = ()) -> sqlite3.Row | None:
        """Run a query and return its first row; ``None`` if there is none."""
        found = self.rows(sql, parameters)
        return found[0] if found else None


def fetch(con: sqlite3.Connection, sql: str, parameters: Any = ()) -> list[sqlite3.Row]:
    """Run a query to its end, on a connection from `connect_reader`, and return its rows."""
    assert isinstance(con, StoreConnection)
    return con.rows(sql, parameters)


def fetch_tuples(con: sqlite3.Connection, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
    """Do as `fetch`, with a plain tuple for each row: quicker for very many."""
    assert isinstance(con, StoreConnection)
    with _store_errors(con.path):
        cursor = con.cursor()
        cursor.row_factory = None
        return cursor.execute(sql, parameters).fetchall()


def json_object(text: str | None) -> dict[str, Any]:
    """Read a column that holds a JSON object; empty if it is absent or none."""
    try:
        content = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def insert(connection: StoreConnection, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows with the same columns each, by name."""
    if rows:
        names, marks = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
        connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608


@contextmanager
def write(connection: StoreConnection) -> Iterator[None]:
    """Run the body in one write transaction, which is rolled back if the body raises.

    It takes the write lock at once: a transaction that begins by reading can't get it later
    without failing, whatever the busy timeout. Within another one the body is a part of that,
    which is rolled back alone if it raises.

    Raises:
        StoreReplacedError: the database was rebuilt since it was opened.
        StoreError: the store can't be written.
    """
    if connection.in_transaction:
        with _part(connection):
            yield
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not is_current(connection):
            raise StoreReplacedError(f"{connection.path} was replaced in the meantime: try again.")
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _part(connection: StoreConnection) -> Iterator[None]:
    connection.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO part")
            connection.execute("RELEASE part")
        raise
    connection.execute("RELEASE part")


def is_current(connection: StoreConnection) -> bool:
    """Return whether the open file is still the one that stands at its path. After a rebuild it
    isn't, and the connection sees no further change."""
    try:
        return connection.file == _file_of(connection.path)
    except OSError:
        return False


def storage_note(location: StoreLocation) -> str | None:
    """Return a sentence to show the user if the store is on a network filesystem, else None."""
    kind = network_filesystem(location.db)
    if kind is None:
        return None
    return (
        f"{location.db} is on a network filesystem ({kind}), so it is written without WAL, which "
        "is slower: a local folder (--db) is better."
    )


@contextmanager
def store_lock(location: StoreLocation) -> Iterator[None]:
    """Hold the lock for making, migrating or rebuilding the store. Raises `StoreError`."""
    try:
        location.runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(location.store_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"The store can't be created at {location.db} ({error.strerror}): choose a writable "
            "folder with --db."
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def make_database(path: Path, lasting: Path) -> None:
    """Make an empty database at ``path`` that will be renamed to ``lasting``."""
    with _store_errors(path), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if network_filesystem(lasting) is None:
            connection.execute("PRAGMA journal_mode = WAL")
        _apply_migrations(connection)


def open_database(path: Path, mode: str) -> StoreConnection:
    """Open an existing database file, ``mode`` ``ro`` or ``rw``. Raises `StoreError`."""
    with _store_errors(path):
        try:
            file = _file_of(path)
        except OSError as error:
            raise StoreError(f"{path} can't be opened: {error.strerror}.") from None
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=StoreConnection,
        )
        connection.path, connection.file = path, file
        connection.row_factory = sqlite3.Row
        try:
            journal_mode = connection.rows("PRAGMA journal_mode")[0][0]
            safe = "NORMAL" if journal_mode == "wal" else "FULL"
            connection.execute(f"PRAGMA synchronous = {safe}")
        except BaseException:
            connection.close()
            raise
    return connection


def store_error(path: Path, error: sqlite3.Error) -> StoreError:
    """Put what SQLite complains of into one sentence that says what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    lacks = code == sqlite3.SQLITE_ERROR and "no such" in str(error)
    if lacks or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreDamagedError(
            f"{path} is damaged ({error}): `seqbench db rebuild` rebuilds it from the run folders."
        )
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            what = "is busy: another program has been writing to it for a long time; try again"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            what = "can't be written to: check its permissions, or choose another with --db"
        case sqlite3.SQLITE_CANTOPEN:
            what = "can't be opened: check that its folder exists and is writable"
        case sqlite3.SQLITE_FULL:
            what = "can't be written to because the disk is full: make room, then try again"
        case _:
            what = f"can't be used: {error}"
    return StoreError(f"{path} {what}.")


@contextmanager
def _store_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(path, error) from error
    except UnicodeError as error:
        raise StoreError(f"{path} has only text in UTF-8, which what was given isn't.") from error
    except OverflowError as error:
        raise StoreError(f"{path} has no numbers as large as the one that was given.") from error


def _file_of(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def is_current_version(db: Path) -> bool:
    """Return whether the database is there and up to date.

    Raises:
        StoreError: it isn't ours, or a newer version made it.
    """
    if not db.exists():
        return False
    with closing(open_database(db, "ro")) as connection:
        return has_current_version(connection)


def has_current_version(connection: StoreConnection) -> bool:
    """Return whether an open database is up to date.

    Raises:
        StoreError: it isn't ours, or a newer version made it.
    """
    version = int(connection.rows("PRAGMA user_version")[0][0])
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{connection.path} was made by a newer seqbench: use that version, or another --db."
        )
    if version < SCHEMA_VERSION:
        refuse_foreign(connection)
    return version == SCHEMA_VERSION


def refuse_foreign(connection: StoreConnection) -> None:
    """Raise `StoreError` if the database has tables and isn't ours."""
    tables = {row[0] for row in connection.rows("SELECT name FROM sqlite_schema")}
    if tables and "_sqlite_migrations" not in tables:
        raise StoreError(
            f"{connection.path} is a database of another program: choose another file with --db."
        )


def migrate(db: Path, on_progress: OnProgress = untold) -> None:
    """Bring an existing database up to date.

    Args:
        on_progress: told how many runs are read for what is new to the store.

    Raises:
        StoreError: it can't be done.
    """
    with _store_errors(db), closing(open_database(db, "rw")) as connection:
        if network_filesystem(db) is None:
            connection.execute("PRAGMA journal_mode = WAL")
        _apply_migrations(connection, on_progress)


def _apply_migrations(connection: sqlite3.Connection, on_progress: OnProgress = untold) -> None:
    # Heavy, and only needed where there is something to migrate.
    from sqlite_utils import Database

    from engine.store.migrations import migrations

    migrations(on_progress).apply(Database(connection, execute_plugins=False))

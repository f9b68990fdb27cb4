"""Run folders with ``spec.json`` and ``meta.json``, from which a lost database is made again.

``meta.json`` holds what no journal tells: note, tags, the place in the queue, and what the
supervisor decided. The database counts changes to it (``revision``), so that a crash between the
commit and the file only makes the file late.
"""

from __future__ import annotations

import json
import math
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.errors import RunError, StoreError
from engine.files.atomic import fsync_folder, write_atomically
from engine.files.regular import read_regular
from engine.runfolder import RunFolder
from engine.specfile import save_stored_spec
from engine.store.database import StoreConnection, json_object, write
from engine.store.intake.code import code_of, save_code
from engine.store.location import StoreLocation

META_FORMAT = 1
META_COLUMNS = (
    "note", "position", "state", "attempt", "losses", "finished", "cause", "message", "launcher",
    "study_end", "held",
)  # fmt: skip
META_ATTEMPT_COLUMNS = (
    "attempt", "slot", "host", "launched", "status", "ended", "exited", "cause", "message",
    "job", "partition", "node", "worker",
)  # fmt: skip
_ADDED = dict.fromkeys(("launcher", "study_end", "held", "job", "partition", "node", "worker"))
"""Columns that files of earlier versions lack."""

_NEW = ".new-"
_GOING = ".trash-"


def save_unsaved(
    connection: StoreConnection, location: StoreLocation, seconds: float = math.inf
) -> set[str]:
    """Write to the run folders what changed in the database.

    Args:
        seconds: after this time the rest is left for the next call; at least one run is saved.

    Returns:
        Problems with single runs, a sentence each; these runs are tried again next time.

    Raises:
        StoreError: the database can't be read or written.
    """
    problems: set[str] = set()
    rows = connection.rows("SELECT id, revision FROM runs WHERE revision > saved ORDER BY position")
    saved: list[tuple[int, str]] = []
    deadline = time.monotonic() + seconds
    for run, revision in rows:
        try:
            save_folder(connection, location, run)
        except OSError as error:
            problems.add(f"{location.folder(run).path} can't be written: {error.strerror}.")
        except RunError as error:
            problems.add(str(error))
        else:
            saved.append((revision, run))
        if time.monotonic() > deadline:
            break
    if saved:
        with write(connection):
            connection.executemany("UPDATE runs SET saved = ? WHERE id = ?", saved)
    return problems


def save_folder(connection: StoreConnection, location: StoreLocation, run: str) -> RunFolder:
    """Make a run's folder, if it isn't there, and write its ``meta.json``.

    A new folder is made aside and renamed, so that it has both files or doesn't exist.

    Raises:
        RunError, OSError: it can't be written.
    """
    folder = location.folder(run)
    meta = meta_text(connection, run)
    if folder.spec.exists():
        write_atomically(folder.meta, meta)
        return folder
    stored = _stored_spec(connection, run)
    aside = RunFolder(Path(tempfile.mkdtemp(prefix=_NEW, dir=location.runs)))
    save_stored_spec(aside, run=run, **stored)
    with suppress(RunError):  # of another version, whose code isn't run here
        save_code(aside, code_of(stored["spec"]))
    write_atomically(aside.meta, meta)
    if folder.path.exists():
        # Someone removed spec.json and left the rest.
        aside.spec.replace(folder.spec)
        aside.meta.replace(folder.meta)
        if aside.code.exists():
            aside.code.replace(folder.code)
        aside.path.rmdir()
    else:
        aside.path.rename(folder.path)
    fsync_folder(location.runs)
    return folder


def load_meta(folder: RunFolder) -> dict[str, Any]:
    """Read ``meta.json``. Raises `StoreError` if it is absent, damaged or newer."""
    try:
        content = json.loads(read_regular(folder.meta))
        if content["format"] > META_FORMAT:
            raise StoreError(f"{folder.meta} was written by a newer seqbench.")
        meta = {name: (_ADDED | content)[name] for name in META_COLUMNS}
        meta |= {name: int(content[name]) for name in ("position", "attempt", "losses")}
        meta["tags"] = [str(tag) for tag in content["tags"]]
        meta["attempts"] = [
            {name: (_ADDED | row)[name] for name in META_ATTEMPT_COLUMNS}
            for row in content["attempts"]
        ]
    except OSError as error:
        raise StoreError(f"{folder.meta} can't be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise StoreError(f"{folder.meta} is damaged: the run's note and place are lost.") from None
    return meta


def discard_folder(location: StoreLocation, path: Path) -> None:
    """Delete a run's folder and nothing else; a crash leaves it whole or out of the way.

    Raises:
        OSError: it can't be moved away.
    """
    aside = Path(tempfile.mkdtemp(prefix=_GOING, dir=location.runs))
    path.rename(aside / path.name)
    fsync_folder(location.runs)
    _remove(aside)


def sweep(location: StoreLocation) -> None:
    """Remove what a crash left of folders being made or deleted (under the supervisor's lock)."""
    for path in location.runs.iterdir():
        if path.name.startswith((_NEW, _GOING)):
            _remove(path)


def _remove(path: Path) -> None:
    # Symbolic links are removed, never followed: rmtree refuses one as its own argument.
    shutil.rmtree(path, ignore_errors=True)


def _stored_spec(connection: StoreConnection, run: str) -> dict[str, Any]:
    """Read what `save_stored_spec` writes of a run, whatever version or program it is of.

    Raises:
        RunError: the store has no configuration of it.
    """
    row = connection.row(
        "SELECT r.created, r.suite, r.fingerprint, coalesce(r.parameters, 0) AS parameters, s.spec"
        " FROM runs r JOIN specs s ON s.run = r.id WHERE r.id = ?",
        (run,),
    )
    spec = json_object(row["spec"]) if row is not None else {}
    if row is None or not spec:
        raise RunError(f"{run} has no configuration in {connection.path}.")
    return {**dict(row), "spec": spec}


def meta_text(connection: StoreConnection, run: str) -> str:
    """Write the text of a run's ``meta.json`` from the database."""
    row = connection.row(
        f"SELECT {', '.join(META_COLUMNS)}, tags FROM runs WHERE id = ?",  # noqa: S608
        (run,),
    )
    assert row is not None
    attempts = connection.rows(
        f"SELECT {', '.join(META_ATTEMPT_COLUMNS)} FROM attempts"  # noqa: S608
        " WHERE run = ? ORDER BY attempt",
        (run,),
    )
    meta = {
        "format": META_FORMAT,
        **dict(row),
        "tags": json.loads(row["tags"]),
        "attempts": [dict(attempt) for attempt in attempts],
    }
    return json.dumps(meta, indent=1) + "\n"

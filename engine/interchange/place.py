"""Moves imported run folders among those of the store, and adds their runs to it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.errors import StoreError
from engine.files.atomic import fsync_folder
from engine.files.lock import take_lock
from engine.files.regular import open_regular
from engine.progress import OnProgress, counted, untold
from engine.runfolder import RunFolder
from engine.store.connect import connect_writer
from engine.store.database import StoreConnection, store_lock, write
from engine.store.intake.import_run import import_run
from engine.store.location import StoreLocation

_ASIDE = ".import-"
LONGEST_ID = 120
_DIGITS = 8


@dataclass(frozen=True)
class Imported:
    """The runs of an import by what became of them; ids are those in the source."""

    added: tuple[str, ...]
    present: tuple[str, ...]
    """Runs that the store had already; they are unchanged."""
    renamed: dict[str, str]
    """The new id of each run of ``added`` whose own id another run of the store has."""


@contextmanager
def importing(location: StoreLocation) -> Iterator[Path]:
    """Make a staging folder beside the runs, for files that are still to be checked; it is deleted
    on exit.

    Raises:
        StoreError: the folder can't be made, or another import is running.
    """
    try:
        location.runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = take_lock(location.runs / "import.lock", seconds=1.0)
        if lock is None:
            raise StoreError("Another import is running here: wait until it ends, then try again.")
    except OSError as error:
        raise StoreError(f"{location.runs} can't be written: {error.strerror}.") from None
    try:
        for left in location.runs.glob(f"{_ASIDE}*"):  # by an import that was killed
            shutil.rmtree(left, ignore_errors=True)
        aside = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=location.runs))
        try:
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise StoreError(f"{location.runs} can't be written: {error.strerror}.") from None
    finally:
        os.close(lock)


def place(
    location: StoreLocation, folders: Sequence[RunFolder], on_progress: OnProgress = untold
) -> Imported:
    """Move checked run folders to the store's, and add their runs to the database.

    After a crash each run is either whole in its place, where the next import of it or a rebuild
    adds it, or absent.

    Args:
        on_progress: told of this as the second half of an import.

    Raises:
        StoreError: the store can't be written.
        OSError: a folder can't be moved.
    """
    added: list[str] = []
    present: list[str] = []
    renamed: dict[str, str] = {}
    with closing(connect_writer(location)) as connection, store_lock(location):
        for folder in counted(folders, on_progress, (2, 2)):
            run = folder.run_id
            found, there = _place_of(connection, location, folder)
            if found.run_id != run:
                renamed[run] = found.run_id
            if not there:
                folder.path.rename(found.path)
                fsync_folder(location.runs)
            if _known(connection, found.run_id):
                present.append(run)
            else:
                with write(connection):  # whole or absent, though it is killed
                    import_run(connection, found)
                added.append(run)
    names = {run: renamed[run] for run in added if run in renamed}
    return Imported(tuple(added), tuple(present), names)


def _place_of(
    connection: StoreConnection, location: StoreLocation, folder: RunFolder
) -> tuple[RunFolder, bool]:
    """Return the folder that a run shall have, and whether it is there already."""
    own = location.folder(folder.run_id)
    if not own.path.exists() and not _known(connection, folder.run_id):
        return own, False
    if own.path.is_dir() and _content(own) == _content(folder):
        return own, True
    digest = hashlib.sha256(repr(sorted(_content(folder).items())).encode()).hexdigest()[:_DIGITS]
    stem = folder.run_id[: LONGEST_ID - _DIGITS - 1].rstrip(".")
    other = location.folder(f"{stem}-{digest}")
    return other, other.path.is_dir()


def _content(folder: RunFolder) -> dict[str, str]:
    """Compute the SHA-256 of a run's configuration, ranks, lists and journals, by file name. Notes
    and tags are left out: they may differ between two copies of one run."""
    found = {}
    results = [folder.test_ranks, folder.test_top, folder.test_top_masked]
    for path in [folder.spec, *results, *(path for _, path in folder.journals())]:
        if path.exists():
            with open_regular(path) as file:
                found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _known(connection: StoreConnection, run: str) -> bool:
    return connection.row("SELECT 1 FROM runs WHERE id = ?", (run,)) is not None

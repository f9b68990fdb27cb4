"""The paths of the store and of the run folders next to it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from engine.errors import RunError, UsageError, cut
from engine.surroundings import expanded, refuse_undecodable, working_folder

if TYPE_CHECKING:
    from engine.runfolder import RunFolder


LONGEST_NAME = 200
"""Most bytes of the database file's name: files beside it have longer ones."""


class StoreLocation(NamedTuple):
    """The database file; everything else is in ``runs/`` next to it."""

    db: Path

    @property
    def runs(self) -> Path:
        return self.db.parent / "runs"

    @property
    def trash(self) -> Path:
        """Holds the folders of deleted runs (`engine.store.intake.trash`); no run's id has a dot
        at its front."""
        return self.runs / ".trash"

    @property
    def store_lock(self) -> Path:
        """Locked (flock) while the database is made, migrated or rebuilt."""
        return self.runs / "store.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Locked (flock) by the supervisor for as long as it lives."""
        return self.runs / "supervisor.lock"

    @property
    def supervisor_log(self) -> Path:
        return self.runs / "supervisor.log"

    def folder(self, run_id: str) -> RunFolder:
        """Return the folder of a run. Raises `RunError` for an id that isn't one."""
        from engine.runfolder import run_folder  # not before the app's first paint

        return run_folder(self.runs, run_id)

    def folders(self) -> Iterator[RunFolder]:
        """Yield the run folders on the disk, by name; what isn't one is passed over."""
        if not self.runs.is_dir():
            return
        from engine.runfolder import run_folder

        for path in sorted(self.runs.iterdir()):
            try:
                folder = run_folder(self.runs, path.name)
            except RunError:
                continue
            if folder.spec.is_file():
                yield folder


def store_location(db: Path | None = None) -> StoreLocation:
    """Return where the store is: at ``db`` (``--db``), else ``SEQBENCH_DB``, else ``./runs.db``.

    Raises:
        UsageError: no database can be there: that is a folder, a pipe or a device, or its name is
            too long or isn't UTF-8.
    """
    chosen = db or Path(os.environ.get("SEQBENCH_DB") or "runs.db")
    whole = working_folder() / expanded(chosen)
    try:
        path = whole.resolve()
        mode = path.stat().st_mode if path.exists() else stat.S_IFREG
    except (OSError, RuntimeError) as error:  # Python's own error for links in a circle
        why = error.strerror if isinstance(error, OSError) else "its links lead in a circle"
        raise UsageError(f"{chosen} can't be opened ({why}): name another file.") from None
    if stat.S_ISDIR(mode):
        raise UsageError(f"{chosen} is a folder: name the database file, such as {chosen}/runs.db.")
    if not stat.S_ISREG(mode):  # SQLite would wait at a pipe for ever
        raise UsageError(f"{chosen} is not a file: name another one.")
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise UsageError(f"{cut(path.name, 60)} is too long a name: at most {LONGEST_NAME} bytes.")
    refuse_undecodable(path)
    return StoreLocation(path)

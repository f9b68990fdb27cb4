"""The paths of the store and of the run folders next to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from engine.errors import RunError, UsageError
from engine.surroundings import expanded, refuse_undecodable, working_folder

if TYPE_CHECKING:
    from engine.runfolder import RunFolder


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
        UsageError: that is a folder, or no name in UTF-8.
    """
    chosen = db or Path(os.environ.get("SEQBENCH_DB") or "runs.db")
    path = (working_folder() / expanded(chosen)).resolve()
    if path.is_dir():
        raise UsageError(f"{chosen} is a folder: name the database file, such as {chosen}/runs.db.")
    refuse_undecodable(path)
    return StoreLocation(path)

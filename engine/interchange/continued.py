"""Adds a run that continues another from its end: a new folder with a copy of what the other one
trained."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

from engine.errors import StoreError
from engine.files.atomic import write_atomically
from engine.files.regular import read_regular
from engine.interchange.place import importing, place
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import save_spec
from engine.store.connect import connect_writer
from engine.store.database import write
from engine.store.intake.folders import meta_text
from engine.store.location import StoreLocation
from engine.store.requests import new_id
from engine.store.transitions import retry


def add_continued(
    location: StoreLocation, spec: RunSpec, suite: str | None, parameters: int
) -> str:
    """Put a run at the end of the queue that begins with the journals and the newest checkpoint of
    the run that ``spec.continues`` names, and return its id.

    The other run stays as it is, and may be deleted then. A crash leaves the new run absent,
    queued, or cancelled, in which case a retry queues it.

    Raises:
        StoreError: the store can't be written, or a file of the other run can't be read.
    """
    other = location.folder(spec.continues)
    with importing(location) as aside, closing(connect_writer(location)) as connection:
        run = new_id(connection, location, spec, ())
        folder = RunFolder(aside / run)
        folder.path.mkdir(mode=0o700)
        try:
            told = {path.name: read_regular(path) for path in _told(other)}
        except OSError as error:
            raise StoreError(f"{error.filename} can't be read: {error.strerror}.") from None
        for name, content in told.items():
            write_atomically(folder.path / name, content)
        attempt, checkpoint = other.checkpoints()[-1]
        _link(checkpoint, folder.checkpoint(attempt))
        save_spec(folder, spec, suite=suite, parameters=parameters)
        meta = json.loads(meta_text(connection, other.run_id))
        # Not queued before its epochs are in the store.
        meta |= {
            "note": "", "tags": [], "losses": 0, "finished": None,
            "state": "cancelled", "cause": "cancelled", "message": "It wasn't queued yet.",
            "attempt": folder.newest_attempt() + 1,
            "attempts": [each | {"exited": each["exited"] or 0} for each in meta["attempts"]],
        }  # fmt: skip
        write_atomically(folder.meta, json.dumps(meta, indent=1) + "\n")
        place(location, [folder])
        with write(connection):
            retry(connection, run)
    return run


def _told(folder: RunFolder) -> list[Path]:
    """Return the files that record what a run did: journals, the log that they point into, and the
    file of its model."""
    journals = [path for _, path in folder.journals()]
    return [*journals, *(path for path in (folder.log, folder.code) if path.exists())]


def _link(path: Path, new: Path) -> None:
    """Hard-link a file that never changes, or copy it where that isn't possible."""
    try:
        os.link(path, new, follow_symlinks=False)
    except OSError:
        write_atomically(new, read_regular(path))

"""A worker's claim to an attempt: at most one process ever begins it."""

from __future__ import annotations

import os

from engine.files.lock import take_lock
from engine.runfolder import RunFolder


class NothingToDo(Exception):  # noqa: N818 -- not an error: another worker did it, or does
    """The attempt isn't this worker's to train; says why."""


def claim(folder: RunFolder, attempt: int, seconds: float) -> int:
    """Take the run's lock for an attempt that is to begin; return the lock's descriptor. While the
    lock is free, no worker of this run is alive.

    Args:
        seconds: how long to wait for an earlier worker of the run to end.

    Raises:
        NothingToDo: another worker has the run, or this attempt or a later one was begun.
    """
    lock = take_lock(folder.lock, seconds)
    if lock is None:
        raise NothingToDo(f"another worker has {folder.run_id}; nothing to do")
    if folder.newest_attempt() > attempt or folder.journal(attempt).exists():
        os.close(lock)
        raise NothingToDo(f"attempt {attempt} has had its turn; nothing to do")
    return lock

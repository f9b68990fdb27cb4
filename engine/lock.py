"""Locks that the kernel lets go of however their holder ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path


def take_lock(path: Path, seconds: float = 0.0) -> int | None:
    """Lock a file (made if need be); return its descriptor, or ``None`` if another has it.

    It is tried for ``seconds``, because `is_locked` takes the lock too, for a moment.

    Raises:
        OSError: the file can't be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(0.02)
        except BaseException:
            os.close(descriptor)
            raise
        else:
            return descriptor


def write_holder(descriptor: int, about: str) -> None:
    """Say in a lock file, whose lock one has, who one is.

    Who reads it meanwhile sees either the holder before or this one, never an empty file: blanks
    cover what of the old text is longer.
    """
    os.pwrite(descriptor, about.encode().ljust(os.fstat(descriptor).st_size), 0)


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock; a file that isn't there is not locked."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False

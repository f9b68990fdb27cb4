"""File locks (flock), which the kernel releases however their holder ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path


def take_lock(path: Path, seconds: float = 0.0) -> int | None:
    """Lock a file, created if absent; return its descriptor, or ``None`` if another process has it.

    Args:
        seconds: how long to try; `is_locked` may hold the lock for a moment too.

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
    """Write into a lock file, whose lock this process has, a text about this process.

    The file is overwritten in place and padded with blanks, so that a concurrent reader sees the
    text of the previous holder or of this one, never an empty file.
    """
    os.pwrite(descriptor, about.encode().ljust(os.fstat(descriptor).st_size), 0)


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock; an absent file is not locked."""
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

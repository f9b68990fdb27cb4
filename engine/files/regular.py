"""Opening regular files in folders that others can write to, and what keeps our own private."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

OWNER_ONLY = 0o077
"""The umask of every process of ours: what it writes is the user's alone (0600, folders 0700)."""

_before: list[int] = []


def keep_ours_private() -> None:
    """Let what this process writes be the user's alone; what the user names
    (`engine.files.named`) still follows the umask of before."""
    _before[:] = [os.umask(OWNER_ONLY)]


def users_umask() -> int | None:
    """Return the umask that the user had; ``None`` if this process still has it."""
    return _before[0] if _before else None


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading. Opening a pipe might block for ever, so it is refused.

    Raises:
        OSError: it can't be opened, or is a pipe, a device or a folder.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "It is not a file", str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path) -> bytes:
    """Read all of a regular file. Raises `OSError` like `open_regular`."""
    with open_regular(path) as file:
        return file.read()

"""File locks (flock), which the kernel releases however their holder ends."""

from __future__ import annotations

import fcntl
import json
import os
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WAIT_STEP = 0.1
"""Seconds between two tries of `hold_lock`."""

READS = 100
"""Attempts at reading a text that is just being written."""


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


@contextmanager
def hold_lock(path: Path, sleep: Callable[[float], object] = time.sleep) -> Iterator[None]:
    """Hold a file's lock, waiting for any process that has it. The file is kept: if it were
    removed, a third process could lock a new one of that name.

    Args:
        sleep: waits for a number of seconds between two tries; it may raise to give up.

    Raises:
        OSError: the file can't be opened.
    """
    while (descriptor := take_lock(path)) is None:
        sleep(WAIT_STEP)
    try:
        yield
    finally:
        os.close(descriptor)


def write_holder(descriptor: int, about: Mapping[str, Any]) -> None:
    """Write into a lock file, whose lock this process has, a record of it for `read_holder`.

    The file is overwritten in place and padded with blanks, so that it is never empty.
    """
    text = json.dumps({**about, "check": _check(about)})
    os.pwrite(descriptor, text.encode().ljust(os.fstat(descriptor).st_size), 0)


def read_holder(path: Path) -> dict[str, Any] | None:
    """Read who holds a lock; ``None`` if nobody has written it.

    A read that meets a write may get a part of either text, which the check shows: it is repeated.
    A supervisor that was started before an upgrade may have written none.
    """
    for _ in range(READS):
        try:
            about = json.loads(path.read_text())
            if about.pop("check", None) in (None, _check(about)):
                return dict(about)
        except OSError:
            return None
        except (ValueError, AttributeError, TypeError):
            pass
        time.sleep(0.001)
    return None


def _check(about: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(about).encode())


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

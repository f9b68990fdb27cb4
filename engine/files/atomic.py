"""Writing files atomically: to a temporary file, fsynced, then renamed."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_ASIDE = re.compile(r"\.(.+)\.[^.]+\.tmp")


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path``, which it replaces, durably, on a clean exit.

    Raises:
        OSError: the file can't be written; ``path`` is unchanged.
    """
    # The name may be as long as names can be: no more of it than leaves room for the rest.
    prefix = f".{os.fsdecode(os.fsencode(path.name)[:200])}."
    descriptor, name = tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Replace ``path`` by ``content``; text is encoded as UTF-8. Raises `OSError`."""
    with atomic_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def name_aimed_at(name: str) -> str | None:
    """Return the name of the file that a temporary one of `atomic_file` is to become, or would have
    if its process hadn't been killed; of a very long one, its beginning. ``None`` for any other
    file."""
    found = _ASIDE.fullmatch(name)
    return found and found[1]


def fsync_folder(folder: Path) -> None:
    """Make a new or renamed file in ``folder`` survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # this file system can't fsync folders
            raise
    finally:
        os.close(descriptor)

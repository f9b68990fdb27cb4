"""Writing to paths that the user names: exports, reports, archives, suites.

A file of our own is replaced by a new one (`engine.files.atomic`). What a user names may be a link,
a pipe, a device, or a file that others share, and stays what it is.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO, cast

from engine.errors import UserError
from engine.files.atomic import fsync_folder
from engine.files.regular import users_umask

STDOUT = Path("-")
"""The path that stands for stdout."""

IN_MEMORY = 2**26
"""Bytes of a content that are held in memory where it can't be written beside its place."""

PIECE = 2**20

_DESCRIPTOR = re.compile(r"/proc/(\d+)(?:/task/\d+)?/fd/(\d+)")


def write_named(path: Path, content: bytes | str | Iterable[bytes | str]) -> None:
    """Write a content, or its pieces, to a path that the user names, as `named_file` does; text as
    UTF-8."""
    pieces = [content] if isinstance(content, bytes | str) else content
    with named_file(path) as file:
        for piece in pieces:
            file.write(piece.encode("utf-8", "replace") if isinstance(piece, str) else piece)


@contextmanager
def named_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file whose content goes, whole, to where ``path`` leads, on a clean exit.

    Links are followed and stay. A pipe or a character device is written to, and so is an open file
    of this process (``/dev/stdout``, ``/proc/self/fd/3``; ``-`` is stdout). A file that is there
    keeps its owner, mode, extended attributes and further names; a new one gets the mode that the
    user's umask gives.

    Raises:
        UserError: it can't be written, or writing could wait for ever, as with a pipe that nobody
            reads. A file that was there is as it was, and no new one is.
    """
    with _told(path), ExitStack() as stack:
        there, place = _opened(path)
        if there is not None:
            stack.callback(os.close, there)
        aside = _made_aside(place, there) if place is not None else None
        kept = SpooledTemporaryFile(IN_MEMORY) if aside is None else aside[0]  # noqa: SIM115
        file = stack.enter_context(kept)
        if aside is not None:
            stack.callback(aside[1].unlink, missing_ok=True)
        yield cast(BinaryIO, file)
        file.flush()
        if aside is not None and place is not None and _renamed(file, aside[1], place, there):
            return
        assert there is not None
        if place is None:
            _pour(file, there)
        else:
            _overwrite(there, file)


def named_folder(path: Path, *, parents: bool = True) -> None:
    """Make a folder that the user names, unless it is there, with the mode that the user's umask
    gives; with ``parents`` also those above it. Raises `UserError`."""
    with _told(path):
        real = Path(os.path.realpath(path))
        wanted = (real, *real.parents) if parents else (real,)
        for folder in reversed([each for each in wanted if not each.is_dir()]):
            folder.mkdir(exist_ok=True)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                _give_users_mode(descriptor, 0o777)
            finally:
                os.close(descriptor)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"{path} can't be written: {error.strerror or error}.") from None


def _opened(path: Path) -> tuple[int | None, Path | None]:
    """Open what a path leads to for writing, unless nothing is there; and say which path a new file
    may be renamed to, unless what is there has to be written to.

    Raises:
        OSError: it can't be opened, or opening it or writing to it may wait for ever.
    """
    if (number := 1 if path == STDOUT else _own_descriptor(path)) is not None:
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "it is open for reading only")
        return os.dup(number), None
    real = Path(os.path.realpath(path))
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None, real
    for is_kind, name in ((stat.S_ISSOCK, "a socket"), (stat.S_ISBLK, "a disk")):
        if is_kind(mode):
            raise OSError(errno.EINVAL, f"it is {name}")
    try:
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        there = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ENXIO and stat.S_ISFIFO(mode):
            raise OSError(errno.ENXIO, "nobody reads from this pipe") from None
        raise
    os.set_blocking(there, True)
    about = os.fstat(there)
    with suppress(FileNotFoundError):  # as of a file that was deleted since it was opened
        if stat.S_ISREG(about.st_mode) and os.path.samestat(about, real.stat()):
            return there, real
    return there, None


def _own_descriptor(path: Path) -> int | None:
    """Return the number of the open file of this process that a path is a link to.

    The kernel would open such a file once more, at its beginning: what a shell's ``>`` collects
    from several commands would be lost.
    """
    for _ in range(40):  # as the kernel does
        path = Path(os.path.realpath(path.parent), path.name)
        if found := _DESCRIPTOR.fullmatch(str(path)):
            return int(found[2]) if int(found[1]) == os.getpid() else None
        try:
            path = path.parent / path.readlink()
        except OSError:
            return None
    return None


def _made_aside(place: Path, there: int | None) -> tuple[IO[bytes], Path] | None:
    """Make a file beside ``place`` that may be renamed to it.

    Args:
        there: the file that is there.

    Returns:
        ``None`` if the file that is there has to be written to: others know it by another name, its
        owner or attributes can't be given to a new one, or its folder takes none.

    Raises:
        OSError: there is none, and none can be made.
    """
    aside = place.with_name(f".seqbench-{os.urandom(8).hex()}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        made = os.open(aside, flags, 0o666 if there is None else 0o600)
    except OSError:
        if there is None:
            raise
        return None
    try:
        if there is None:
            _give_users_mode(made, 0o666)
        else:
            _liken(made, there)
    except OSError:
        os.close(made)
        aside.unlink()
        return None
    return os.fdopen(made, "w+b"), aside


def _give_users_mode(made: int, mode: int) -> None:
    """Give a file or folder just made the mode that the user's umask leaves of ``mode``. Where the
    folder above has a default ACL, that counts, and the kernel has applied it."""
    umask = users_umask()
    if umask is not None and "system.posix_acl_access" not in _attributes(made):
        os.fchmod(made, stat.S_IMODE(os.fstat(made).st_mode) | (mode & ~umask))


def _liken(made: int, there: int) -> None:
    """Give a file the owner, mode and extended attributes of another. Raises `OSError`."""
    about, own = os.fstat(there), os.fstat(made)
    if about.st_nlink > 1:
        raise OSError(errno.EMLINK, "it has other names")
    if (about.st_uid, about.st_gid) != (own.st_uid, own.st_gid):
        os.fchown(made, about.st_uid, about.st_gid)
    os.fchmod(made, stat.S_IMODE(about.st_mode))
    for name in _attributes(there):
        os.setxattr(made, name, os.getxattr(there, name))


def _attributes(file: int) -> list[str]:
    try:
        return os.listxattr(file)
    except OSError:  # this file system has none
        return []


def _renamed(file: IO[Any], aside: Path, place: Path, there: int | None) -> bool:
    """Rename a written file to ``place``; ``False`` where what is there can't be replaced, as where
    another file system is mounted on it. Raises `OSError`."""
    os.fsync(file.fileno())
    try:
        aside.replace(place)
    except OSError:
        if there is None:
            raise
        return False
    with suppress(PermissionError):  # a folder that can't be read, but written to
        fsync_folder(place.parent)
    return True


def _overwrite(there: int, file: IO[Any]) -> None:
    """Write a content over that of an open file, once there is room for it. Raises `OSError`."""
    size, before = file.seek(0, os.SEEK_END), os.fstat(there).st_size
    try:
        if size:
            os.posix_fallocate(there, 0, size)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            os.ftruncate(there, before)
            raise
    _pour(file, there)
    os.ftruncate(there, size)
    os.fsync(there)


def _pour(file: IO[Any], into: int) -> None:
    """Write all of a file to a descriptor. Raises `OSError`."""
    file.seek(0)
    while piece := memoryview(file.read(PIECE)):
        while piece:
            piece = piece[os.write(into, piece) :]

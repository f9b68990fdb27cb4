"""Taking a few named files out of a zip that isn't trusted."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from engine.atomic import fsync_folder
from engine.errors import DataError

LARGEST_RATIO = 20
"""Rating files shrink to a quarter or so; what grows more than this is no data set."""

COPY_BYTES = 2**20

_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError,
    ArithmeticError, OSError,
)  # fmt: skip


def unpack(
    archive: Path,
    into: Path,
    folder: str,
    files: tuple[str, ...],
    archive_bytes: int,
    besides: tuple[str, ...] = (),
) -> None:
    """Write ``files`` and the README of ``folder`` in a zip into the folder ``into``, durably,
    and of ``besides`` what the zip holds.

    Nothing else is written, whatever the zip holds; a zip with a link or a path that leads out
    of it is refused as a whole.

    Args:
        archive_bytes: size of the zip, which bounds what may come out of it.

    Raises:
        DataError: the zip is damaged or unsafe, or lacks a file.
        OSError: the files can't be written.
    """
    with archive.open("rb") as file:
        with _damage_named():
            zipped = zipfile.ZipFile(file)
        members = _wanted(zipped.infolist(), folder, files, besides)
        left = archive_bytes * LARGEST_RATIO
        for name, member in members.items():
            left -= _extract(zipped, member, into / name, left)
    fsync_folder(into)


@contextmanager
def _damage_named() -> Iterator[None]:
    """Whatever reading a zip raises that was made to break its reader, as a `DataError`."""
    try:
        yield
    except _DAMAGE as error:
        raise DataError(f"The archive can't be unpacked ({error}): fetch it again.") from error


def _wanted(
    members: list[zipfile.ZipInfo], folder: str, files: tuple[str, ...], besides: tuple[str, ...]
) -> dict[str, zipfile.ZipInfo]:
    """The members to take, by the name to give them."""
    found: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        mode = member.external_attr >> 16
        if path.is_absolute() or ".." in path.parts or ":" in member.filename:
            raise _unsafe(f"{member.filename!r} leads out of it")
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _unsafe(f"{member.filename!r} is a link or a device")
        if len(path.parts) != 2 or path.parts[0] != folder or member.is_dir():
            continue
        if path.name in files + besides or path.name.startswith("README"):
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise _unsafe(f"{member.filename!r} is packed in a way that data sets aren't")
            if path.name in found:
                raise _unsafe(f"{member.filename!r} is in it twice")
            found[path.name] = member
    if missing := [name for name in files if name not in found]:
        raise DataError(
            f"The archive holds no {folder}/{missing[0]}: correct 'folder' or 'files' of the "
            "data set in configs/datasets."
        )
    return found


def _extract(zipped: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, limit: int) -> int:
    """Copy one member and return its size. What its header says of the size isn't believed."""
    written = 0
    with target.open("xb") as file:
        for chunk in _content(zipped, member):
            written += len(chunk)
            if written > limit:
                raise _unsafe(f"{member.filename!r} unpacks to far more than a data set holds")
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return written


def _content(zipped: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with _damage_named(), zipped.open(member) as source:
        while chunk := source.read(COPY_BYTES):
            yield chunk


def _unsafe(reason: str) -> DataError:
    return DataError(f"The archive is not safe to unpack, {reason}: fetch it from its publisher.")

"""Extracting named files from an untrusted zip."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from engine.errors import DataError
from engine.files.atomic import fsync_folder

LARGEST_RATIO = 20
"""Most that the contents may exceed the zip's size; rating files compress to about a quarter."""

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
    optional: tuple[str, ...] = (),
) -> None:
    """Extract ``files`` and READMEs of ``folder`` in a zip into the folder ``into``, durably.
     Nothing else is written. A zip with a link, or with a path that leads outside of it, is
    refused.

    Args:
        archive_bytes: size of the zip, which bounds the size of the files.
        optional: more files to extract, if the zip holds them.

    Raises:
        DataError: the zip is damaged or unsafe, or lacks one of ``files``.
        OSError: the files can't be written.
    """
    with archive.open("rb") as file:
        with _as_data_error():
            zipped = zipfile.ZipFile(file)
        members = _wanted(zipped.infolist(), folder, files, optional)
        left = archive_bytes * LARGEST_RATIO
        for name, member in members.items():
            left -= _extract(zipped, member, into / name, left)
    fsync_folder(into)


@contextmanager
def _as_data_error() -> Iterator[None]:
    """Turn any exception that reading a damaged zip raises into a `DataError`."""
    try:
        yield
    except _DAMAGE as error:
        raise DataError(f"The archive can't be unpacked ({error}): fetch it again.") from error


def _wanted(
    members: list[zipfile.ZipInfo], folder: str, files: tuple[str, ...], optional: tuple[str, ...]
) -> dict[str, zipfile.ZipInfo]:
    """Return the members to extract, by file name."""
    found: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        mode = member.external_attr >> 16
        if path.is_absolute() or ".." in path.parts or ":" in member.filename:
            raise _unsafe(f"{member.filename!r} leads outside of it")
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _unsafe(f"{member.filename!r} is a link or a device")
        if len(path.parts) != 2 or path.parts[0] != folder or member.is_dir():
            continue
        if path.name in files + optional or path.name.startswith("README"):
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise _unsafe(f"{member.filename!r} is compressed in an unusual way")
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
    """Extract one member and return its size, without trusting the size in its header."""
    written = 0
    with target.open("xb") as file:
        for chunk in _content(zipped, member):
            written += len(chunk)
            if written > limit:
                raise _unsafe(f"{member.filename!r} unpacks to far more than a data set")
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return written


def _content(zipped: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with _as_data_error(), zipped.open(member) as source:
        while chunk := source.read(COPY_BYTES):
            yield chunk


def _unsafe(reason: str) -> DataError:
    return DataError(f"The archive is not safe to unpack, {reason}: fetch it from its publisher.")

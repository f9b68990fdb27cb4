"""Unpacking a source's file: how it is packed is told by its first bytes, or said."""

from __future__ import annotations

import gzip
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from engine.errors import DataError
from engine.files.regular import open_regular
from engine.spec import Packing

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz", ".zip": "zip"}
"""Usual ends of packed files' names."""

_FIRST_BYTES: dict[bytes, Packing] = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
}
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")
"""What follows ``BZh`` and a digit: a first block, or the end of an empty file."""
_SPREADSHEET = "[Content_Types].xml"
"""A member of every .xlsx, which is a zip."""


@contextmanager
def open_unpacked(path: Path, packing: Packing | None = None) -> Iterator[BinaryIO]:
    """Open a file for reading what is packed in it.

    Args:
        packing: how it is packed; ``None`` if its first bytes tell, whatever its name.

    Raises:
        DataError: the file can't be read, is damaged, or is a zip of several files; also for errors
        of reads within the context.
    """
    found = packing
    try:
        with ExitStack() as stack:
            file = stack.enter_context(open_regular(path))
            found = packing or _packing_of(file)
            yield _OPENERS[found](path, file, stack)
    except (EOFError, zlib.error, zstd.ZstdError, zipfile.BadZipFile, RuntimeError) as error:
        raise _damaged(path, found, error) from error
    except OSError as error:
        if error.errno is None:  # what gzip and bzip2 raise for damage
            raise _damaged(path, found, error) from error
        raise DataError(f"{path} can't be read: {error.strerror or error}.") from error


def without_suffix(name: str) -> str:
    """Return a file's name without the end that says how it is packed."""
    end = next((end for end in SUFFIXES if name.lower().endswith(end)), "")
    return name[: len(name) - len(end)]


def _packing_of(file: BinaryIO) -> Packing:
    first = file.read(10)
    file.seek(0)
    for magic, packing in _FIRST_BYTES.items():
        if first.startswith(magic) and (packing != "bzip2" or first[4:] in _BZIP2_BLOCKS):
            return packing
    return "none"


def _damaged(path: Path, packing: Packing | None, error: Exception) -> DataError:
    return DataError(
        f"{path} is damaged ({error}): fetch or copy it again, or say how it is compressed with "
        f"--packing, if not with {packing}."
    )


def _gzip(_: Path, file: BinaryIO, stack: ExitStack) -> BinaryIO:
    return stack.enter_context(gzip.GzipFile(fileobj=file))  # type: ignore[return-value]


def _zstd(_: Path, file: BinaryIO, stack: ExitStack) -> BinaryIO:
    return stack.enter_context(zstd.ZstdFile(file))  # type: ignore[return-value]


# Not at the top: a Python may have been built without these two.
def _bzip2(path: Path, file: BinaryIO, stack: ExitStack) -> BinaryIO:
    with _needed(path, "bzip2"):
        import bz2
    return stack.enter_context(bz2.BZ2File(file))  # type: ignore[return-value]


def _xz(path: Path, file: BinaryIO, stack: ExitStack) -> BinaryIO:
    with _needed(path, "xz"):
        import lzma
    stack.enter_context(_as_damage(lzma.LZMAError))
    return stack.enter_context(lzma.LZMAFile(file))  # type: ignore[return-value]


def _zip(path: Path, file: BinaryIO, stack: ExitStack) -> BinaryIO:
    zipped = stack.enter_context(zipfile.ZipFile(file))
    members = [
        member
        for member in zipped.infolist()
        if not member.is_dir() and PurePosixPath(member.filename).parts[0] != "__MACOSX"
    ]
    if any(member.filename == _SPREADSHEET for member in members):
        raise DataError(f"{path} is a spreadsheet: export the sheet as CSV, and import that.")
    if len(members) != 1:
        raise DataError(
            f"{path} is a zip of {len(members)} files: unpack it, and import the one with the "
            "interactions."
        )
    return stack.enter_context(zipped.open(members[0]))  # type: ignore[return-value]


@contextmanager
def _needed(path: Path, packing: Packing) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise DataError(f"{path}: this Python can't unpack {packing}: unpack it first.") from error


@contextmanager
def _as_damage(kind: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kind as error:
        raise EOFError(str(error)) from error


_OPENERS: dict[Packing, Callable[[Path, Any, ExitStack], BinaryIO]] = {
    "none": lambda _path, file, _stack: file,
    "gzip": _gzip,
    "zstd": _zstd,
    "bzip2": _bzip2,
    "xz": _xz,
    "zip": _zip,
}

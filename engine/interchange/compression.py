"""Archives' outer layer: gzip, which everything reads, or Zstandard, which is several times
faster."""

from __future__ import annotations

import gzip
import sys
import tarfile
import zlib
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO, BinaryIO, cast

from engine.errors import UsageError

SUFFIXES = (".tar.gz", ".tgz", ".tar.zst")

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_GZIP_LEVEL = 6


def is_archive_name(path: Path) -> bool:
    """Whether a file of this name holds, or would hold, an archive."""
    return path.name.lower().endswith(SUFFIXES)


def check_name(path: Path) -> None:
    """Raises `UsageError` where it isn't that of an archive."""
    if not is_archive_name(path):
        raise UsageError(
            f"{path.name} doesn't say how to compress it: end it in .tar.zst or .tar.gz."
        )


def compressed(file: BinaryIO, name: str) -> IO[bytes]:
    """Write into ``file``, compressed as its name says. Close the result; ``file`` stays open."""
    if name.lower().endswith(".tar.zst"):
        return cast("IO[bytes]", zstd().ZstdFile(file, "w"))
    # No name and no time in it: the same runs make the same bytes.
    return cast("IO[bytes]", gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0))


def decompressed(file: BinaryIO) -> IO[bytes] | None:
    """Read what ``file`` holds, as its first bytes say; ``None`` where they say neither."""
    magic = file.read(4)
    file.seek(0)
    if magic.startswith(_GZIP_MAGIC):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))
    if magic == _ZSTD_MAGIC:
        return cast("IO[bytes]", zstd().ZstdFile(file, "r"))
    return None


def damage() -> tuple[type[Exception], ...]:
    """What may be raised by reading what isn't whole."""
    return EOFError, OSError, ValueError, zlib.error, tarfile.TarError, zstd().ZstdError


def zstd() -> ModuleType:
    """Python's own from 3.14 on, or else the same module as a package."""
    own = sys.version_info >= (3, 14)
    return import_module("compression.zstd" if own else "backports.zstd")

"""Tar archives within gzip, which everything reads, or Zstandard, which is several times faster."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from engine.errors import UsageError

if sys.version_info >= (3, 14):
    import tarfile

    from compression.zstd import ZstdError
else:
    from backports.zstd import ZstdError, tarfile

__all__ = ["DAMAGE", "SUFFIXES", "check_name", "is_archive_name", "opened", "tarfile", "written"]

SUFFIXES = (".tar.gz", ".tgz", ".tar.zst")

DAMAGE = (EOFError, OSError, ValueError, zlib.error, tarfile.TarError, ZstdError)
"""What reading an archive may raise that isn't whole."""

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_GZIP_LEVEL = 6


def is_archive_name(path: Path) -> bool:
    """Whether a file of this name holds, or would hold, an archive."""
    return path.name.lower().endswith(SUFFIXES)


def check_name(path: Path) -> None:
    """Refuse a name that doesn't say how to compress.

    Raises:
        UsageError: it isn't an archive's name.
    """
    if not is_archive_name(path):
        raise UsageError(
            f"{path.name} doesn't say how to compress it: end it in .tar.zst or .tar.gz."
        )


@contextmanager
def written(file: BinaryIO, name: str) -> Iterator[tarfile.TarFile]:
    """Write an archive into ``file``, compressed as its name says. The same members in the same
    order give the same bytes."""
    if name.lower().endswith(".tar.zst"):
        with tarfile.open(fileobj=file, mode="w:zst", format=tarfile.USTAR_FORMAT) as tar:
            yield tar
        return
    # Not by "w:gz", which puts the time into the header.
    with (
        gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as outer,
        tarfile.open(fileobj=outer, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        yield tar


def opened(file: BinaryIO, tarinfo: type[tarfile.TarInfo]) -> tarfile.TarFile | None:
    """Open the archive in ``file`` for reading; ``None`` if its first bytes are neither gzip's nor
    Zstandard's.

    No stream (``r|*``): it would decompress a whole block at once, however large that gets.
    """
    magic = file.read(4)
    file.seek(0)
    if magic.startswith(_GZIP_MAGIC):
        return tarfile.open(fileobj=file, mode="r:gz", tarinfo=tarinfo)
    if magic == _ZSTD_MAGIC:
        return tarfile.open(None, "r:zst", file, tarinfo=tarinfo)
    return None

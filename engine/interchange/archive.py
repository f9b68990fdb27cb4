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
    from backports.zstd import ZstdError
    from backports.zstd import tarfile as tarfile

SUFFIXES = (".tar.gz", ".tgz", ".tar.zst")

DAMAGE = (EOFError, OSError, ValueError, zlib.error, tarfile.TarError, ZstdError)
"""Exceptions that reading a damaged or truncated archive may raise."""

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_GZIP_LEVEL = 6


def is_archive_name(path: Path) -> bool:
    """Return whether the name ends like that of an archive."""
    return path.name.lower().endswith(SUFFIXES)


def check_name(path: Path) -> None:
    """Refuse a name that doesn't show the compression.

    Raises:
        UsageError: the name doesn't end in one of `SUFFIXES`.
    """
    if not is_archive_name(path):
        raise UsageError(
            f"{path.name} doesn't say how to compress it: end the name in .tar.zst or .tar.gz."
        )


@contextmanager
def write_archive(file: BinaryIO, name: str) -> Iterator[tarfile.TarFile]:
    """Open an archive in ``file`` for writing, compressed as ``name`` ends. The same members in
    the same order give the same bytes."""
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


def open_archive(file: BinaryIO, tarinfo: type[tarfile.TarInfo]) -> tarfile.TarFile | None:
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

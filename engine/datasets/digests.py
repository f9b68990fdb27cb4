"""Digests of the files of data sets, kept in the cache: a file that hasn't changed is read once.

A file hasn't changed if its path, size, inode and times (of its content and of its inode) are what
they were. Clocks have steps, of seconds on some file systems, within which a second write leaves no
trace in the times. So digests are only kept of a file that nobody has written to for
`SETTLE_SECONDS`, and not of one that changed while it was read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from dataclasses import asdict, dataclass
from io import BufferedReader
from pathlib import Path

from engine.datasets.locate import cache_folder
from engine.files.atomic import write_atomically

SETTLE_SECONDS = 2.0
"""The coarsest step of a file system's times (FAT)."""

CHUNK = 2**20


@dataclass(frozen=True)
class Digests:
    """The digests of a file, in hex."""

    sha256: str
    md5: str


def file_digests(path: Path) -> Digests:
    """Return the digests of a file: those that are kept, if it hasn't changed since.

    Raises:
        OSError: the file can't be read.
    """
    resolved = str(path.resolve())
    name = hashlib.sha256(resolved.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    kept = prepared_folder() / f"source-{name}.json"
    with path.open("rb") as file:
        before = os.fstat(file.fileno())
        identity = [resolved, *_identity(before)]
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            known = json.loads(kept.read_bytes())
            if known["identity"] == identity:
                return Digests(str(known["sha256"]), str(known["md5"]))
        age = time.time() - max(before.st_mtime, before.st_ctime)
        digests = _digests_of(file)
        after = os.fstat(file.fileno())
    if age > SETTLE_SECONDS and _identity(after) == _identity(before):
        with contextlib.suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(kept, json.dumps({"identity": identity, **asdict(digests)}))
    return digests


def prepared_folder() -> Path:
    """Return the folder of the cache that holds prepared copies and digests."""
    return cache_folder() / "prepared"


def _identity(stat: os.stat_result) -> list[int]:
    return [stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_ctime_ns]


def _digests_of(file: BufferedReader) -> Digests:
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    while chunk := file.read(CHUNK):
        sha256.update(chunk)
        md5.update(chunk)
    return Digests(sha256.hexdigest(), md5.hexdigest())

"""The prepared copy of a data set in the cache: parsed and sorted once, then loaded as arrays.

A copy serves only the very file it was made from. It may be deleted or damaged at any time: it is
then made anew, and where the cache can't be written the data is simply read from its source.
"""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.atomic import atomic_file
from engine.datasets.locate import cache_folder

VERSION = 1
"""Raised whenever reading the same file gives other arrays."""


def source_key(path: Path, reader: str) -> str:
    """What a prepared copy is valid for: this file, unchanged, read in this way.

    Raises:
        OSError: the file isn't there.
    """
    stat = path.stat()
    identity = (VERSION, reader, str(path.resolve()), stat.st_size, stat.st_mtime_ns)
    return hashlib.sha256(repr(identity).encode()).hexdigest()


def load_prepared(name: str, key: str) -> tuple[NDArray[np.int32], NDArray[np.int64], int] | None:
    """Items, offsets and the number of items, or None when there is no valid copy."""
    try:
        # Opened here, for np.load leaves a file open that turns out damaged.
        with _path(name).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if str(arrays["key"]) != key:
                return None
            items, offsets = arrays["items"], arrays["offsets"]
            if items.dtype != np.int32 or offsets.dtype != np.int64:
                return None
            return items, offsets, int(arrays["num_items"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError):
        return None


def save_prepared(
    name: str, key: str, items: NDArray[np.int32], offsets: NDArray[np.int64], num_items: int
) -> None:
    """Keep the arrays for the next `load_prepared`, if the cache can be written."""
    path = _path(name)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as file:
            np.savez(
                file,
                key=np.array(key),
                items=items,
                offsets=offsets,
                num_items=np.array(num_items),
            )


def _path(name: str) -> Path:
    return cache_folder() / "prepared" / f"{name}.npz"

"""The prepared copy of a data set in the cache: read, filtered and sorted once, then mapped into
memory.

A copy is one file: a line of JSON, then the arrays as they are in memory. It serves one source
(by its SHA-256) read with one set of settings. It is whole or absent, may be deleted or damaged at
any time and is then made anew; where the cache can't be written the data is simply read from its
source. Whoever opens a copy keeps what it has, though another process replaces the file.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import mmap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.atomic import atomic_file, write_atomically
from engine.datasets.filters import Step
from engine.datasets.interactions import Interactions, checksum_of
from engine.datasets.locate import cache_folder
from engine.datasets.ordering import Ids
from engine.regular import open_regular
from engine.spec import Dataset

VERSION = 2
"""Raised whenever reading the same file gives other arrays, or they are kept in another way."""

ALIGNMENT = 64
HEADER_BYTES = 2**16
"""Most that a header is."""


@dataclass(frozen=True)
class Prepared:
    """A data set as it is trained on, with what it was made from."""

    interactions: Interactions
    user_ids: Ids
    """(users,): the id in the source of each user."""
    item_ids: Ids
    """(V,): that of item 1, 2, …, V."""
    steps: tuple[Step, ...]
    """Counts of the source, and what each step of the filter left."""


def source_checksum(path: Path) -> str:
    """SHA-256 of a file, in hex; worked out anew only when size, time or place of it changed.

    Raises:
        OSError: the file can't be read.
    """
    stat = path.stat()
    place = str(path.resolve())
    identity = [place, stat.st_size, stat.st_mtime_ns, stat.st_ino]
    name = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    kept = _folder() / f"source-{name}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(kept.read_bytes())
        if known["identity"] == identity:
            return str(known["sha256"])
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with contextlib.suppress(OSError):
        _folder().mkdir(parents=True, exist_ok=True)
        write_atomically(kept, json.dumps({"identity": identity, "sha256": digest}))
    return digest


def preparation_key(dataset: Dataset, source: str) -> str:
    """What a prepared copy is valid for: this source (its SHA-256), read in this way."""
    how = dataset.model_dump(mode="json", include={"reader", "columns", "filter"})
    return hashlib.sha256(repr((VERSION, source, how)).encode()).hexdigest()


@contextlib.contextmanager
def preparing(name: str) -> Iterator[None]:
    """Let one process at a time prepare a data set; the next one then finds it done."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):  # without a lock both prepare, and the last one stays
            _folder().mkdir(parents=True, exist_ok=True)
            file = held.enter_context((_folder() / f"{name}.lock").open("wb"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def load_prepared(name: str, key: str) -> Prepared | None:
    """Map a prepared copy into memory, or None when there is no valid one.

    Pages are read when they are looked at, and the arrays may be written to: the file stays as it
    is. Contents aren't checked (`is_sound`), only that the file is what its header says.
    """
    try:
        with open_regular(_path(name, key)) as file:
            header = json.loads(file.readline(HEADER_BYTES))
            if header["key"] != key:
                return None
            # Copy-on-write: torch warns of arrays that can't be written to.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        if len(mapped) != header["size"]:
            return None
        arrays = {
            each: np.frombuffer(mapped, np.dtype(kind), count, offset)
            for each, (kind, count, offset) in header["arrays"].items()
        }
        interactions = Interactions(
            arrays["items"],
            arrays["offsets"],
            header["num_items"],
            header["checksum"],
            arrays.get("times"),
        )
        steps = tuple(Step(**step) for step in header["steps"])
        found = Prepared(interactions, arrays["user_ids"], arrays["item_ids"], steps)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if _fits_together(found) else None


def _fits_together(prepared: Prepared) -> bool:
    own = prepared.interactions
    return bool(
        own.items.dtype == np.int32
        and own.offsets.dtype == np.int64
        and len(own.offsets)
        and own.offsets[0] == 0
        and own.offsets[-1] == len(own.items)
        and len(prepared.user_ids) == own.num_users
        and len(prepared.item_ids) == own.num_items
        and (own.times is None or len(own.times) == len(own.items))
    )


def is_sound(prepared: Prepared) -> bool:
    """Whether the histories are still what they were when the copy was written."""
    own = prepared.interactions
    return checksum_of(own.items, own.offsets, own.num_items) == own.checksum


def save_prepared(name: str, key: str, prepared: Prepared) -> None:
    """Keep a copy for the next `load_prepared`, if the cache can be written; older ones go."""
    own = prepared.interactions
    arrays: dict[str, NDArray[Any]] = {"items": own.items, "offsets": own.offsets}
    if own.times is not None:
        arrays["times"] = own.times
    arrays |= {"user_ids": prepared.user_ids, "item_ids": prepared.item_ids}
    header: dict[str, Any] = {
        "key": key,
        "num_items": own.num_items,
        "checksum": own.checksum,
        "steps": [asdict(step) for step in prepared.steps],
    }
    path = _path(name, key)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as file:
            file.write(_header(header, arrays))
            for array in arrays.values():
                file.seek(-file.tell() % ALIGNMENT, 1)
                file.write(np.ascontiguousarray(array).data)
            file.truncate()
        for old in path.parent.glob(f"{name}-{'[0-9a-f]' * 16}.seqbench"):
            if old != path:
                old.unlink(missing_ok=True)


def _header(facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> bytes:
    """The first line: where each array begins depends on its own length, which is made even."""
    room = ALIGNMENT * (16 + len(json.dumps(facts)) // ALIGNMENT)
    places: dict[str, tuple[str, int, int]] = {}
    offset = room
    for name, array in arrays.items():
        offset += -offset % ALIGNMENT
        places[name] = (array.dtype.str, array.size, offset)
        offset += array.nbytes
    line = json.dumps({**facts, "arrays": places, "size": offset})
    return line.ljust(room - 1).encode() + b"\n"


def _folder() -> Path:
    return cache_folder() / "prepared"


def _path(name: str, key: str) -> Path:
    return _folder() / f"{name}-{key[:16]}.seqbench"

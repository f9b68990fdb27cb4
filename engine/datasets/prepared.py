"""Prepared copies in the cache: data sets read, filtered and sorted once, then mapped into memory.

A copy is one file, written atomically: a line of JSON, then the arrays as they are in memory. It is
valid for one source (by its SHA-256) and the settings it was read with. A copy that is deleted or
damaged is written again; if the cache isn't writable, the source is read every time. A copy that a
process has mapped stays as it is for that process when another one replaces the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.datasets.digests import prepared_folder
from engine.datasets.filters import FilterStep
from engine.datasets.interactions import Interactions, checksum_of
from engine.datasets.ordering import Ids
from engine.datasets.times import UNITS
from engine.files.atomic import atomic_file, name_aimed_at
from engine.files.lock import hold_lock
from engine.files.regular import open_regular
from engine.spec import Dataset

VERSION = 5
"""Increased with every change to what is read from a source, or to the format of copies."""

_READ_WITH = {"reader", "columns", "encoding", "packing", "filter"}
"""Fields of a data set that decide what is read from its source."""

ALIGNMENT = 64
"""Of each array in the file, in bytes."""

HEADER_BYTES = 2**16
"""Most bytes of a header."""


@dataclass(frozen=True)
class Prepared:
    """A data set ready for training, with the source's ids and the filter's counts."""

    interactions: Interactions
    user_ids: Ids
    """(users,): the id of each user in the source."""
    item_ids: Ids
    """(V,): the ids of items 1…V."""
    steps: tuple[FilterStep, ...]
    """The counts of the source, and those after each step of the filter."""
    unit: int | None = None
    """Units in a second that the source's times count (`engine.datasets.times.UNITS`), if they are
    numbers."""


def preparation_key(dataset: Dataset, source: str) -> str:
    """Return the key of the prepared copy of a source (its SHA-256) with these settings."""
    how = dataset.model_dump(mode="json", include=_READ_WITH)
    return hashlib.sha256(repr((VERSION, source, how)).encode()).hexdigest()


@contextlib.contextmanager
def preparation_lock(name: str) -> Iterator[None]:
    """Let one process at a time prepare a data set, while others wait for its copy."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):  # without a lock, both prepare it
            prepared_folder().mkdir(parents=True, exist_ok=True)
            held.enter_context(hold_lock(prepared_folder() / f"{name}.lock"))
        yield


def load_prepared(name: str, key: str) -> Prepared | None:
    """Map a prepared copy into memory; return ``None`` if there is no valid one.

    Pages are read on access. The arrays are writable, without an effect on the file. Only the
    header is checked, not the contents (see `is_sound`).
    """
    try:
        with open_regular(_path(name, key)) as file:
            header = json.loads(file.readline(HEADER_BYTES))
            if header["key"] != key:
                return None
            # Copy-on-write, because torch warns about read-only arrays.
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
            arrays.get("parts"),
        )
        steps = tuple(FilterStep(**step) for step in header["steps"])
        ids = arrays["user_ids"], arrays["item_ids"]
        found = Prepared(interactions, *ids, steps, header["unit"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if _fits_together(found) else None


def _fits_together(prepared: Prepared) -> bool:
    """Whether the arrays' types and sizes are consistent, and the unit is one."""
    own = prepared.interactions
    return bool(
        own.items.dtype == np.int32
        and own.offsets.dtype == np.int64
        and len(own.offsets)
        and own.offsets[0] == 0
        and own.offsets[-1] == len(own.items)
        and len(prepared.user_ids) == own.num_users
        and len(prepared.item_ids) == own.num_items
        and prepared.unit in (None, *UNITS)
        and (own.times is None or len(own.times) == len(own.items))
        and (own.parts is None or len(own.parts) == len(own.items))
    )


def ids_checksum(prepared: Prepared) -> str:
    """Compute the SHA-256, in hex, of what users and items are called in the source.
    A run's results don't depend on it, except for which items its model recommends.
    """
    digest = hashlib.sha256()
    for ids in (prepared.user_ids, prepared.item_ids):
        digest.update(f"{ids.dtype.str} {len(ids)}\n".encode())
        digest.update(np.ascontiguousarray(ids).data)
    return digest.hexdigest()


def is_sound(prepared: Prepared) -> bool:
    """Whether the histories still have the checksum that they were written with."""
    own = prepared.interactions
    return checksum_of(own.items, own.offsets, own.num_items, own.parts) == own.checksum


def save_prepared(name: str, key: str, prepared: Prepared) -> None:
    """Write a copy for `load_prepared`, if the cache is writable, and delete older ones and what
    processes left that were killed as they wrote one."""
    own = prepared.interactions
    arrays: dict[str, NDArray[Any]] = {"items": own.items, "offsets": own.offsets}
    if own.times is not None:
        arrays["times"] = own.times
    if own.parts is not None:
        arrays["parts"] = own.parts
    arrays |= {"user_ids": prepared.user_ids, "item_ids": prepared.item_ids}
    header: dict[str, Any] = {
        "key": key,
        "num_items": own.num_items,
        "checksum": own.checksum,
        "steps": [asdict(step) for step in prepared.steps],
        "unit": prepared.unit,
    }
    path = _path(name, key)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        copy = re.compile(re.escape(name) + "-[0-9a-f]{16}\\.seqbench")
        for left in path.parent.iterdir():
            if copy.fullmatch(name_aimed_at(left.name) or ""):
                left.unlink(missing_ok=True)
        with atomic_file(path) as file:
            file.write(_header(header, arrays))
            for array in arrays.values():
                file.seek(-file.tell() % ALIGNMENT, 1)
                file.write(np.ascontiguousarray(array).data)
            file.truncate()
        for old in path.parent.iterdir():
            if old != path and copy.fullmatch(old.name):
                old.unlink(missing_ok=True)


def _header(facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> bytes:
    """Return the header line, padded to a length that doesn't depend on the offsets in it."""
    room = ALIGNMENT * (16 + len(json.dumps(facts)) // ALIGNMENT)
    layout: dict[str, tuple[str, int, int]] = {}
    offset = room
    for name, array in arrays.items():
        offset += -offset % ALIGNMENT
        layout[name] = (array.dtype.str, array.size, offset)
        offset += array.nbytes
    line = json.dumps({**facts, "arrays": layout, "size": offset})
    return line.ljust(room - 1).encode() + b"\n"


def _path(name: str, key: str) -> Path:
    return prepared_folder() / f"{name}-{key[:16]}.seqbench"

"""Interactions: every user's items in time order, in flat arrays."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Interactions:
    """The histories of all users.

    Users are numbered from 0 in order of their first row in the source, items 1…V in order of their
    original ids; 0 is padding.
    """

    items: NDArray[np.int32]
    """(interactions,): user by user, oldest first; ties in time keep the source's order."""
    offsets: NDArray[np.int64]
    """(users + 1,): user u's history is ``items[offsets[u]:offsets[u + 1]]``."""
    num_items: int
    """V, without padding."""
    checksum: str
    """SHA-256, in hex, of items, offsets, V and parts: equal for equal data, whatever the file."""
    times: NDArray[np.int64] | None = None
    """(interactions,): the time of each interaction, in microseconds since 1970 (or since the
    source's own beginning); ``None`` if it has none."""
    parts: NDArray[np.int8] | None = None
    """(interactions,): what each interaction is in a split that is given, as in
    `engine.datasets.readers.source`, ascending within a history; ``None`` if no split is given."""

    @property
    def num_users(self) -> int:
        return len(self.offsets) - 1


def make_interactions(
    items: NDArray[np.int32],
    offsets: NDArray[np.int64],
    num_items: int,
    times: NDArray[np.int64] | None = None,
    parts: NDArray[np.int8] | None = None,
) -> Interactions:
    """Make `Interactions` of arrays, converted to their final types, with the checksum.

    Raises:
        ValueError: the arrays don't describe histories of items 1…V.
    """
    if offsets.ndim != 1 or len(offsets) < 1 or offsets[0] != 0 or offsets[-1] != len(items):
        raise ValueError("offsets must run from 0 to the number of interactions")
    if (np.diff(offsets) < 0).any():
        raise ValueError("offsets must not decrease")
    if times is not None and len(times) != len(items):
        raise ValueError("times must be as many as items")
    if parts is not None and len(parts) != len(items):
        raise ValueError("parts must be as many as items")
    if items.size and not 1 <= items.min() <= items.max() <= num_items:
        raise ValueError(f"items must lie in 1…{num_items}")
    flat = np.ascontiguousarray(items, dtype="<i4")
    bounds = np.ascontiguousarray(offsets, dtype="<i8")
    checksum = checksum_of(flat, bounds, num_items, parts)
    return Interactions(flat, bounds, num_items, checksum, times, parts)


def checksum_of(
    items: NDArray[np.int32],
    offsets: NDArray[np.int64],
    num_items: int,
    parts: NDArray[np.int8] | None = None,
) -> str:
    """Compute `Interactions.checksum` of arrays in their final types."""
    digest = hashlib.sha256(items.data)
    digest.update(offsets.data)
    digest.update(np.int64(num_items).astype("<i8").tobytes())
    if parts is not None:
        digest.update(parts.data)
    return digest.hexdigest()

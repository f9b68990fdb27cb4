"""Every user's items in time order, as flat arrays: what models are trained and evaluated on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.datasets.locate import require
from engine.datasets.prepared import load_prepared, save_prepared, source_key
from engine.datasets.ratings import Ratings, read_ratings
from engine.errors import DataError
from engine.spec import Dataset

SEPARATORS = {"movielens-tab": b"\t", "movielens-colons": b"::"}


@dataclass(frozen=True)
class Interactions:
    """Histories of all users. Users come in the order in which the source names them first; items
    are 1…V in the order of their original ids, and 0 is padding.
    """

    items: NDArray[np.int32]
    """(interactions,): user by user, oldest first; ties in time keep the order of the source."""
    offsets: NDArray[np.int64]
    """(users + 1,): user u's history is ``items[offsets[u]:offsets[u + 1]]``."""
    num_items: int
    """V."""
    checksum: str
    """SHA-256, in hex, of items, offsets and V: equal for equal data from whatever file."""

    @property
    def num_users(self) -> int:
        return len(self.offsets) - 1


def make_interactions(
    items: NDArray[np.int32], offsets: NDArray[np.int64], num_items: int
) -> Interactions:
    """Put arrays in their final types together with their checksum.

    Raises:
        ValueError: the arrays don't describe histories of items 1…V.
    """
    if offsets.ndim != 1 or len(offsets) < 1 or offsets[0] != 0 or offsets[-1] != len(items):
        raise ValueError("offsets must run from 0 to the number of interactions")
    if (np.diff(offsets) < 0).any():
        raise ValueError("offsets must not decrease")
    if items.size and not 1 <= items.min() <= items.max() <= num_items:
        raise ValueError(f"items must lie in 1…{num_items}")
    flat = np.ascontiguousarray(items, dtype="<i4")
    bounds = np.ascontiguousarray(offsets, dtype="<i8")
    digest = hashlib.sha256(flat.data)
    digest.update(bounds.data)
    digest.update(np.int64(num_items).astype("<i8").tobytes())
    return Interactions(flat, bounds, num_items, digest.hexdigest())


def order_by_time(ratings: Ratings) -> Interactions:
    """Number users and items, and sort each user's ratings by time; ties keep their order."""
    user, num_users = _positions(ratings.users)
    item, num_items = _positions(ratings.items)
    by_user_id = np.lexsort((ratings.times, user))

    # Whole histories are then moved to where their user's first rating in the source puts them.
    counts = np.bincount(user, minlength=num_users)
    starts = np.cumsum(counts) - counts
    as_seen = np.argsort(np.minimum.reduceat(by_user_id, starts))
    counts, starts = counts[as_seen], starts[as_seen]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    moved = np.arange(len(item)) + np.repeat(starts - offsets[:-1], counts)
    return make_interactions((item[by_user_id[moved]] + 1).astype(np.int32), offsets, num_items)


def _positions(ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """The place of each id among the distinct ids in ascending order, and how many those are."""
    if ids.max() < 2 * len(ids) + 2**20:
        # A table over all possible ids takes a tenth of the time of np.unique.
        present = np.zeros(ids.max() + 1, np.bool_)
        present[ids] = True
        return (np.cumsum(present) - 1)[ids], int(present.sum())
    distinct, position = np.unique(ids, return_inverse=True)
    return position, len(distinct)


def load_interactions(dataset: Dataset) -> Interactions:
    """Read a data set, from the prepared copy in the cache where that is up to date.

    The name of a data set whose file has a published checksum stands for exactly that data, so
    there other counts than the catalogue's are an error. Elsewhere what the file holds is taken:
    copies differ, and `Interactions.checksum` tells them apart.

    Raises:
        DataError: the data is absent, malformed, or not what its published checksum stands for.
    """
    if dataset.synthetic is not None:
        from engine.datasets.synthetic import generate

        return generate(dataset)
    path = require(dataset).folder / next(iter(dataset.files))
    interactions = _load_file(dataset, path)
    if any(dataset.files.values()) and (found := catalogue_differences(dataset, interactions)):
        raise DataError(
            f"{path} is not the published {dataset.title}: {found[0]} "
            f"Remove that copy and run `seqbench data fetch {dataset.name}`."
        )
    return interactions


def catalogue_differences(dataset: Dataset, interactions: Interactions) -> list[str]:
    """One sentence, or none: how the counts differ from the catalogue's."""
    counted = {
        "users": (interactions.num_users, dataset.users),
        "items": (interactions.num_items, dataset.items),
        "interactions": (len(interactions.items), dataset.interactions),
    }
    wrong = [f"{a:,} {name} (not {b:,})" for name, (a, b) in counted.items() if a != b]
    return [f"{dataset.title} holds {', '.join(wrong)} here."] if wrong else []


def _load_file(dataset: Dataset, path: Path) -> Interactions:
    try:
        key = source_key(path, dataset.reader)
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    if arrays := load_prepared(dataset.name, key):
        try:
            return make_interactions(*arrays)
        except ValueError:
            pass  # A damaged copy is made anew below.
    interactions = order_by_time(read_ratings(path, SEPARATORS[dataset.reader]))
    save_prepared(
        dataset.name, key, interactions.items, interactions.offsets, interactions.num_items
    )
    return interactions

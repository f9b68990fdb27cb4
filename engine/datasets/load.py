"""Reading a data set: from the prepared copy in the cache, its source files, or a generator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.locate import damaged_files, require
from engine.datasets.prepared import load_prepared, save_prepared, source_key
from engine.datasets.ratings import Ratings, read_ratings
from engine.datasets.synthetic import generate
from engine.errors import DataError
from engine.spec import Dataset

SEPARATORS = {"movielens-tab": b"\t", "movielens-colons": b"::"}


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


def verify(dataset: Dataset) -> list[str]:
    """Check a data set completely: files there, checksums as published, every line well formed,
    users, items and interactions as catalogued. Returns a sentence for each thing that is wrong.
    """
    if dataset.synthetic is None:
        try:
            located = require(dataset)
        except DataError as error:
            return [str(error)]
        if problems := damaged_files(dataset, located.folder):
            return problems
    try:
        return catalogue_differences(dataset, load_interactions(dataset))
    except DataError as error:
        return [str(error)]


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

"""Ordering interactions: from rows in file order to each user's history in time order.

In a split that is given, a history's training part comes first, then its validation part, then its
test part, each in time order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.readers.source import Ratings
from engine.spec.moments import SECOND

Ids = NDArray[np.int64] | NDArray[np.bytes_]
"""Ids as the source has them: whole numbers, or text in UTF-8."""


@dataclass(frozen=True)
class Ordered:
    """Histories, with the source's ids of their users and items."""

    interactions: Interactions
    user_ids: Ids
    """(users,): the id of each user."""
    item_ids: Ids
    """(V,): the ids of items 1…V."""


def order_by_time(ratings: Ratings) -> Ordered:
    """Number users and items, and sort each user's ratings by time; ties keep their order, and
    times their unit."""
    user, users = factorize(ratings.users)
    item, items = factorize(ratings.items)
    by_user_id = history_order(user, ratings)

    # Users are then reordered by their first row in the source.
    counts = np.bincount(user, minlength=len(users))
    del user
    starts = np.cumsum(counts) - counts
    as_seen = np.argsort(np.minimum.reduceat(by_user_id, starts))
    counts, starts = counts[as_seen], starts[as_seen]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    if (starts != offsets[:-1]).any():
        by_user_id = by_user_id[np.arange(len(item)) + np.repeat(starts - offsets[:-1], counts)]
    times, parts = ratings.times, ratings.parts
    interactions = make_interactions(
        item[by_user_id] + np.int32(1),
        offsets,
        len(items),
        None if times is None else times[by_user_id].astype(np.int64),
        None if parts is None else parts[by_user_id],
    )
    return Ordered(
        interactions,
        _ids(users, ratings.user_ids)[as_seen],
        _ids(items, ratings.item_ids),
    )


def factorize(ids: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Return each id's index among the distinct ids, int32, and those in ascending order."""
    if not len(ids):
        return np.zeros(0, np.int32), ids
    if ids.min() >= 0 and ids.max() < 2 * len(ids) + 2**20:
        # A table over all possible ids takes a tenth of the time of np.unique.
        present = np.zeros(int(ids.max()) + 1, np.bool_)
        present[ids] = True
        return (np.cumsum(present, dtype=np.int32) - np.int32(1))[ids], np.flatnonzero(present)
    distinct, position = np.unique(ids, return_inverse=True)
    return position.astype(np.int32), distinct


def history_order(user: NDArray[np.int32], ratings: Ratings) -> NDArray[np.int64]:
    """Return the rows in order of user, part, time and file.

    Args:
        user: (interactions,): as from `factorize`.
    """
    if ratings.parts is not None:
        within = (ratings.parts,) if ratings.times is None else (ratings.times, ratings.parts)
        return np.lexsort((*within, user))
    if ratings.times is None:
        return np.argsort(user, kind="stable")
    return _by_user_and_time(user, ratings.times)


def _by_user_and_time(
    user: NDArray[np.int32], times: NDArray[np.integer[Any]]
) -> NDArray[np.int64]:
    """Return the rows in order of user, time and file."""
    first, last = int(times.min()), int(times.max())
    user_bits = int(user.max()).bit_length()
    if user_bits + (last - first).bit_length() > 62 and not ((times - first) % SECOND).any():
        times = (times - first) // SECOND  # dates without fractions
        first, last = 0, int(times.max())
    bits = (last - first).bit_length()
    if user_bits + bits > 62:
        return np.lexsort((times, user))
    # Sorting one combined key takes half the time of sorting by two keys.
    key = user.astype(np.int64)
    key <<= bits
    key += times
    key -= first
    return np.argsort(key, kind="stable")


def _ids(numbers: NDArray[Any], ids: NDArray[np.bytes_] | None) -> Any:
    return numbers.astype(np.int64) if ids is None else ids[numbers]

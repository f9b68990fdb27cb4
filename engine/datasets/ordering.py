"""Ordering interactions: from rows in file order to each user's history in time order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.datasets.filters import factorize
from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.readers.source import Ratings

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
    """Number users and items, and sort each user's ratings by time; ties keep their order."""
    user, users = factorize(ratings.users)
    item, items = factorize(ratings.items)
    if ratings.times is None:
        by_user_id = np.argsort(user, kind="stable")
    else:
        by_user_id = _by_user_and_time(user, ratings.times)

    # Users are then reordered by their first row in the source.
    counts = np.bincount(user, minlength=len(users))
    del user
    starts = np.cumsum(counts) - counts
    as_seen = np.argsort(np.minimum.reduceat(by_user_id, starts))
    counts, starts = counts[as_seen], starts[as_seen]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    if (starts != offsets[:-1]).any():
        by_user_id = by_user_id[np.arange(len(item)) + np.repeat(starts - offsets[:-1], counts)]
    times = None if ratings.times is None else ratings.times[by_user_id].astype(np.int64)
    interactions = make_interactions(item[by_user_id] + np.int32(1), offsets, len(items), times)
    return Ordered(
        interactions,
        _ids(users, ratings.user_ids)[as_seen],
        _ids(items, ratings.item_ids),
    )


def _by_user_and_time(
    user: NDArray[np.int32], times: NDArray[np.integer[Any]]
) -> NDArray[np.int64]:
    """Return the rows in order of user, time and file."""
    first, last = int(times.min()), int(times.max())
    bits = (last - first).bit_length()
    if int(user.max()).bit_length() + bits > 62:
        return np.lexsort((times, user))
    # Sorting one combined key takes half the time of sorting by two keys.
    key = user.astype(np.int64)
    key <<= bits
    key += times
    key -= first
    return np.argsort(key, kind="stable")


def _ids(numbers: NDArray[Any], ids: NDArray[np.bytes_] | None) -> Any:
    return numbers.astype(np.int64) if ids is None else ids[numbers]

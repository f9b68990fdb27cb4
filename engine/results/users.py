"""Averages by user: a user counts once, however many targets the user has."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def user_bounds(users: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return where each user's targets begin, and their number: (evaluated + 1,).

    Args:
        users: (targets,): the number of each target's user, ascending.
    """
    new = np.flatnonzero(np.diff(users)) + 1
    begin = np.concatenate([[0], new]) if len(users) else np.zeros(0)
    return np.concatenate([begin, [len(users)]]).astype(np.int64)


def mean_by_user(
    values: NDArray[Any], users: NDArray[np.integer[Any]] | None
) -> NDArray[np.float64]:
    """Return the mean of each user's values, (…, evaluated), in the users' order.

    Args:
        values: (…, targets). Those of users with one target stay as they are, to the last bit.
        users: as in `user_bounds`; ``None`` if every user has one target.
    """
    given = np.asarray(values, np.float64)
    if users is None or not len(users):
        return given
    bounds = user_bounds(users)
    sums: NDArray[np.float64] = np.add.reduceat(given, bounds[:-1], axis=-1)
    return sums / np.diff(bounds)


def with_several(users: NDArray[np.integer[Any]]) -> bool:
    """Whether any user has several targets.

    Args:
        users: as in `user_bounds`.
    """
    return bool((np.diff(users) == 0).any())

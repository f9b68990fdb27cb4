"""Leave-one-out: of every history the last item is test, the one before it validation, the rest
training (the protocol of Kang & McAuley 2018, section IV-A).

A user with fewer than three interactions is only trained on. All functions are views or gathers
on the flat arrays of `Interactions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.datasets.interactions import Interactions

Split = Literal["valid", "test"]
FEWEST_EVALUATED = 3

_HELD_OUT_AFTER_HISTORY = {"valid": 2, "test": 1}


@dataclass(frozen=True)
class LeaveOneOut:
    """The split of one data set."""

    interactions: Interactions
    users: NDArray[np.int64]
    """(evaluated,): the users with three interactions or more, ascending."""
    train_end: NDArray[np.int64]
    """(users,): one past the last training interaction of each user in ``interactions.items``."""

    def ends(self, split: Split) -> NDArray[np.int64]:
        """(evaluated,): one past the history that the split's item follows: the training part for
        validation; that and the validation item for test.
        """
        return self.interactions.offsets[self.users + 1] - _HELD_OUT_AFTER_HISTORY[split]

    def targets(self, split: Split) -> NDArray[np.int32]:
        """(evaluated,): the item that is held out."""
        return self.interactions.items[self.ends(split)]

    def histories(self, split: Split, length: int) -> NDArray[np.int32]:
        """(evaluated, length): the last items before the target, left-padded with 0."""
        return last_items(self.interactions, self.users, self.ends(split), length)

    def seen(self, split: Split) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """What is masked when seen items are: `seen_items`, but for the target itself."""
        items, offsets = seen_items(self.interactions, self.users, self.ends(split))
        row = np.repeat(np.arange(len(self.users)), np.diff(offsets))
        other = items != self.targets(split)[row]
        counts = np.bincount(row[other], minlength=len(self.users))
        return items[other], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def leave_one_out(interactions: Interactions) -> LeaveOneOut:
    """Split a data set."""
    counts = np.diff(interactions.offsets)
    return LeaveOneOut(
        interactions=interactions,
        users=np.flatnonzero(counts >= FEWEST_EVALUATED),
        train_end=train_ends(interactions),
    )


def train_ends(interactions: Interactions) -> NDArray[np.int64]:
    """(users,): one past each user's last training interaction in ``interactions.items``."""
    counts = np.diff(interactions.offsets)
    return interactions.offsets[1:] - np.where(counts >= FEWEST_EVALUATED, 2, 0)


def last_items(
    interactions: Interactions, users: NDArray[np.int64], ends: NDArray[np.int64], length: int
) -> NDArray[np.int32]:
    """The last ``length`` items of each user before ``ends``.

    Args:
        users: (B,) user numbers.
        ends: (B,) one past each history's last position in ``interactions.items``.

    Returns:
        (B, length) int32, oldest first, right-aligned; 0 where the history is shorter.
    """
    position = ends[:, None] - length + np.arange(length)
    inside = position >= interactions.offsets[users][:, None]
    # Positions before the history may lie before the array; what they read is thrown away.
    return np.where(inside, interactions.items[np.where(inside, position, 0)], 0).astype(np.int32)


def seen_items(
    interactions: Interactions, users: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The distinct items of each user before ``ends``.

    Args:
        users: (B,) user numbers.
        ends: (B,) one past each history's last position in ``interactions.items``.

    Returns:
        The items, flat int32, ascending for each user, and offsets int64 (B + 1,) into them.
    """
    starts = interactions.offsets[users]
    counts = ends - starts
    row = np.repeat(np.arange(len(users)), counts)
    within = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    base = interactions.num_items + 1
    # Sorted by hand: np.unique takes fifteen times as long.
    keys = np.sort(row * base + interactions.items[starts[row] + within])
    keys = keys[np.diff(keys, prepend=-1) != 0]
    offsets = np.searchsorted(keys, np.arange(len(users) + 1) * base)
    return (keys % base).astype(np.int32), offsets.astype(np.int64)

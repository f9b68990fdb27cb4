"""Targets: which of the interactions that are held out are ranked, each given all before it.

Of a user's interactions in a period, ``successive`` ranks every one, ``last``, ``random`` and
``first`` one of them (Time to Split: Exploring Data Splitting Strategies for Offline Evaluation of
Sequential Recommenders, RecSys 2025). A model needs something to begin with: an interaction without
any before it is no target.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.results.users import user_bounds
from engine.spec import Targets


@dataclass(frozen=True)
class HeldOut:
    """The targets of one split."""

    users: NDArray[np.int64]
    """(targets,): the number of each target's user, ascending; a user's targets are in the order of
    time."""
    ends: NDArray[np.int64]
    """(targets,): the target's index in ``interactions.items``, one past the history before
    it."""
    without_history: int = 0
    """Interactions that would be targets if anything were before them."""

    @cached_property
    def bounds(self) -> NDArray[np.int64]:
        """(evaluated + 1,): each evaluated user's first target, and one past the last target of
        all."""
        return user_bounds(self.users)

    @property
    def evaluated(self) -> NDArray[np.int64]:
        """(evaluated,): the numbers of the users that have a target, ascending."""
        return self.users[self.bounds[:-1]]

    @property
    def last(self) -> NDArray[np.int64]:
        """(evaluated,): the index of each evaluated user's last target."""
        return self.bounds[1:] - 1

    def rows(self, some: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the indices of the targets of some evaluated users, given by their places among
        these, ascending."""
        chosen = np.zeros(len(self.bounds) - 1, np.bool_)
        chosen[some] = True
        return np.flatnonzero(np.repeat(chosen, np.diff(self.bounds)))

    def at(self, rows: NDArray[np.int64]) -> HeldOut:
        """Return some of the targets, by their indices, ascending."""
        return HeldOut(self.users[rows], self.ends[rows])


def targets_of_periods(
    starts: NDArray[np.int64], first: NDArray[np.int64], end: NDArray[np.int64], targets: Targets
) -> HeldOut:
    """Choose targets among the interactions of a period.

    Args:
        starts: (users,): where each user's history begins.
        first: (users,): where the period begins in it.
        end: (users,): one past the period.
    """
    if targets == "first":
        users = np.flatnonzero((first > starts) & (first < end))
        missed = (first == starts) & (first < end)
        return HeldOut(users, first[users], int(missed.sum()))
    begin = np.maximum(first, starts + 1)
    many = np.maximum(end - begin, 0)
    users = np.flatnonzero(many)
    begin, many = begin[users], many[users]
    if targets == "successive":
        rows = np.repeat(begin - (np.cumsum(many) - many), many) + np.arange(many.sum())
        missed = (first == starts) & (first < end)
        return HeldOut(np.repeat(users, many), rows, int(missed.sum()))
    missed = (first == starts) & (end == first + 1)
    place = many - 1 if targets == "last" else _drawn(users, many)
    return HeldOut(users, begin + place, int(missed.sum()))


def _drawn(users: NDArray[np.int64], many: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw a place below ``many`` for each user, by a hash of the user's number (SplitMix64 of
    Steele, Lea & Flood, OOPSLA 2014), so that it is the same wherever and whenever it is drawn."""
    mixed = (users.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed % many.astype(np.uint64)).astype(np.int64)

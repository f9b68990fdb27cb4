"""Filtering interactions before items are numbered: by rating, and by k-core."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.datasets.readers.source import Ratings
from engine.errors import DataError
from engine.spec import Filter


@dataclass(frozen=True)
class FilterStep:
    """A step of a filter, by name, and the counts that it leaves."""

    name: str
    users: int
    items: int
    interactions: int


def apply_filter(ratings: Ratings, rule: Filter) -> tuple[Ratings, list[FilterStep]]:
    """Filter, and return the counts before the first step and after each one.

    Raises:
        DataError: no interaction is left, or the source lacks the ratings to filter by.
    """
    steps = [_step("source", ratings)]
    if rule.min_rating is not None:
        if ratings.ratings is None:
            raise DataError(
                "min_rating needs ratings, and this source has none: leave it out, "
                "or name the column that holds them."
            )
        ratings = ratings.select(ratings.ratings >= np.float32(rule.min_rating))
        steps.append(_step(f"rating ≥ {rule.min_rating:g}", ratings))
    if rule.k_core:
        for number, kept in enumerate(_cores(ratings, rule.k_core, rule.k_core_rounds), 1):
            ratings = ratings.select(kept)
            steps.append(_step(f"{rule.k_core}-core, round {number}", ratings))
    if not len(ratings):
        raise DataError("The filter leaves no interaction: ask for less.")
    return ratings, steps


def _cores(ratings: Ratings, least: int, rounds: int | None) -> Iterator[NDArray[np.bool_]]:
    """Yield the mask of each round, over the rows left by the round before, to the fixed point or
    for ``rounds`` rounds: users and items with fewer than ``least`` interactions are dropped."""
    users, items = factorize(ratings.users)[0], factorize(ratings.items)[0]
    done = 0
    while len(users) and (rounds is None or done < rounds):
        # Users and items are counted before either are dropped, as in SASRec's preprocessing.
        often = np.bincount(users)[users] >= least
        often &= np.bincount(items)[items] >= least
        if often.all():
            return
        yield often
        users, items = users[often], items[often]
        done += 1


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


def _step(name: str, ratings: Ratings) -> FilterStep:
    users, items = len(factorize(ratings.users)[1]), len(factorize(ratings.items)[1])
    return FilterStep(name, users, items, len(ratings))

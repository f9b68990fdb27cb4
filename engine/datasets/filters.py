"""Filtering interactions before items are numbered: by rating, repeats and k-core, in this
order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.datasets.ordering import factorize, history_order
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
                "min_rating needs ratings, but this source has none: leave it out, or "
                "name the column of ratings."
            )
        kept = ratings.ratings >= np.float32(rule.min_rating)
        if not kept.any():
            raise DataError(
                f"The filter leaves no interaction: no rating is {rule.min_rating:g} or more; they "
                f"range from {ratings.ratings.min():g} to {ratings.ratings.max():g}."
            )
        ratings = ratings.select(kept)
        steps.append(_step(f"rating ≥ {rule.min_rating:g}", ratings))
    if rule.repeats != "keep":
        kept = ~_repeated(ratings, rule.repeats)
        dropped = len(ratings) - int(kept.sum())
        ratings = ratings.select(kept)
        steps.append(_step(f"repeats: {rule.repeats}, {dropped:,} dropped", ratings))
    if rule.k_core:
        for number, kept in enumerate(_cores(ratings, rule.k_core, rule.k_core_rounds), 1):
            ratings = ratings.select(kept)
            steps.append(_step(f"{rule.k_core}-core, round {number}", ratings))
    if not len(ratings):
        raise DataError("The filter leaves no interaction: filter less.")
    return ratings, steps


def _repeated(
    ratings: Ratings, kept: Literal["first", "last", "consecutive", "same-time"]
) -> NDArray[np.bool_]:
    """Return which rows `engine.spec.Filter.repeats` drops, (interactions,).

    Raises:
        DataError: ``same-time`` of a source without times.
    """
    times = ratings.times
    if kept == "same-time" and times is None:
        raise DataError("repeats: same-time needs times, but this source has none: choose another.")
    users, items = factorize(ratings.users)[0], factorize(ratings.items)[0]
    order = history_order(users, ratings)
    pairs = users[order].astype(np.int64) * (int(items.max(initial=0)) + 1) + items[order]
    if kept == "consecutive":
        dropped = order[1:][pairs[1:] == pairs[:-1]]
    else:
        alike = np.argsort(pairs, kind="stable")  # each user's with one item, in their order
        if kept == "same-time" and times is not None:
            alike = np.lexsort((times[order], pairs))
        again = pairs[alike][1:] == pairs[alike][:-1]
        rows = order[alike]
        if kept == "same-time" and times is not None:
            again &= times[rows][1:] == times[rows][:-1]
        dropped = (rows[:-1] if kept == "last" else rows[1:])[again]
    found = np.zeros(len(ratings), np.bool_)
    found[dropped] = True
    return found


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


def _step(name: str, ratings: Ratings) -> FilterStep:
    users, items = len(factorize(ratings.users)[1]), len(factorize(ratings.items)[1])
    return FilterStep(name, users, items, len(ratings))

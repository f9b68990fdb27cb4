"""What a data set is like: sizes, how long histories are, how popularity is spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.datasets.interactions import Interactions
from engine.datasets.splits import SplitData

LENGTHS = (50, 75, 100)
"""Of which the share of longer histories is told: the reference's sequence lengths."""

BARS = 16
"""Of a histogram, at most."""


@dataclass(frozen=True)
class Histogram:
    """How many things lie from each bound up to before the next; bounds grow by a factor."""

    bounds: tuple[int, ...]
    """(bars + 1,): ascending."""
    counts: tuple[int, ...]
    """(bars,)."""


@dataclass(frozen=True)
class Statistics:
    """A data set in figures."""

    users: int
    items: int
    interactions: int
    density: float
    """Interactions / (users · items)."""
    median_length: float
    """Of a user's history, in interactions."""
    longest: int
    longer: tuple[tuple[int, float], ...]
    """For each of `LENGTHS`, the share of histories longer than it."""
    lengths: Histogram
    """Users by the length of their history."""
    popularity: Histogram
    """Items by how often they occur."""
    top_share: float
    """Share of the interactions that the most popular hundredth of the items has."""


@dataclass(frozen=True)
class SplitCounts:
    """What a split does to counts."""

    train: int
    """Interactions to train on."""
    valid: int
    """Users evaluated, in validation."""
    test: int
    trained_only: int
    """Users that neither evaluates, though they are trained on."""
    unused: int
    """Interactions that are no target of anything: in a temporal split a user's later ones of a
    period."""


def statistics(interactions: Interactions) -> Statistics:
    """Work them out; every pass is over whole arrays."""
    lengths = np.diff(interactions.offsets)
    popularity = np.bincount(interactions.items, minlength=interactions.num_items + 1)[1:]
    users, items, total = len(lengths), interactions.num_items, len(interactions.items)
    top = max(1, items // 100)
    most_popular = np.partition(popularity, items - top)[items - top :] if items else popularity
    return Statistics(
        users=users,
        items=items,
        interactions=total,
        density=total / (users * items) if users and items else 0.0,
        median_length=float(np.median(lengths)) if users else 0.0,
        longest=int(lengths.max(initial=0)),
        longer=tuple((length, float((lengths > length).mean())) for length in LENGTHS)
        if users
        else (),
        lengths=histogram(lengths),
        popularity=histogram(popularity),
        top_share=float(most_popular.sum()) / total if total else 0.0,
    )


def split_counts(split: SplitData) -> SplitCounts:
    """Count what a split trains on and evaluates."""
    starts = split.interactions.offsets[:-1]
    train = int((split.train_end - starts).sum())
    valid, test = len(split.valid.users), len(split.test.users)
    evaluated = np.union1d(split.valid.users, split.test.users)
    only = int((split.train_end > starts).sum()) - int(
        (split.train_end[evaluated] > starts[evaluated]).sum()
    )
    total = len(split.interactions.items)
    return SplitCounts(train, valid, test, only, total - train - valid - test)


def histogram(values: NDArray[np.integer[Any]]) -> Histogram:
    """Counts between bounds that grow geometrically from the least value to the greatest."""
    values = values[values > 0]
    if not values.size:
        return Histogram((0, 1), (0,))
    low, high = int(values.min()), int(values.max()) + 1
    bounds = np.unique(np.round(np.geomspace(low, high, BARS + 1)).astype(np.int64))
    counts, _ = np.histogram(values, bounds)
    return Histogram(tuple(bounds.tolist()), tuple(counts.tolist()))

"""Statistics of a data set: sizes, lengths of histories, popularity of items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.datasets.interactions import Interactions
from engine.datasets.splits import SplitData
from engine.datasets.times import span_text, time_text
from engine.evaluated import Ceiling

LENGTHS = (50, 75, 100)
"""The reference's sequence lengths, for `Statistics.longer`."""

BARS = 16
"""Most bars of a histogram."""


@dataclass(frozen=True)
class Histogram:
    """Counts of values between bounds that grow geometrically."""

    bounds: tuple[int, ...]
    """(bars + 1,): ascending."""
    counts: tuple[int, ...]
    """(bars,): values from each bound up to, but not including, the next."""


@dataclass(frozen=True)
class Statistics:
    """The statistics of a data set."""

    users: int
    items: int
    interactions: int
    density: float
    """Interactions / (users · items)."""
    median_length: float
    """Median length of a history, in interactions."""
    longest: int
    """Length of the longest history."""
    longer: tuple[tuple[int, float], ...]
    """Each of `LENGTHS`, with the share of histories that are longer."""
    lengths: Histogram
    """Users by the length of their history."""
    popularity: Histogram
    """Items by number of occurrences."""
    top_share: float
    """Share of the interactions that are with the most popular 1 % of the items."""
    first_time: str | None = None
    """The first time of the interactions, in UTC; ``None`` if the source has none."""
    last_time: str | None = None
    """The last one."""
    span: str = ""
    """Both, for people."""

    @property
    def holds(self) -> str:
        """The sizes in words."""
        return f"{self.users:,} users, {self.items:,} items, {self.interactions:,} interactions"


@dataclass(frozen=True)
class SplitCounts:
    """Counts of what a split trains on and evaluates."""

    train: int
    """Interactions to train on."""
    valid: int
    """Users evaluated in validation."""
    test: int
    """Users evaluated in test."""
    trained_only: int
    """Users that are trained on, but not evaluated."""
    unused: int
    """Interactions that are neither trained on nor a target: those after a user's first one in a
    period of a temporal split or a file of a given one."""
    valid_cold: int = 0
    """Users of validation whose target is an item that no training interaction has."""
    test_cold: int = 0
    """Those of test."""
    valid_tied: int | None = None
    """Users of validation whose target is decided by a tie (`SplitData.tied`); ``None`` if the
    source has no times."""
    test_tied: int | None = None
    """Those of test."""
    valid_from: str | None = None
    """Of a temporal split: where validation begins."""
    test_from: str | None = None
    """Of a temporal split: where test begins."""

    @property
    def ceilings(self) -> tuple[Ceiling, Ceiling]:
        """What bounds the metrics of validation and of test."""
        return Ceiling(self.valid, self.valid_cold), Ceiling(self.test, self.test_cold)


def statistics(interactions: Interactions) -> Statistics:
    """Compute the statistics of a data set."""
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
        **_span(interactions),
    )


def _span(interactions: Interactions) -> dict[str, str]:
    times = interactions.times
    if times is None or not len(times):
        return {}
    first, last = int(times.min()), int(times.max())
    return {
        "first_time": time_text(first, last),
        "last_time": time_text(last, last),
        "span": span_text(first, last),
    }


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
    valid_from, test_from = _began(split)
    return SplitCounts(
        train=train,
        valid=valid,
        test=test,
        trained_only=only,
        unused=total - train - valid - test,
        valid_cold=int(split.cold("valid").sum()),
        test_cold=int(split.cold("test").sum()),
        valid_tied=_count(split.tied("valid")),
        test_tied=_count(split.tied("test")),
        valid_from=valid_from,
        test_from=test_from,
    )


def _count(found: NDArray[np.bool_] | None) -> int | None:
    return None if found is None else int(found.sum())


def _began(split: SplitData) -> tuple[str | None, str | None]:
    times = split.interactions.times
    if split.moments is None or times is None:
        return None, None
    last = int(times.max())
    return time_text(split.moments[0], last), time_text(split.moments[1], last)


def histogram(values: NDArray[np.integer[Any]]) -> Histogram:
    """Count positive values between bounds that grow geometrically from the least to the
    greatest."""
    values = values[values > 0]
    if not values.size:
        return Histogram((0, 1), (0,))
    low, high = int(values.min()), int(values.max()) + 1
    bounds = np.unique(np.round(np.geomspace(low, high, BARS + 1)).astype(np.int64))
    counts, _ = np.histogram(values, bounds)
    return Histogram(tuple(bounds.tolist()), tuple(counts.tolist()))

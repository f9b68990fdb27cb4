"""Statistics of a data set: sizes, lengths of histories, popularity of items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.datasets.interactions import Interactions
from engine.datasets.splitting.splits import SPLITS, SplitData
from engine.datasets.splitting.targets import HeldOut
from engine.datasets.times import span_text, time_text
from engine.evaluated import Ceiling, with_targets
from engine.results.users import mean_by_user

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
    valid_targets: int
    """Interactions that validation ranks: one or several of each evaluated user."""
    test_targets: int
    """Those of test."""
    trained_only: int
    """Users that are trained on, but not evaluated."""
    unused: int
    """Interactions that are neither trained on nor a target: those in a period of a temporal split,
    or in a file of a given one, that its rule leaves out or that have no history before them."""
    valid_cold: int = 0
    """Targets of validation that are items which no training interaction has."""
    test_cold: int = 0
    """Those of test."""
    valid_ceiling: float | None = None
    """The mean over users of the share of their targets that aren't cold; ``None`` if no user is
    evaluated."""
    test_ceiling: float | None = None
    """That of test."""
    valid_cold_users: int = 0
    """Users evaluated in validation that training never had."""
    test_cold_users: int = 0
    """Those of test."""
    valid_without_history: int = 0
    """Interactions of validation that would be targets if the user had anything before them."""
    test_without_history: int = 0
    """Those of test."""
    valid_tied: int | None = None
    """Targets of validation that are decided by a tie (`SplitData.tied`); ``None`` if the source
    has no times."""
    test_tied: int | None = None
    """Those of test."""
    valid_from: str | None = None
    """Of a temporal split: where validation begins."""
    test_from: str | None = None
    """Of a temporal split: where test begins."""

    @property
    def evaluated(self) -> str:
        """Whom the split evaluates, in words."""
        valid = with_targets(
            self.valid_targets, self.valid, f"user{'s' * (self.valid != 1)} in validation"
        )
        return f"{valid}, {with_targets(self.test_targets, self.test, 'in test')}"

    @property
    def remarks(self) -> list[str]:
        """What there is to say of users without training interactions, and of interactions that are
        no targets."""
        said = []
        if self.valid_cold_users or self.test_cold_users:
            said.append(
                f"{self.valid_cold_users:,} and {self.test_cold_users:,} of these users are in no "
                "training interaction"
            )
        if self.valid_without_history or self.test_without_history:
            said.append(
                f"{self.valid_without_history:,} and {self.test_without_history:,} interactions "
                "are not ranked, as their users have nothing before them"
            )
        return said

    @property
    def ceilings(self) -> tuple[Ceiling, Ceiling]:
        """What bounds the metrics of validation and of test."""
        return (
            Ceiling(self.valid_targets, self.valid_cold, self.valid_ceiling),
            Ceiling(self.test_targets, self.test_cold, self.test_ceiling),
        )


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
    valid, test = (len(each.evaluated) for each in (split.valid, split.test))
    valid_targets, test_targets = (len(each.ends) for each in (split.valid, split.test))
    evaluated = np.union1d(split.valid.evaluated, split.test.evaluated)
    cold = {each: split.cold(each) for each in SPLITS}
    only = int((split.train_end > starts).sum()) - int(
        (split.train_end[evaluated] > starts[evaluated]).sum()
    )
    total = len(split.interactions.items)
    valid_from, test_from = _began(split)
    return SplitCounts(
        train=train,
        valid=valid,
        test=test,
        valid_targets=valid_targets,
        test_targets=test_targets,
        trained_only=only,
        unused=total - train - valid_targets - test_targets,
        valid_cold=int(cold["valid"].sum()),
        test_cold=int(cold["test"].sum()),
        valid_ceiling=_ceiling(cold["valid"], split.valid),
        test_ceiling=_ceiling(cold["test"], split.test),
        valid_cold_users=int(split.cold_users("valid").sum()),
        test_cold_users=int(split.cold_users("test").sum()),
        valid_without_history=split.valid.without_history,
        test_without_history=split.test.without_history,
        valid_tied=_count(split.tied("valid")),
        test_tied=_count(split.tied("test")),
        valid_from=valid_from,
        test_from=test_from,
    )


def _ceiling(cold: NDArray[np.bool_], held_out: HeldOut) -> float | None:
    known = mean_by_user(~cold, held_out.users)
    return float(known.mean()) if known.size else None


def _count(found: NDArray[np.bool_] | None) -> int | None:
    return None if found is None else int(found.sum())


def _began(split: SplitData) -> tuple[str | None, str | None]:
    times = split.interactions.times
    if split.moments is None or times is None or not len(times):
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

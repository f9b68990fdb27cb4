"""What judging a data set finds: what its test users are like, and what fitted models reach there.

Needs no torch: `engine.judge.fitting` fits the models.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.analysis.pairs.significance import Difference, Metric, difference, per_user
from engine.spec import TOP_K

MISS = TOP_K + 1
"""Stands for every rank below the first `TOP_K`, in which no metric differs."""


@dataclass(frozen=True)
class FittedRanks:
    """What a fitted model reaches, with the settings that validation chose."""

    model: str
    title: str
    valid: float
    """NDCG@10 on validation, over all items."""
    ranks: NDArray[np.int32]
    """(ranked,): of each test user's true item among all items, up to `MISS`."""

    def values(self, metric: Metric) -> NDArray[np.float64]:
        """Return each user's metric, (ranked,)."""
        return per_user(self.ranks, metric)

    def mean(self, metric: Metric) -> float:
        """Return the metric on test."""
        return float(self.values(metric).mean())


@dataclass(frozen=True)
class OrderLoss:
    """The shuffle test of one model: its metric with the order of histories, and without it."""

    ordered: float
    shuffled: float
    difference: Difference
    """With order less without, by the paired test over users."""

    @classmethod
    def between(
        cls, ordered: NDArray[np.int32], shuffled: NDArray[np.int32], metric: Metric
    ) -> OrderLoss:
        """Compare ranks (users,) with the order and without it."""
        both = [per_user(ranks[None], metric) for ranks in (ordered, shuffled)]
        return cls(float(both[0].mean()), float(both[1].mean()), difference(*both))

    @property
    def share(self) -> float | None:
        """The share that is lost without the order: below 0 if order does harm; ``None`` if there
        is nothing to lose."""
        return 1 - self.shuffled / self.ordered if self.ordered else None


@dataclass(frozen=True)
class Judgement:
    """What a data set's split holds out, and what fitted models reach on it."""

    length: int
    """L, the most recent items that the models see."""
    users: int
    """Test users."""
    cold: int
    """Test users whose true item occurs in no training interaction."""
    tied: int | None
    """Test users whose true item is decided by a tie; ``None`` if the data have no times."""
    floors: tuple[FittedRanks, ...] = ()
    """Of fitted models; none where fewer than two users are evaluated."""
    shuffled: FittedRanks | None = None
    """The model of the shuffle test, fitted to shuffled histories."""
    left_out: tuple[str, ...] = ()
    """A sentence for each fitted model that isn't among ``floors``."""
    places: NDArray[np.int32] | None = None
    """(ranked,): which test users are ranked for, a sample; ``None`` if all are."""
    fitted_users: int | None = None
    """Users, a sample, whose histories are fitted to; ``None`` if all are."""
    seconds: float = 0.0
    """CPU time that it took."""

    @property
    def floor(self) -> FittedRanks | None:
        """The fitted model that validation chooses; ``None`` if there is none."""
        return max(self.floors, key=lambda each: each.valid, default=None)

    def ranked(self, ranks: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the ranks of the users that are ranked for, of ranks (..., users)."""
        return ranks if self.places is None else ranks[..., self.places]

    def order(self, metric: Metric) -> OrderLoss | None:
        """Return the shuffle test in a metric; ``None`` if it wasn't made."""
        shuffled = self.shuffled
        if shuffled is None:
            return None
        ordered = next(each for each in self.floors if each.model == shuffled.model)
        return OrderLoss.between(ordered.ranks, shuffled.ranks, metric)


def to_json(found: Judgement) -> dict[str, Any]:
    """Write a judgement as JSON, ranks and places packed."""
    packed = {
        "floors": [_fitted_json(each) for each in found.floors],
        "shuffled": None if found.shuffled is None else _fitted_json(found.shuffled),
        "places": None if found.places is None else _packed(found.places, "<i4"),
    }
    return {field.name: getattr(found, field.name) for field in fields(found)} | packed


def from_json(content: Mapping[str, Any]) -> Judgement:
    """Read what `to_json` wrote. Raises `KeyError`, `TypeError` or `ValueError`."""
    shuffled, places = content["shuffled"], content["places"]
    packed = {
        "floors": tuple(map(_fitted_from, content["floors"])),
        "shuffled": None if shuffled is None else _fitted_from(shuffled),
        "places": None if places is None else _unpacked(places, "<i4"),
        "left_out": tuple(content["left_out"]),
    }
    return Judgement(**{**content, **packed})


def _fitted_json(found: FittedRanks) -> dict[str, Any]:
    names = ("model", "title", "valid")
    return {name: getattr(found, name) for name in names} | {"ranks": _packed(found.ranks, "u1")}


def _fitted_from(content: Mapping[str, Any]) -> FittedRanks:
    return FittedRanks(**{**content, "ranks": _unpacked(content["ranks"], "u1")})


def _packed(values: NDArray[np.int32], kind: str) -> str:
    return base64.b64encode(zlib.compress(values.astype(kind).tobytes())).decode()


def _unpacked(text: str, kind: str) -> NDArray[np.int32]:
    try:
        return np.frombuffer(zlib.decompress(base64.b64decode(text)), kind).astype(np.int32)
    except zlib.error as error:
        raise ValueError(str(error)) from None

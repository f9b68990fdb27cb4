"""Whom a run's metrics are of, and what bounds them: held-out items that training never had.

A model that knows only the items it was trained on ranks such a *cold* item by chance. But for
that, Recall, HitRate, MRR and NDCG are at most the share of users whose held-out item occurs in
training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The users that a data set's split evaluates."""

    users: int
    """All users of the data set."""
    valid: int
    """Those evaluated in validation."""
    test: int
    """Those evaluated in test."""

    @property
    def words(self) -> str:
        """Say how many are evaluated; empty if all users are, in both."""
        if self.valid == self.test == self.users:
            return ""
        return f"{self.test:,} of {self.users:,} users in test, {self.valid:,} in validation"


def evaluated_of(start: Mapping[str, Any]) -> Evaluated | None:
    """Return the evaluated users that a journal's ``start`` records; ``None`` if it doesn't, as in
    earlier versions."""
    users, valid, test = (start.get(name) for name in ("users", "valid_users", "test_users"))
    if type(users) is int and type(valid) is int and type(test) is int:
        return Evaluated(users, valid, test)
    return None


@dataclass(frozen=True, slots=True)
class Ceiling:
    """How much of a split's evaluation can be predicted at all."""

    users: int
    """Users that the split evaluates."""
    cold: int
    """Those whose held-out item occurs in no training interaction."""

    @property
    def highest(self) -> float | None:
        """The highest value of a metric, apart from chance, 0 to 1; ``None`` if no user
        is evaluated."""
        return (self.users - self.cold) / self.users if self.users else None

    @property
    def words(self) -> str:
        """What it is and why, of the test split; empty if all items occur in training."""
        if not self.cold or self.highest is None:
            return ""
        which = f"{self.cold:,} of {self.users:,} test items"
        return f"at most {self.highest:.4f}, apart from chance: {which} never occur in training"


def ceiling_of(start: Mapping[str, Any]) -> Ceiling | None:
    """Return the ceiling on test that a journal's ``start`` records; ``None`` of one that doesn't,
    as of an earlier version."""
    users, cold = start.get("test_users"), start.get("test_cold")
    if type(users) is int and type(cold) is int and 0 <= cold <= users:
        return Ceiling(users, cold)
    return None


def cold_sentence(valid: Ceiling, test: Ceiling) -> str:
    """Say what the cold items of a data set's split keep from being predicted; empty if there are
    none."""
    if not valid.cold and not test.cold:
        return ""
    said = (
        f"Cold items: the test item of {test.cold:,} of {test.users:,} evaluated users and the "
        f"validation item of {valid.cold:,} of {valid.users:,} occur in no training interaction. "
        f"A model "
        "that knows only training items can only hit them by chance: apart from that, each metric "
        f"is at most {test.highest or 0:.4f} on test and {valid.highest or 0:.4f} on "
        "validation."
    )
    if valid.cold == valid.users:
        said += " Validation can't tell epochs apart."
    return said

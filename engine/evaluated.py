"""Whom a run's metrics are of, and what bounds them: held-out items that training never had.

A model that knows only the items it was trained on ranks such a *cold* item by chance. But for
that, Recall, HitRate, MRR and NDCG are at most the share of held-out items that occur in training,
averaged by user.
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
    valid: int | None
    """Those evaluated in validation; ``None`` of a refit, which is trained on it."""
    test: int
    """Those evaluated in test."""
    valid_targets: int | None
    """Their held-out items, one or several a user."""
    test_targets: int
    """Those in test."""
    test_cold_users: int = 0
    """Users evaluated in test that training never had."""

    @property
    def words(self) -> str:
        """Say how many are evaluated; empty if all users are, in both, on one item each."""
        one_each = (self.valid_targets, self.test_targets) == (self.valid, self.test)
        if self.valid in (self.test, None) and self.test == self.users and one_each:
            return ""
        said = with_targets(self.test_targets, self.test, f"of {self.users:,} users in test")
        if self.valid is not None and self.valid_targets is not None:
            said += f", {with_targets(self.valid_targets, self.valid, 'in validation')}"
        new = f"; {self.test_cold_users:,} test users are in no training interaction"
        return f"{said}{new if self.test_cold_users else ''}"


def with_targets(targets: int, users: int, rest: str) -> str:
    """Write a number of users, after that of their targets where any of them has several."""
    of = "" if targets == users else f"{targets:,} targets of "
    return f"{of}{users:,} {rest}"


def evaluated_of(start: Mapping[str, Any]) -> Evaluated | None:
    """Return the evaluated users that a journal's ``start`` records; ``None`` if it doesn't, as in
    earlier versions."""
    users, valid, test = (start.get(name) for name in ("users", "valid_users", "test_users"))
    if type(users) is int and type(test) is int:
        valid = valid if type(valid) is int else None
        return Evaluated(
            users,
            valid,
            test,
            None if valid is None else _whole(start.get("valid_targets"), valid),
            _whole(start.get("test_targets"), test),
            _whole(start.get("test_cold_users"), 0),
        )
    return None


def _whole(value: Any, otherwise: int) -> int:
    """Return a number of a ``start``, or what it was where versions before protocol 2 recorded
    none."""
    return value if type(value) is int else otherwise


@dataclass(frozen=True, slots=True)
class Ceiling:
    """How much of a split's evaluation can be predicted at all."""

    targets: int
    """Held-out items that the split ranks."""
    cold: int
    """Those that occur in no training interaction."""
    highest: float | None
    """The highest value of a metric, apart from chance, 0 to 1; ``None`` if no user is
    evaluated."""

    @property
    def words(self) -> str:
        """What it is and why, of the test split; empty if all items occur in training."""
        if not self.cold or self.highest is None:
            return ""
        which = f"{self.cold:,} of {self.targets:,} test items"
        return f"at most {self.highest:.4f}, apart from chance: {which} never occur in training"


def ceiling_of(start: Mapping[str, Any]) -> Ceiling | None:
    """Return the ceiling on test that a journal's ``start`` records; ``None`` of one that doesn't,
    as of an earlier version."""
    users, cold = start.get("test_users"), start.get("test_cold")
    if type(users) is not int or type(cold) is not int:
        return None
    targets = _whole(start.get("test_targets"), users)
    if not 0 <= cold <= targets:
        return None
    share = (targets - cold) / targets if targets else None
    highest = start.get("test_ceiling")
    return Ceiling(targets, cold, highest if isinstance(highest, float) else share)


def cold_sentence(valid: Ceiling, test: Ceiling) -> str:
    """Say what the cold items of a data set's split keep from being predicted; empty if there are
    none."""
    if not valid.cold and not test.cold:
        return ""
    said = (
        f"Cold items: {test.cold:,} of {test.targets:,} test items and {valid.cold:,} of "
        f"{valid.targets:,} validation items occur in no training interaction. A model "
        "that knows only training items can only hit them by chance: apart from that, each metric "
        f"is at most {test.highest or 0:.4f} on test and {valid.highest or 0:.4f} on "
        "validation."
    )
    if valid.cold == valid.targets:
        said += " Validation can't tell epochs apart."
    return said

"""Whom a run's figures are of: the users that its split evaluates, of all that the data has."""

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
    """Return whom a journal's ``start`` records to be evaluated; ``None`` of one that doesn't, as
    of an earlier version."""
    users, valid, test = (start.get(name) for name in ("users", "valid_users", "test_users"))
    if type(users) is int and type(valid) is int and type(test) is int:
        return Evaluated(users, valid, test)
    return None

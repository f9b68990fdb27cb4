"""Who is evaluated in a run: the users that its split evaluates, out of all users in the data."""

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

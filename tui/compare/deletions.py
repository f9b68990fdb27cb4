"""Runs that are out of sight and will be deleted, unless someone takes it back in time.

Nothing is asked of the store before the time is over: an app that dies meanwhile deletes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

UNDO_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Deletion:
    """What one key press deletes."""

    runs: tuple[str, ...]
    due: float


@dataclass
class Deletions:
    """The deletions that can still be taken back, the newest last. Times are monotonic."""

    waiting: list[Deletion] = field(default_factory=list)
    leaving: set[str] = field(default_factory=set)
    """Asked of the store at this moment."""

    def add(self, runs: Sequence[str], now: float) -> None:
        self.waiting.append(Deletion(tuple(runs), now + UNDO_SECONDS))

    def take_back(self) -> tuple[str, ...]:
        """The runs of the newest deletion, which is none any more."""
        return self.waiting.pop().runs if self.waiting else ()

    def take_due(self, now: float) -> list[str]:
        """Runs whose time is over."""
        due = [run for one in self.waiting if one.due <= now for run in one.runs]
        self.waiting = [one for one in self.waiting if one.due > now]
        self.leaving |= set(due)
        return due

    def left(self, now: float) -> float | None:
        """Seconds in which the newest can be taken back."""
        return max(0.0, self.waiting[-1].due - now) if self.waiting else None

    @property
    def hidden(self) -> tuple[str, ...]:
        """Runs that are out of sight."""
        return tuple(sorted({*self.leaving, *(run for one in self.waiting for run in one.runs)}))

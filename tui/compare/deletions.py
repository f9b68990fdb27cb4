"""Runs that are out of sight and will be deleted, unless someone takes it back in time.

Nothing is asked of the store before the time is over: an app that dies meanwhile deletes nothing.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from engine.errors import UsageError, UserError
from engine.lifecycle import allows
from engine.store.requests import request_delete
from engine.supervisor.start import ensure_supervisor
from tui.compare.page import CompareRow
from tui.dialogs.ask import AskScreen
from tui.lab import Lab
from tui.shell.text import count

UNDO_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Deletion:
    """What one key press deletes."""

    runs: tuple[str, ...]
    due: float


@dataclass
class Deletions:
    """The deletions that can still be taken back, the newest last; times are monotonic seconds.

    Attributes:
        leaving: runs that the store is being asked to delete.
    """

    waiting: list[Deletion] = field(default_factory=list)
    leaving: set[str] = field(default_factory=set)

    def add(self, runs: Sequence[str], now: float) -> None:
        """Hide runs, to be deleted in `UNDO_SECONDS`."""
        self.waiting.append(Deletion(tuple(runs), now + UNDO_SECONDS))

    def take_back(self) -> tuple[str, ...]:
        """End the newest deletion; its runs."""
        return self.waiting.pop().runs if self.waiting else ()

    def take_due(self, now: float) -> list[str]:
        """Take the runs whose time is over."""
        due = [run for one in self.waiting if one.due <= now for run in one.runs]
        self.waiting = [one for one in self.waiting if one.due > now]
        self.leaving |= set(due)
        return due

    def left(self, now: float) -> float | None:
        """Seconds in which the newest can be taken back; None if there is none."""
        return max(0.0, self.waiting[-1].due - now) if self.waiting else None

    @property
    def hidden(self) -> tuple[str, ...]:
        """Ids of the runs that are out of sight."""
        return tuple(sorted({*self.leaving, *(run for one in self.waiting for run in one.runs)}))


class Deleting:
    """Deletes runs of the comparison, after a time in which that can be taken back.

    Args:
        set_timer: calls back in so many seconds.
        hidden_changed: takes runs out of sight, or brings them back.
        time_passed: shows how much time is left, and offers undo or not.
    """

    def __init__(
        self,
        app: Lab,
        set_timer: Callable[[float, Callable[[], None]], object],
        hidden_changed: Callable[[], object],
        time_passed: Callable[[], object],
    ) -> None:
        self._app = app
        self._set_timer = set_timer
        self._hidden_changed = hidden_changed
        self._time_passed = time_passed
        self._deletions = Deletions()

    @property
    def hidden(self) -> tuple[str, ...]:
        """Ids of the runs that are out of sight."""
        return self._deletions.hidden

    @property
    def can_undo(self) -> bool:
        """Whether a deletion can be taken back."""
        return bool(self._deletions.waiting)

    def ask(self, rows: Sequence[CompareRow]) -> None:
        """Delete runs, after asking where they are several."""
        if any(row.run and not allows(str(row.run["state"]), "delete") for row in rows):
            busy = "It is running: cancel it first, on its own page."
            self._app.notify(busy, severity="warning")
            return
        runs = [row.key for row in rows]
        if len(runs) < 2:
            self._delete(runs)
            return
        question = f"Delete the {count(len(runs), 'marked run')}?\n\nTheir folders go with them."

        def answered(yes: bool | None) -> None:
            if yes:
                self._delete(runs)

        self._app.push_screen(AskScreen("Delete", question, "Delete"), answered)

    def _delete(self, runs: Sequence[str]) -> None:
        if not runs:
            return
        self._deletions.add(runs, time.monotonic())
        if len(self._deletions.waiting) == 1:
            self._tick()
        self._hidden_changed()

    def undo(self) -> None:
        """Take the newest deletion back."""
        if runs := self._deletions.take_back():
            self._app.notify(f"{count(len(runs), 'run')} back again", timeout=2)
            self._hidden_changed()

    def sentence(self) -> str:
        """What is deleted soon, and how to prevent it; empty if nothing is."""
        left = self._deletions.left(time.monotonic())
        if left is None:
            return ""
        runs = sum(len(one.runs) for one in self._deletions.waiting)
        return f"{count(runs, 'run')} deleted: u takes it back ({left:.0f} s)"

    def _tick(self) -> None:
        """Once a second, while something can be taken back."""
        if due := self._deletions.take_due(time.monotonic()):
            self._app.request(partial(self._request, due))
        self._time_passed()
        if self._deletions.waiting:
            self._set_timer(1.0, self._tick)

    def leave(self) -> None:
        """Delete at once what waits: a user who leaves the app means what they deleted.

        A terminal that is lost leaves by a signal, doesn't come by here, and so deletes nothing.
        """
        if due := self._deletions.take_due(float("inf")):
            try:
                self._request(due)
                ensure_supervisor(self._app.location, self._app.config_dir)
            except (UserError, OSError, sqlite3.Error):
                return  # they stay

    def _request(self, runs: Sequence[str]) -> None:
        try:
            for run in runs:
                with suppress(UsageError):  # somebody else deleted it meanwhile
                    request_delete(self._app.location, [run])
        finally:
            self._deletions.leaving -= set(runs)

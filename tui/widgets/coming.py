"""The progress of a thread's work, in words for the screen."""

from __future__ import annotations

import time

from tui.shell.text import duration


class Coming:
    """Starts when it is created; the thread reports its progress to it."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._come: tuple[int, int | None] = 0, None

    def told(self, done: int, total: int | None) -> None:
        """Take how much is done, and of how much if that is known (`engine.progress`)."""
        self._come = done, total

    @property
    def words(self) -> str:
        """Such as ``12 of 40``; where nothing is counted, the time that it has taken."""
        done, total = self._come
        return f"{done:,} of {total:,}" if total else duration(time.monotonic() - self._began)

"""What is sent to the terminal, and when the terminal answers."""

from __future__ import annotations

import time

UNANSWERED_SECONDS = 5.0
SETTLE_SECONDS = 0.5


class Traffic:
    """Counts of what was sent. The writing thread counts; others read without a lock, since a
    figure that is a write old does no harm."""

    def __init__(self) -> None:
        self.sent = 0
        """Bytes that the terminal took."""
        self.frames = 0
        """Frames that were given to the writer."""
        self._waited = 0.0
        self._waits_since: float | None = None

    def wait(self) -> None:
        """Start counting waiting time: the terminal takes nothing more for now."""
        self._waits_since = time.monotonic()

    def wait_no_longer(self) -> None:
        """Stop counting waiting time."""
        if (since := self._waits_since) is not None:
            self._waits_since = None
            self._waited += time.monotonic() - since

    def waited(self, now: float) -> float:
        """Return how long the writer has waited for the terminal so far, in seconds."""
        since = self._waits_since
        return self._waited + (max(0.0, now - since) if since is not None else 0.0)


class Echo:
    """How long the terminal takes to answer a question, which reaches it after all sent before.

    Attributes:
        asked: when the question without an answer yet was asked; None while there is none.
        best: the least time that an answer took, in seconds.
        newest: the time that the newest answer took.
        silent: whether the terminal never answers, so that only the writer's waiting tells.
    """

    asked: float | None = None
    best: float | None = None
    newest: float | None = None
    silent: bool = False

    def ask(self, now: float) -> bool:
        """Note that a question is asked now; False, and nothing noted, if none should be asked."""
        if self.silent or self.asked is not None:
            return False
        self.asked = now
        return True

    def answered(self, now: float) -> None:
        """Note that the terminal answered."""
        if (asked := self.asked) is not None:
            self.asked = None
            self.newest = now - asked
            self.best = self.newest if self.best is None else min(self.best, self.newest)

    def settle(self) -> None:
        """Wait a little for an open answer, which would otherwise be typed into the shell."""
        end = time.monotonic() + SETTLE_SECONDS
        while self.asked is not None and time.monotonic() < end:
            time.sleep(0.005)
        self.asked = None

    def late(self, now: float) -> float:
        """Return by how many seconds the newest answer, or the open one if it came now, is slower
        than the best one."""
        asked, best = self.asked, self.best
        if asked is not None and best is None and now - asked > UNANSWERED_SECONDS:
            self.silent, self.asked = True, None
        if best is None:
            return 0.0
        open_for = now - asked if asked is not None else 0.0
        return max(open_for, self.newest or 0.0) - best

"""What is sent to the terminal, and when it answers: counted where it is written."""

from __future__ import annotations

import time
from dataclasses import dataclass

UNANSWERED_SECONDS = 5.0
SETTLE_SECONDS = 0.5


class Traffic:
    """What was sent, counted by the thread that writes. Read by others, who lock nothing: a figure
    that is a write old does no harm."""

    def __init__(self) -> None:
        self.sent = 0
        """Bytes that the terminal took."""
        self.frames = 0
        self._waited = 0.0
        self._waits_since: float | None = None

    def wait(self) -> None:
        """The terminal takes nothing more for now."""
        self._waits_since = time.monotonic()

    def go_on(self) -> None:
        """It does again."""
        if (since := self._waits_since) is not None:
            self._waits_since = None
            self._waited += time.monotonic() - since

    def waited(self, now: float) -> float:
        """Seconds that the writer has waited for the terminal so far."""
        since = self._waits_since
        return self._waited + (max(0.0, now - since) if since is not None else 0.0)


@dataclass
class Echo:
    """Questions to the terminal, which it answers when all that was sent before has arrived."""

    asked: float | None = None
    best: float | None = None
    newest: float | None = None
    silent: bool = False
    """It never answers: then only the writer's waiting tells."""

    def ask(self, now: float) -> bool:
        """Whether to ask now."""
        if self.silent or self.asked is not None:
            return False
        self.asked = now
        return True

    def answered(self, now: float) -> None:
        """The answer to the one question that is open."""
        if (asked := self.asked) is not None:
            self.asked = None
            self.newest = now - asked
            self.best = self.newest if self.best is None else min(self.best, self.newest)

    def settle(self) -> None:
        """Wait a little for an answer on its way: later it would be typed into the shell."""
        end = time.monotonic() + SETTLE_SECONDS
        while self.asked is not None and time.monotonic() < end:
            time.sleep(0.005)
        self.asked = None

    def late(self, now: float) -> float:
        """How much later than at best the newest answer came, or the open one comes if now."""
        asked, best = self.asked, self.best
        if asked is not None and best is None and now - asked > UNANSWERED_SECONDS:
            self.silent, self.asked = True, None
        if best is None:
            return 0.0
        open_for = now - asked if asked is not None else 0.0
        return max(open_for, self.newest or 0.0) - best

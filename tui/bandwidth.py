"""How much the app sends, whether the line takes it, and drawing less where it doesn't."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.text import bytes_

if TYPE_CHECKING:
    from tui.app import SeqbenchApp

LOOK_SECONDS = 1.0
FRAME_SECONDS = 2.0
"""Between two frames of a slow line on which nobody types."""
ACTIVE_SECONDS = 1.0
"""Everything is drawn for so long after a key: what it brings may come from a thread."""

WAITED_SHARE = 0.3
"""Of the time: a terminal that makes the writer wait longer is slow."""
LATE_SECONDS = 0.4
"""How much later than at best the terminal may answer: what was sent before the question waits."""
FORGIVEN_SECONDS = 120.0
"""After so long without a sign of slowness the line counts as fast again."""
PING_BYTES = 2_000
"""Sent within a look; after less there is nothing to ask about."""
UNANSWERED_SECONDS = 5.0


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

    def late(self, now: float) -> float:
        """How much later than at best the newest answer came, or the open one comes if now."""
        asked, best = self.asked, self.best
        if asked is not None and best is None and now - asked > UNANSWERED_SECONDS:
            self.silent, self.asked = True, None
        if best is None:
            return 0.0
        open_for = now - asked if asked is not None else 0.0
        return max(open_for, self.newest or 0.0) - best


class Judge:
    """Whether a line is slow, from what is seen of it once a second."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self._slow_at: float | None = None

    def slow(self, now: float, waited: float, late: float) -> bool:
        """``waited``: the writer's seconds so far; ``late``: see `Echo.late`."""
        before, self._last = self._last, (now, waited)
        share = (waited - before[1]) / (now - before[0]) if before and now > before[0] else 0.0
        if share > WAITED_SHARE or late > LATE_SECONDS:
            self._slow_at = now
        return self._slow_at is not None and now - self._slow_at < FORGIVEN_SECONDS


class Bandwidth:
    """An app's care for its line: counts, judges, and holds frames back while the line is slow."""

    def __init__(self, app: SeqbenchApp) -> None:
        self._app = app
        self._judge = Judge()
        self._forced = app.preferences.low_bandwidth
        self._animations = app.animation_level
        self._low = False
        self._holds = False
        self._active_until = 0.0
        self._frame_at = 0.0
        self._before = (0.0, 0, 0)

    @property
    def low(self) -> bool:
        """Whether little is drawn."""
        return self._low

    def start(self) -> None:
        """Begin to look."""
        self._before = (time.monotonic(), 0, 0)
        if self._forced:
            self._set(True)
        self._app.set_interval(LOOK_SECONDS, self._look, name="bandwidth")

    def user_acted(self) -> None:
        """Draw at once for a while."""
        self._active_until = time.monotonic() + ACTIVE_SECONDS
        self._let_go()

    def toggle(self) -> None:
        """Force the mode on or off, from now on."""
        self._forced = not self._low
        self._set(self._forced)

    def _look(self) -> None:
        driver, now = self._app.terminal, time.monotonic()
        if driver is not None:
            traffic = driver.traffic
            then, sent, frames = self._before
            self._before = (now, traffic.sent, traffic.frames)
            if traffic.sent - sent >= PING_BYTES:
                driver.ping(now)
            if self._forced is None:
                late = driver.echo.late(now)
                self._set(self._judge.slow(now, traffic.waited(now), late))
            self._app.traffic = report(traffic.sent - sent, traffic.frames - frames, now - then)
        if self._low:
            self._breathe(now)

    def _breathe(self, now: float) -> None:
        """Let a frame through now and then, and everything while the user is at work."""
        if now < self._active_until:
            self._let_go()
        elif self._holds and now - self._frame_at >= FRAME_SECONDS - LOOK_SECONDS / 2:
            self._let_go()
            self._app.set_timer(0.1, self._hold)
        else:
            self._hold()

    def _set(self, low: bool) -> None:
        if low == self._low:
            return
        self._low = low
        app = self._app
        app.animation_level = "none" if low else self._animations
        if (driver := app.terminal) is not None:
            driver.follow_mouse(not low)
        app.low_bandwidth = low
        if not low:
            self._let_go()

    def _hold(self) -> None:
        if self._low and not self._holds and time.monotonic() >= self._active_until:
            self._holds = True
            self._app._begin_batch()

    def _let_go(self) -> None:
        if self._holds:
            self._holds = False
            self._frame_at = time.monotonic()
            self._app._end_batch()
            self._app.screen.check_idle()


def report(sent: int, frames: int, seconds: float) -> str:
    """``3.1 kB/s · 1.5 kB a frame · 2.0 frames/s``."""
    rate = max(seconds, 0.001)
    each = bytes_(sent / frames) if frames else "0 B"
    return f"{bytes_(sent / rate)}/s · {each} a frame · {frames / rate:.1f} frames/s"

"""Measuring how the connection takes what the app sends, and drawing less while it is slow."""

from __future__ import annotations

import time
from contextlib import ExitStack

from tui.lab import Lab
from tui.shell.text import bytes_

LOOK_SECONDS = 1.0
FRAME_SECONDS = 2.0
"""Seconds between two frames on a slow connection while nobody types."""
ACTIVE_SECONDS = 1.0
"""How long everything is drawn after a key, since its effect may come from a thread."""

WAITED_SHARE = 0.3
"""Share of the time that the writer waits for the terminal, above which the connection is slow."""
LATE_SECONDS = 0.4
"""How much later than at best the terminal may answer: an answer waits for what was sent before."""
FORGIVEN_SECONDS = 120.0
"""How long after the last sign of slowness the connection counts as fast again."""
PING_BYTES = 2_000
"""Least sent between two looks for which the terminal is asked to answer."""


class Judge:
    """Judges once a second whether a connection is slow."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self._slow_at: float | None = None

    def slow(self, now: float, waited: float, late: float) -> bool:
        """Judge by the seconds that the writer has waited so far, and by `Echo.late`."""
        before, self._last = self._last, (now, waited)
        share = (waited - before[1]) / (now - before[0]) if before and now > before[0] else 0.0
        if share > WAITED_SHARE or late > LATE_SECONDS:
            self._slow_at = now
        return self._slow_at is not None and now - self._slow_at < FORGIVEN_SECONDS


class Bandwidth:
    """Holds an app's frames back while its connection is slow."""

    def __init__(self, app: Lab) -> None:
        self._app = app
        self._judge = Judge()
        self._forced = app.preferences.low_bandwidth
        self._animations = app.animation_level
        self._holds = False
        self._batch = ExitStack()
        self._active_until = 0.0
        self._frame_at = 0.0
        self._before = (0.0, 0, 0)

    def start(self) -> None:
        """Look at the connection from now on."""
        self._before = (time.monotonic(), 0, 0)
        if self._forced:
            self._set(True)
        self._app.set_interval(LOOK_SECONDS, self._look, name="bandwidth")

    def user_acted(self) -> None:
        """Draw at once, and for a while."""
        self._active_until = time.monotonic() + ACTIVE_SECONDS
        self._let_go()

    def toggle(self) -> None:
        """Force low bandwidth on or off, from now on."""
        self._forced = not self._app.low_bandwidth
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
            if self._app.traffic_shown:
                new = traffic.sent - sent, traffic.frames - frames
                self._app.traffic = report(*new, now - then)
        if self._app.low_bandwidth:
            self._breathe(now)

    def _breathe(self, now: float) -> None:
        """Let a frame through now and then, and every frame while the user acts."""
        if now < self._active_until:
            self._let_go()
        elif self._holds and now - self._frame_at >= FRAME_SECONDS - LOOK_SECONDS / 2:
            self._let_go()
            self._app.set_timer(0.1, lambda: self._app.call_after_refresh(self._hold))
        else:
            self._hold()

    def _set(self, low: bool) -> None:
        app = self._app
        if low == app.low_bandwidth:
            return
        app.animation_level = "none" if low else self._animations
        if (driver := app.terminal) is not None:
            driver.follow_mouse(not low)
        app.low_bandwidth = low
        if not low:
            self._let_go()

    def _hold(self) -> None:
        low = self._app.low_bandwidth
        if low and not self._holds and time.monotonic() >= self._active_until:
            self._holds = True
            self._batch.enter_context(self._app.batch_update())

    def _let_go(self) -> None:
        if self._holds:
            self._holds = False
            self._frame_at = time.monotonic()
            self._batch.close()
            self._app.screen.check_idle()


def report(sent: int, frames: int, seconds: float) -> str:
    """Write ``3.1 kB/s · 1.5 kB per frame · 2.0 frames/s``."""
    rate = max(seconds, 0.001)
    each = bytes_(sent / frames) if frames else "0 B"
    return f"{bytes_(sent / rate)}/s · {each} per frame · {frames / rate:.1f} frames/s"

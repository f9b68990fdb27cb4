"""When the user last acted in the app, for one store.

A lost connection says no goodbye, and an app whose terminal is gone may go on for days: so the last
key, click or loss of focus counts, and it is written now and then.
"""

from __future__ import annotations

import math
import threading
import time

from textual.events import AppBlur, Event, InputEvent

from engine.store.location import StoreLocation
from tui.shell.remembered import keep, recall

WRITE_SECONDS = 20.0


class Presence:
    """The time of the user's last action, kept for the next time the app is opened."""

    def __init__(self, location: StoreLocation) -> None:
        self._location = location
        self._lock = threading.Lock()
        self._recalled = False
        self._sign = self._written = 0.0
        self._write_at = 0.0

    def note(self, event: Event) -> None:
        """Note the time of an event if it comes from the user."""
        # Focus may be reported by the terminal alone, as when the app asks for such reports.
        if isinstance(event, (InputEvent, AppBlur)):
            self._sign = time.time()

    def idle_seconds(self) -> float:
        """Return how long ago the user last acted."""
        return time.time() - self._sign

    def recall(self) -> float | None:
        """Read when the user last acted before this app was opened, in seconds since 1970."""
        seen = recall(self._topic).get("seen")
        self._recalled = True
        if isinstance(seen, (int, float)) and math.isfinite(seen):
            return float(seen)
        return None

    def write_if_due(self) -> None:
        """Write unless that was done in the last ``WRITE_SECONDS``. For a thread."""
        if time.monotonic() >= self._write_at:
            self.write()

    def write(self) -> None:
        """Write the last action if it isn't written yet; never before `recall` read the old one."""
        with self._lock:
            sign = self._sign
            if not self._recalled or sign <= self._written:
                return
            keep(self._topic, {"store": str(self._location.db), "seen": sign})
            self._written = sign
            self._write_at = time.monotonic() + WRITE_SECONDS

    @property
    def _topic(self) -> str:
        return topic_of("seen", self._location)


def topic_of(what: str, location: StoreLocation) -> str:
    """Name the topic under which something is remembered of one store."""
    import hashlib  # with OpenSSL: not before the first paint

    path = str(location.db.absolute())
    return f"{what}-" + hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:16]

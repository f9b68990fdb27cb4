"""When the user was last here, for one store.

A lost connection says no goodbye, and an app whose terminal is gone may go on for days: so what
counts is the last key, click or loss of focus, and it is written now and then.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from typing import TYPE_CHECKING

from textual.events import AppBlur, InputEvent

from tui.shell.remembered import keep, recall

if TYPE_CHECKING:
    from textual.events import Event

    from engine.store.location import StoreLocation

WRITE_SECONDS = 20.0


class Presence:
    """Signs of the user, kept for the next time."""

    def __init__(self, location: StoreLocation) -> None:
        self._location = location
        self._lock = threading.Lock()
        self._recalled = False
        self._sign = self._written = 0.0
        self._write_at = 0.0

    def note(self, event: Event) -> None:
        """See whether an event of the app is a sign of the user."""
        # Focus may be reported by the terminal alone, as when the app asks for such reports.
        if isinstance(event, (InputEvent, AppBlur)):
            self._sign = time.time()

    def recall(self) -> float | None:
        """When the user was last here before this app, if that is known. Reads the disk."""
        seen = recall(self._topic).get("seen")
        self._recalled = True
        if isinstance(seen, (int, float)) and math.isfinite(seen):
            return float(seen)
        return None

    def write_if_due(self) -> None:
        """For a thread, as often as it likes: write at most every so many seconds."""
        if time.monotonic() >= self._write_at:
            self.write()

    def write(self) -> None:
        """Write the newest sign, if there is one that isn't written and the one before was read."""
        with self._lock:
            sign = self._sign
            if not self._recalled or sign <= self._written:
                return
            keep(self._topic, {"store": str(self._location.db), "seen": sign})
            self._written = sign
            self._write_at = time.monotonic() + WRITE_SECONDS

    @property
    def _topic(self) -> str:
        path = str(self._location.db.absolute())
        return "seen-" + hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:16]

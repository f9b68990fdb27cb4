"""Keeping an attempt whose time is over from harming the next one.

On one machine the lock of the run's folder does that. A worker on a node that was lost, or that
only its scheduler lost sight of, may live on while the next attempt trains elsewhere, and locks
don't reach over every shared file system.
"""

from __future__ import annotations

import time

from engine.runfolder import RunFolder

LOOK_SECONDS = 5.0


class Fence:
    """Whether a newer attempt at a run has begun, or was submitted."""

    def __init__(self, folder: RunFolder, attempt: int) -> None:
        self._folder = folder
        self._attempt = attempt
        self._passed = False
        self._looked = time.monotonic()

    def passed(self, *, now: bool = False) -> bool:
        """Looks every five seconds, so that it can be asked at every update; or ``now``."""
        if not self._passed and (now or time.monotonic() - self._looked >= LOOK_SECONDS):
            self._looked = time.monotonic()
            # By its name as well: a shared file system may list a new file late.
            next_one = self._folder.journal(self._attempt + 1)
            self._passed = next_one.exists() or self._folder.newest_attempt() > self._attempt
        return self._passed

"""Fencing off an attempt that was superseded, so that it doesn't harm the next one.

On one machine the lock of the run's folder does that. But on a cluster, a worker that its scheduler
takes for lost may live on while the next attempt trains on another node, and not every shared file
system has locks that work across nodes.
"""

from __future__ import annotations

import time

from engine.runfolder import RunFolder

LOOK_SECONDS = 5.0
"""Least time between two looks at the folder."""


class Fence:
    """Watches for a newer attempt at a run, begun or submitted."""

    def __init__(self, folder: RunFolder, attempt: int) -> None:
        self._folder = folder
        self._attempt = attempt
        self._passed = False
        self._looked = time.monotonic()

    def passed(self, *, now: bool = False) -> bool:
        """Whether there is a newer attempt. Cheap enough for every update, because it looks at the
        folder every `LOOK_SECONDS` only; ``now`` looks at once."""
        if not self._passed and (now or time.monotonic() - self._looked >= LOOK_SECONDS):
            self._looked = time.monotonic()
            # By its name too: a shared file system may list a new file late.
            next_one = self._folder.journal(self._attempt + 1)
            self._passed = next_one.exists() or self._folder.newest_attempt() > self._attempt
        return self._passed

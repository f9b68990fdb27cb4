"""Measures how fast the runs of a resident worker train together, and says so in its folder."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress

from engine.inbox import WorkerFolder, WorkerState
from engine.worker.resident.capacity import Window, wanted

WINDOW_SECONDS = 0.5
"""Time that a window takes at least."""

MOST_WINDOWS = 1_000
"""Windows that are remembered."""


class Pace:
    """The pace of several runs at once.

    Args:
        folder: of the worker.
        most: the most runs at once.
        room: returns the GPU's memory in MiB that the runs can have together, if it is known.
    """

    def __init__(self, folder: WorkerFolder, most: int, room: Callable[[], float | None]) -> None:
        self._folder, self._most, self._room = folder, most, room
        self._windows: deque[Window] = deque(maxlen=MOST_WINDOWS)
        self._began = time.monotonic()
        self._before: dict[str, int] = {}
        folder.state.unlink(missing_ok=True)

    def look(self, updates: Mapping[str, int]) -> None:
        """Look at the updates so far of each run inside; to be called often.

        A window counts only if the same runs were inside from its begin to its end, and all of
        them made updates: one that loads or evaluates meanwhile says nothing of the pace.
        """
        passed = time.monotonic() - self._began
        if updates.keys() == self._before.keys() and passed < WINDOW_SECONDS:
            return
        if updates and updates.keys() == self._before.keys():
            made = [updates[name] - self._before[name] for name in updates]
            if min(made) > 0:
                self._windows.append(Window(len(made), sum(made) / passed))
            self._say(len(made), sum(made) / passed)
        self._began, self._before = time.monotonic(), dict(updates)

    def _say(self, runs: int, updates_per_second: float) -> None:
        wants = wanted(self._windows, self._most)
        state = WorkerState(time.time(), runs, updates_per_second, wants, self._room())
        with suppress(OSError):  # the supervisor goes by what it knew
            self._folder.write_state(state)

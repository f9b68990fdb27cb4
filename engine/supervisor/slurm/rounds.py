"""Rounds of work in a thread of their own: Slurm's commands may take ten seconds without an
answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

AFTER_FAILURE_SECONDS = 10.0
"""Time until the next round after one that failed."""

log = logging.getLogger("seqbench")


class Rounds:
    """Calls a function again and again while there is something to do.

    Args:
        name: the thread's name.
        work: does a round; returns the seconds until the next one, or ``None`` if there is nothing
            left to do before `wake` is called.
    """

    def __init__(self, name: str, work: Callable[[], float | None]) -> None:
        self._name = name
        self._work = work
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Begin a round at once."""
        with self._lock:
            self._woken.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        while True:
            self._woken.clear()
            seconds: float | None = AFTER_FAILURE_SECONDS
            try:
                seconds = self._work()
            except Exception:
                # Whatever made a round fail, the next one is to come.
                log.exception("a look at Slurm's queue failed")
            if seconds is not None:
                self._woken.wait(seconds)
                continue
            with self._lock:
                if not self._woken.is_set():
                    self._thread = None
                    return

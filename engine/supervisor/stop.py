"""The wish that a loop ends, which the handler of a signal may express at any moment."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue


class Stop:
    """Is set once, for good.

    The handler of a signal runs between any two instructions of the main thread. `threading.Event`
    takes a lock both to be set and to begin to wait: set within the other, it waits for itself for
    ever. `queue.SimpleQueue` is made for handlers.
    """

    def __init__(self) -> None:
        self._wishes: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Wish for the end."""
        self._wishes.put(None)

    def is_set(self) -> bool:
        """Whether the end was wished for."""
        return not self._wishes.empty()

    def wait(self, seconds: float) -> None:
        """Wait until the end is requested, but at most this many seconds."""
        with suppress(Empty):
            self._wishes.put(self._wishes.get(timeout=seconds))

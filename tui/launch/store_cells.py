"""The cells of the store as the grid shows them, read in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.screen import Screen

from tui.launch.grid.contents import StoreView
from tui.shell.reading import Reading

if TYPE_CHECKING:
    from engine.store.location import StoreLocation


class StoreCells:
    """Reads cells whenever the store has changed, for a tenth of the time at most.

    Args:
        screen: the grid's.
        taken: called when the cells were read, with those of before.
    """

    def __init__(self, screen: Screen[None], taken: Callable[[StoreView], object]) -> None:
        self.view = StoreView()
        """The last cells that were read; kept if the store can't be read (the header says why)."""
        self._screen, self._taken = screen, taken
        self._stale: StoreLocation | None = None
        self._reading = Reading(screen, self._take, lambda _: self._rest(0.0))

    def read(self, location: StoreLocation) -> None:
        """Read the store, or read it again after the read that is under way."""
        if self._reading.busy:
            self._stale = location
            return

        def read() -> tuple[StoreView, float]:
            from tui.launch.grid.reading import read_store

            began = time.monotonic()
            return read_store(location), time.monotonic() - began

        self._reading.ask(read)

    def _take(self, found: tuple[StoreView, float]) -> None:
        view, seconds = found
        self._rest(10 * seconds)
        before, self.view = self.view, view
        self._taken(before)

    def _rest(self, seconds: float) -> None:
        if self._stale is not None:
            again, self._stale = partial(self._read_if_seen, self._stale), None
            self._screen.set_timer(max(0.2, seconds), again)

    def _read_if_seen(self, location: StoreLocation) -> None:
        if self._screen in self._screen.app.screen_stack:
            self.read(location)

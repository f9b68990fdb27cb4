"""What a screen may ask of the app: the store, the configuration, and a few services.

Screens and widgets import this and never `tui.app`, which composes them.
"""

from __future__ import annotations

import sqlite3
from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import App
from textual.reactive import reactive

from engine.errors import UserError
from tui.messages import Snapshot
from tui.shell.clipboard import copy_by_tmux, through_screen
from tui.shell.private import driver_of

if TYPE_CHECKING:
    from engine.config import Catalogue
    from engine.store.location import StoreLocation
    from tui.shell.action import Action
    from tui.shell.preferences import Preferences
    from tui.shell.terminal import TerminalDriver


class Lab(App[None]):
    """The app as screens see it."""

    ACTIONS: ClassVar[Sequence[Action]] = ()
    """Every action of the app and of its screens."""

    location: StoreLocation
    config_dir: Path | None
    preferences: Preferences
    catalogue: Catalogue | None
    catalogue_problem: str | None

    snapshot: reactive[Snapshot] = reactive(Snapshot(), layout=False, repaint=False)
    device: reactive[str] = reactive("", layout=False, repaint=False)
    traffic: reactive[str] = reactive("", layout=False, repaint=False)
    traffic_shown: reactive[bool] = reactive(False, layout=False, repaint=False)
    low_bandwidth: reactive[bool] = reactive(False, layout=False, repaint=False)

    def reader(self) -> sqlite3.Connection:
        """A new read-only connection; for use, and closing, in one thread. Raises `StoreError`."""
        from engine.store.connect import connect_reader

        return connect_reader(self.location)

    @work(thread=True, group="request")
    def request(self, write: Callable[[], str | None], said: str | None = None) -> None:
        """Write to the store in a thread, see to it that a supervisor finds it, and say so.

        Args:
            write: may return what is said. What it raises is said if it is a `UserError`, an
                `sqlite3.Error` or an `OSError`; anything else ends the app.
            said: what is said else, if anything.
        """
        try:
            said = write() or said
        except (UserError, sqlite3.Error, OSError) as error:
            self.call_from_thread(self.notify, str(error), severity="error")
            return
        self.call_from_thread(self.look_after_queue)
        if said:
            self.call_from_thread(self.notify, said)

    def copy_to_clipboard(self, text: str, what: str = "") -> None:
        """Put a text on the clipboard, and say that it was copied if that is known, else where it
        was sent. Textual's text boxes copy by this too.

        Args:
            what: what is said to be copied; empty to say nothing.
        """
        super().copy_to_clipboard(text)
        wrapped, driver = through_screen(text), driver_of(self)
        if wrapped and driver is not None:
            driver.write(wrapped)
        self._copy_by_tmux(text, what)

    @work(thread=True, group="copy")
    def _copy_by_tmux(self, text: str, what: str) -> None:
        said = f"Copied {what}" if copy_by_tmux(text) else f"Sent to the terminal: {what}"
        if what:
            self.call_from_thread(self.notify, said, timeout=2)

    @abstractmethod
    def look_after_queue(self) -> object:
        """Start a supervisor unless one lives, so that what waits is worked on."""

    @abstractmethod
    def take_catalogue(self, catalogue: Catalogue) -> None:
        """The configuration is known, or has changed."""

    @abstractmethod
    def show_news(self) -> None:
        """What ended between the last time and this one."""

    @abstractmethod
    def key_of(self, action: Action, every: bool = False) -> str:
        """How the key that does it for this user is written."""

    @abstractmethod
    def key_written(self, text: str) -> str:
        """A key's sign, or its name where the terminal hasn't the sign."""

    @abstractmethod
    async def action_show(self, mode: str) -> None:
        """Switch to a screen and bring it up to date."""

    @property
    @abstractmethod
    def terminal(self) -> TerminalDriver | None:
        """The terminal that is drawn on; none in a test."""

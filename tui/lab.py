"""What a screen may ask of the app: the store, the configuration, and a few services.

Screens and widgets import this and never `tui.app`, which composes them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from textual.app import App
from textual.reactive import reactive

from engine.errors import UserError
from engine.store.location import StoreLocation
from tui.messages import Snapshot
from tui.shell.action import Action, key_text
from tui.shell.keymap import Keymap
from tui.shell.preferences import Preferences
from tui.shell.private import driver_of
from tui.shell.stamps import Stamp
from tui.shell.terminal.clipboard import copy_by_tmux, through_screen
from tui.shell.terminal.driver import TerminalDriver
from tui.shell.typed_ahead import screen_is_awaited

if TYPE_CHECKING:
    from engine.analysis.columns.definitions import Aggregate
    from engine.config import Catalogue
    from engine.machine.estimates import CostEstimate
    from engine.store.compare.grouping import Choice

T = TypeVar("T")


class Lab(App[None]):
    """The app as screens see it."""

    location: StoreLocation
    config_dir: Path | None
    model_paths: Sequence[Path]
    preferences: Preferences
    keymap: Keymap
    ascii_only: bool
    catalogue: Catalogue | None
    catalogue_problem: str | None
    configuration: Stamp | None
    measured: dict[str, CostEstimate]

    snapshot: reactive[Snapshot] = reactive(Snapshot(), layout=False, repaint=False)
    device: reactive[str] = reactive("", layout=False, repaint=False)
    traffic: reactive[str] = reactive("", layout=False, repaint=False)
    traffic_shown: reactive[bool] = reactive(False, layout=False, repaint=False)
    low_bandwidth: reactive[bool] = reactive(False, layout=False, repaint=False)

    _leading = 0
    """Number of acts in threads that lead to another screen."""

    @property
    def keys_wait(self) -> bool:
        """Whether the next key is meant for what an earlier one leads to, which isn't there yet."""
        return self._leading > 0 or screen_is_awaited(self.screen)

    def carry_out(
        self,
        act: Callable[[], T],
        done: Callable[[T], object],
        fail: Callable[[str], object],
        *,
        leads: bool = False,
    ) -> None:
        """Act in a thread; then give ``done`` the result, or ``fail`` a sentence, in the app's.

        Every call is carried out, even if its screen is left meanwhile; of what is read
        (`tui.shell.reading`) only the newest is.

        Args:
            act: what it raises becomes a sentence if it is a `UserError`, an `sqlite3.Error` or an
                `OSError`; anything else ends the app.
            leads: whether ``done`` shows another screen: keys that are typed meanwhile wait for it.
        """

        def in_thread() -> None:
            import sqlite3  # not before the first paint

            try:
                result = act()
            except (UserError, sqlite3.Error, OSError) as error:
                self.call_later(fail, str(error))
            else:
                self.call_later(done, result)
            if leads:
                self.call_later(arrived)

        def arrived() -> None:
            self._leading -= 1

        self._leading += leads
        self.run_worker(in_thread, group="act", thread=True)

    def read_to_open(self, read: Callable[[], T], open_dialog: Callable[[T], object]) -> None:
        """Read in a thread what a dialog begins with, and open it, unless the user has gone to
        another screen meanwhile; or say why it can't be read. ``read`` raises as `carry_out`
        says."""
        asked_on = self.screen

        def show(found: T) -> None:
            if self.screen is asked_on:
                open_dialog(found)

        self.carry_out(read, show, partial(self.notify, severity="error"), leads=True)

    def request(self, write: Callable[[], str | None], said: str = "") -> None:
        """Write to the store, see to it that a supervisor finds it, and say so.

        Args:
            write: runs as `carry_out` says; may return what is said.
            said: what is said otherwise, if anything.
        """

        def written(words: str | None) -> None:
            self.look_after_queue()
            if sentence := words or said:
                self.notify(sentence)

        def act() -> str | None:
            self.keep_models()  # those of a run that is to be tried again
            return write()

        self.carry_out(act, written, partial(self.notify, severity="error"))

    def keep_models(self) -> None:
        """See to it that runs may run the user's model files as they are now; in a thread."""
        from engine.config import keep_models  # not before the first paint

        keep_models(self.config_dir, self.model_paths)

    def key_of(self, action: Action, every: bool = False) -> str:
        """Write this user's first key for an action, or with ``every`` all of them."""
        return self.key_written(key_text(self.keymap.applied(action), every))

    def key_written(self, text: str) -> str:
        """Replace the sign of the enter key by its name where the terminal can't show the sign."""
        return text.replace("⏎", "enter") if self.ascii_only else text

    @property
    def terminal(self) -> TerminalDriver | None:
        """The terminal that is drawn on; none in a test."""
        driver = driver_of(self)
        return driver if isinstance(driver, TerminalDriver) else None

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

        def say(copied: bool) -> None:
            if what:
                self.notify(f"{'Copied' if copied else 'Sent to the terminal:'} {what}", timeout=2)

        self.carry_out(partial(copy_by_tmux, text), say, partial(self.notify, severity="error"))

    @staticmethod
    @abstractmethod
    def actions() -> Sequence[Action]:
        """List every action of the app and of its screens."""

    @abstractmethod
    def look_after_queue(self) -> None:
        """Start a supervisor unless one lives, so that what waits is worked on."""

    @abstractmethod
    def take_catalogue(self, catalogue: Catalogue) -> None:
        """Use a configuration that was read, or that has changed, and tell every screen."""

    @abstractmethod
    def renew_catalogue(self, fail: Callable[[str], object]) -> bool:
        """Read the configuration again if it has changed, such as a model's file; return whether it
        is being read. Then every screen is told, or ``fail`` is given a sentence."""

    @abstractmethod
    def show_news(self) -> None:
        """Show what ended between the last time and this one."""

    @abstractmethod
    def open_run(self, run_id: str) -> None:
        """Show a run's details."""

    @abstractmethod
    def open_study(self, name: str) -> None:
        """Show a study."""

    @abstractmethod
    def open_studies(self) -> None:
        """List the studies, to show one."""

    @abstractmethod
    def open_replay(self, run_id: str) -> None:
        """Replay a run."""

    @abstractmethod
    def open_chart(self, run_id: str, chart: str) -> None:
        """Show one chart of a run on the whole screen."""

    @abstractmethod
    def open_pivot(self, choice: Choice, aggregate: Aggregate) -> None:
        """Show cells as a pivot table."""

    @abstractmethod
    def open_catalogue(self, dataset: str | None) -> None:
        """Show the catalogue of data sets, once it is read, with the cursor on one of them."""

    @abstractmethod
    async def action_show(self, mode: str) -> None:
        """Switch to a screen and bring it up to date."""

"""The Textual app: three screens as modes, what they share, and the threads that feed them.

Imported inside functions is what the first paint doesn't need: screens that are opened later, and
what threads read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.actions import ActionParseResult
from textual.binding import Binding
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.driver import Driver
from textual.events import AppFocus, InputEvent, MouseMove, Paste, Resize
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen, Screen

from engine.store.location import StoreLocation
from tui.lab import Lab
from tui.messages import (
    CatalogueLoaded,
    DataSetsChanged,
    Snapshot,
    StoreChanged,
)
from tui.modes import MODES
from tui.parts.absence import Absence
from tui.parts.appearance import Appearance
from tui.parts.bandwidth import Bandwidth
from tui.parts.bell import Bell
from tui.parts.configuration import Configuration
from tui.parts.queuecare import QueueCare
from tui.shell.action import Action, key_name
from tui.shell.bindings import area_of, bindings_for
from tui.shell.keys import APP
from tui.shell.preferences import Preferences
from tui.shell.presence import Presence
from tui.shell.private import all_screens, drop_traceback, exception_of, is_ending, take_size
from tui.shell.rules import KeptRules, know
from tui.shell.terminal.driver import TerminalDriver
from tui.shell.terminal.glyphs import ascii_wanted
from tui.shell.text import plain
from tui.shell.theme import DEFAULT_VARIABLES, THEMES
from tui.shell.typed_ahead import waits

if TYPE_CHECKING:
    from textual.command import Provider

    from engine.analysis.columns.definitions import Aggregate
    from engine.config import Catalogue
    from engine.store.compare.grouping import Choice
    from engine.store.news import Notification

FIRST_VIEW_SECONDS = 0.5
"""The longest that the first screen keeps everything else waiting, from the first paint on."""

DEVICE_AFTER = WARM_AFTER = 0.5
"""Seconds from when the rest is read to what nobody waits for: the machine's name, and screens
that are loaded ahead."""

LONGEST_TOAST = 400
"""Terminal cells; more would cover the screen."""


def _commands() -> type[Provider]:
    from tui.parts.palette import ActionCommands

    return ActionCommands


class SeqbenchApp(Lab):
    """The app in which runs are chosen, watched and compared.

    Args:
        mode: the screen that is shown first, of `MODES`.

    Attributes:
        location: the store that is shown; it need not exist yet.
        catalogue: the configuration, once read.
        catalogue_problem: why it can't be read, as a sentence.
        configuration: what the catalogue was first read from; None if that is of no use.
        measured: costs of runs that were measured since the app was opened, by `cost_key`.
        preferences: how the user wants the terminal.
        keymap: the keys that the user chose.
        ascii_only: whether the terminal shows nothing but ASCII.
        snapshot: the store's newest state.
        device: this machine's device, in a few words.
        presence: when the user last acted.
        traffic: what was sent to the terminal in the last second, in words.
        traffic_shown: whether the header shows the traffic.
        low_bandwidth: whether little is drawn because the connection is slow.
    """

    TITLE = "seqbench"
    CSS_PATH = "app.tcss"
    MODES = MODES
    BINDINGS = bindings_for("app", APP)  # type: ignore[assignment]
    COMMANDS = {_commands}  # noqa: RUF012
    COMMAND_PALETTE_DISPLAY: ClassVar[str] = "^p"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(40, "-high")]  # noqa: RUF012
    ENABLE_SELECT_AUTO_SCROLL = False

    def __init__(
        self,
        location: StoreLocation,
        config_dir: Path | None = None,
        preferences: Preferences | None = None,
        model_paths: Sequence[Path] = (),
        mode: str = "launch",
    ) -> None:
        self.DEFAULT_MODE = mode  # type: ignore[misc] # Textual reads it when it is set up
        super().__init__()
        self.location = location
        self.config_dir = config_dir
        self.model_paths = model_paths
        self.preferences = preferences or Preferences()
        self.ascii_only = ascii_wanted(self.preferences.glyphs)
        self.keymap = self.preferences.keymap
        if self.keymap.chosen:
            self.set_keymap(self.keymap.bindings(self.actions()))
        self.catalogue: Catalogue | None = None
        self.catalogue_problem: str | None = None
        self.configuration = None
        self.measured = {}
        self.presence = Presence(location)
        self._absence = Absence(self, self.presence)
        self._started = False
        self._leaving = Event()
        self._listens = Event()
        self._listens.set()
        self._configuration = Configuration(self)
        self._queue_care = QueueCare(self)
        for theme in THEMES:
            self.register_theme(theme)
        self._appearance = Appearance(self)
        self._appearance.begin()
        self.stylesheet = KeptRules(variables=self.get_css_variables())
        self._bandwidth = Bandwidth(self)
        self._bell = Bell(self)

    @staticmethod
    def actions() -> Sequence[Action]:
        """List every action of the app and of its screens."""
        from tui.keys import ACTIONS

        return ACTIONS

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Supply the variables of our style sheets to themes that don't set them."""
        return DEFAULT_VARIABLES

    def _watch_theme(self, theme_name: str) -> None:
        self._appearance.changed()
        super()._watch_theme(theme_name)

    def _load_screen_css(self, screen: Screen[object]) -> None:
        if isinstance(screen, ModalScreen):
            from tui.parts.warm import DIALOGS

            know(self.stylesheet, [DIALOGS])
        super()._load_screen_css(screen)

    def get_key_display(self, binding: Binding) -> str:
        """Write the key of a binding, in words where its sign can't be shown."""
        return self.key_written(binding.key_display or key_name(binding.key))

    def get_driver_class(self) -> type[Driver]:
        """Choose the driver for a real terminal."""
        return TerminalDriver

    def on_mount(self) -> None:
        """Start what waits for the first view, however long that takes."""
        self.call_after_refresh(self.set_timer, FIRST_VIEW_SECONDS, self.on_first_view_shown)
        self._bandwidth.start()

    def on_first_view_shown(self) -> None:
        """Read the rest: until now it would have kept the user from seeing anything."""
        if not self._started:
            self._started = True
            self._start_threads()

    def _start_threads(self) -> None:
        self._follow_store()  # first: a screen that is opened now waits for it
        self._configuration.read()
        self.set_timer(DEVICE_AFTER, self._name_device)
        self._absence.look_back()

    def _handle_exception(self, error: Exception) -> None:
        # If the app is left while a screen is being mounted, the screen, or a `Select` in it, may
        # look for parts that it won't get any more.
        if not (is_ending(self) and isinstance(error, NoMatches)):
            super()._handle_exception(error)
            drop_traceback(self)  # the command reports `failure`

    @property
    def failure(self) -> Exception | None:
        """The unforeseen error that ended the app."""
        return exception_of(self)

    def on_unmount(self) -> None:
        """End the threads."""
        self._leaving.set()
        self.presence.write()

    # What the threads read

    def take_catalogue(self, catalogue: Catalogue) -> None:
        """Use a configuration that was read, or that has changed."""
        if self.catalogue is None:
            from tui.parts.warm import warm_up

            warm_up(self, self._leaving, WARM_AFTER, self.presence.idle_seconds)
        self.catalogue = catalogue
        for screen in all_screens(self):
            screen.post_message(CatalogueLoaded(catalogue))

    def renew_catalogue(self, fail: Callable[[str], object]) -> bool:
        """Read the configuration again if it has changed; return whether it is being read."""
        return self._configuration.renew(fail)

    @work(thread=True, group="device")
    def _name_device(self) -> None:
        from tui.parts.device import device_name

        self.call_later(setattr, self, "device", device_name())

    @work(thread=True, group="store")
    def _follow_store(self) -> None:
        """Watch the store; see to it that the queue is worked on."""
        from tui.parts.follow import watch

        tell = partial(self.call_later, self._hear)
        watch(self.location, self._leaving, self._listens, tell, self.presence.write_if_due)

    def _hear(
        self, snapshot: Snapshot | None, look_after_queue: bool, notifications: list[Notification]
    ) -> None:
        self._listens.set()
        if notifications:
            self._bell.ring(notifications)
        if snapshot is not None:
            self._store_changed(snapshot)
        if look_after_queue:
            self.look_after_queue()

    def _store_changed(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        for screen in self.screen_stack:
            screen.post_message(StoreChanged(snapshot))

    def look_after_queue(self) -> None:
        """Start a supervisor unless one lives, so that what waits is worked on."""
        self._queue_care.look()

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,  # noqa: ARG002 - Textual's; widgets pass True unless told otherwise
    ) -> None:
        """Show a toast, its text made harmless and short enough to leave the screen in sight."""
        message, title = plain(message, LONGEST_TOAST), plain(title, LONGEST_TOAST)
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    def show_news(self) -> None:
        """Show what ended between the last time and this one."""
        self._absence.show()

    async def on_event(self, event: events.Event) -> None:
        """Make pasted text harmless; draw held frames when the user acts."""
        if isinstance(event, Resize) and not self._started and take_size(self, event.size):
            return  # Textual would paint the first screen again
        self.presence.note(event)
        if isinstance(event, AppFocus):
            self._bell.tell_what_was_missed()
        if isinstance(event, (InputEvent, Resize, AppFocus)) and not isinstance(event, MouseMove):
            self._bandwidth.user_acted()
        if isinstance(event, Paste):
            event.text = "\n".join(plain(line) for line in event.text.splitlines())
        await super().on_event(event)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run an action now or, if it acts on what is still being read, once that is shown."""
        act = partial(super().run_action, action, default_namespace, namespaces)
        return waits(default_namespace, action, act) or await act()

    # What screens ask for

    def open_chart(self, run_id: str, chart: str) -> None:
        """Show one chart of a run on the whole screen."""
        from tui.charts.screen import ChartScreen

        self.push_screen(ChartScreen(run_id, chart))

    def open_replay(self, run_id: str) -> None:
        """Replay a run."""
        from tui.run.replay.screen import ReplayScreen

        self.push_screen(ReplayScreen(run_id))

    def open_run(self, run_id: str) -> None:
        """Show a run's details."""
        from tui.run.screen import RunScreen

        self.push_screen(RunScreen(run_id))

    def open_study(self, name: str) -> None:
        """Show a study, in place of one that is shown."""
        from tui.study.screen import StudyScreen

        if isinstance(self.screen, StudyScreen):
            self.switch_screen(StudyScreen(name))
        else:
            self.push_screen(StudyScreen(name))

    def open_studies(self) -> None:
        """List the studies, to show one."""
        from tui.study.listed import open_studies

        open_studies(self)

    def open_pivot(self, choice: Choice, aggregate: Aggregate) -> None:
        """Show cells as a pivot table."""
        from tui.pivot.screen import PivotScreen

        self.push_screen(PivotScreen(choice, aggregate))

    def open_catalogue(self, dataset: str | None) -> None:
        """Show the catalogue of data sets, once it is read, with the cursor on one of them."""
        from tui.data.screen import DataScreen

        if self.catalogue is not None:
            self.push_screen(DataScreen(self.catalogue, dataset), self._catalogue_left)

    def _catalogue_left(self, wanted: str | None) -> None:
        self.screen.post_message(DataSetsChanged(wanted))

    # Actions

    async def action_show(self, mode: str) -> None:
        """Switch to a screen and bring it up to date."""
        await self.switch_mode(mode)
        if mode == "launch":
            self.renew_catalogue(partial(self.notify, severity="error"))
        if self.snapshot.version:
            for screen in self.screen_stack:
                screen.post_message(StoreChanged(self.snapshot))

    def action_help(self) -> None:
        """Show the keys of the screen beneath, and explain what it shows."""
        from tui.dialogs.help import HelpScreen

        topics = getattr(self.screen, "help_topics", tuple)
        sections = getattr(self.screen, "HELP_SECTIONS", ())
        area = area_of(self.screen) or self.current_mode
        self.push_screen(HelpScreen(area, tuple(topics()), sections))

    def action_jump(self) -> None:
        """Give the focus to what the user chooses by a letter."""
        from tui.dialogs.jump import jump

        jump(self)

    def action_undo(self) -> None:
        """Bring back the runs that were deleted last."""
        from tui.dialogs.trash import undo_last

        undo_last(self)

    def action_trash(self) -> None:
        """List deleted runs, to bring single ones back."""
        from tui.dialogs.trash import open_trash

        open_trash(self)

    def action_command_palette(self) -> None:
        """Open the palette, unless it is open."""
        from tui.parts.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def action_toggle_traffic(self) -> None:
        """Show in the header how much is sent to the terminal, or hide it."""
        self.traffic_shown = not self.traffic_shown

    def action_toggle_low_bandwidth(self) -> None:
        """Switch low bandwidth on or off."""
        self._bandwidth.toggle()

    def action_toggle_theme(self) -> None:
        """Change from dark to light, or back."""
        self._appearance.toggle()

    def action_choose_theme(self) -> None:
        """Let the user choose among all themes, Textual's too."""
        self._appearance.choose()

    def action_request_quit(self) -> None:
        """Leave; ask first if runs are unfinished."""
        from tui.dialogs.quit import leave

        leave(self)

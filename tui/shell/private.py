"""Textual's private API as far as the app uses it, as seen with 8.2.8.

No other module reaches into Textual's objects; a new release is checked here. Besides, `tui.app`
overrides three methods of `App` (``_handle_exception``, ``_load_screen_css``, ``_watch_theme``),
and `tui.shell.terminal.driver` is a subclass of the driver for Linux.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from textual._xterm_parser import XTermParser
from textual.keys import _character_to_key

if TYPE_CHECKING:
    from textual.app import App
    from textual.binding import Binding
    from textual.command import CommandPalette
    from textual.driver import Driver
    from textual.filter import LineFilter
    from textual.geometry import Size
    from textual.message import Message
    from textual.screen import Screen
    from textual.widget import Widget
    from textual.worker import Worker

__all__ = [
    "XTermParser", "all_screens", "driver_of", "drop_traceback", "exception_of", "in_style",
    "is_ending", "is_stopped", "key_of", "own_bindings", "replace_filters", "searches",
    "take_size", "tell_failure", "tell_resumed",
]  # fmt: skip


Shown = TypeVar("Shown", bound="Screen[None]")


def in_style(screen: Shown) -> Shown:
    """Return a new screen of a mode that knows that its style sheet is up to date, and has the
    classes for the terminal's size: the app would else style the screen before it again, and it
    three times."""
    app = screen.app
    screen._css_update_count = app._css_update_count
    for cells, own, all_screens in (
        (app.size.width, screen.HORIZONTAL_BREAKPOINTS, app.HORIZONTAL_BREAKPOINTS),
        (app.size.height, screen.VERTICAL_BREAKPOINTS, app.VERTICAL_BREAKPOINTS),
    ):
        names = screen._get_breakpoint_classes(cells, (all_screens if own is None else own) or [])
        screen.add_class(*names, update=False)
    return screen


def take_size(app: App[Any], size: Size) -> bool:
    """Return whether the screen is laid out for the terminal's size; then the app knows that size
    too."""
    if not app.screen_stack or app.screen.outer_size != size:
        return False
    app._size = size
    return True


def key_of(character: str) -> str:
    """Name the key that types a character, such as ``slash``."""
    return _character_to_key(character)


def own_bindings(widget: Widget, key: str) -> list[Binding]:
    """List what a widget binds a key to, in the order in which the app would try it."""
    bound = widget._bindings.key_to_bindings.get(key, ())
    return [binding for binding in bound if not binding.priority]


def searches(palette: CommandPalette) -> list[Worker[None]]:
    """List the searches of a palette that go on and haven't been called off."""
    return [
        worker
        for worker in palette.workers
        if worker.node is palette
        and worker.group == palette._GATHER_COMMANDS_GROUP
        and worker.is_running
        and not worker.is_cancelled
    ]


def driver_of(app: App[Any]) -> Driver | None:
    """Return the driver that the app draws with; none before it runs."""
    return app._driver


def tell_resumed(app: App[Any]) -> None:
    """Publish that the app runs again after a stop."""
    app._resume_signal()


def all_screens(app: App[Any]) -> list[Screen[object]]:
    """List the screens of all modes, not only those that are shown."""
    return [screen for stack in app._screen_stacks.values() for screen in stack]


def replace_filters(app: App[Any], old: Iterable[type[LineFilter]], new: LineFilter) -> None:
    """Replace the app's line filters of some types by another filter."""
    kept = [each for each in app._filters if not isinstance(each, tuple(old))]
    app._filters[:] = [*kept, new]


def is_stopped(message: Message) -> bool:
    """Whether who handled the message keeps it from those above."""
    return message._stop_propagation


def tell_failure(app: App[Any], error: Exception) -> None:
    """End the app by an unforeseen error, as one in a widget ends it."""
    app._handle_exception(error)


def is_ending(app: App[Any]) -> bool:
    """Whether the app takes its screens down, or has not set them up yet."""
    return app._exit or not app._running


def exception_of(app: App[Any]) -> Exception | None:
    """Return the unforeseen error that ended the app, if any."""
    return app._exception


def drop_traceback(app: App[Any]) -> None:
    """Print no traceback when the app ends."""
    app._exit_renderables.clear()

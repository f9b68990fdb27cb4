"""The three screens of the app. A screen's module is loaded when the screen is shown first."""

from __future__ import annotations

from collections.abc import Callable

from textual.screen import Screen

from tui.shell.private import in_style


def _launch() -> Screen[None]:
    from tui.launch.screen import LaunchScreen

    return in_style(LaunchScreen())


def _live() -> Screen[None]:
    from tui.live.screen import LiveScreen

    return in_style(LiveScreen())


def _compare() -> Screen[None]:
    from tui.compare.screen import CompareScreen

    return in_style(CompareScreen())


MODES: dict[str, str | Callable[[], Screen[None]]] = {
    "launch": _launch,
    "live": _live,
    "compare": _compare,
}

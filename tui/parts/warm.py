"""Loading the other screens in a thread while the user looks at the first one."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import tui
from tui.lab import Lab
from tui.shell.rules import KeptRules, know

MODULES = (
    "tui.launch.screen",
    "tui.live.screen",
    "tui.compare.screen",
    "tui.launch.confirm",
    "tui.launch.tuning.screen",
    "tui.run.screen",
    "tui.pivot.screen",
    "tui.charts.screen",
    "tui.run.replay.screen",
    "tui.data.screen",
    "tui.dialogs.help",
    "tui.results.diff",
    "tui.dialogs.columns",
    "tui.compare.files.exports",
    "tui.compare.files.importing",
    "tui.compare.views",
    "tui.results.export",
    "tui.study.screen",
)
"""Modules to import ahead, those of the most used screens first."""

PAUSE_SECONDS = 0.02
"""Seconds between two modules, so that waiting keys are handled first."""

IDLE_SECONDS = 0.3
MOST_PAUSES = 50
"""After each module the user's keys come first, until none came for ``IDLE_SECONDS``, or for that
many pauses."""

DIALOGS = Path(tui.__file__).with_name("dialogs.tcss")
"""The style sheet of all dialogs."""


def collect_garbage() -> None:
    """Have Python look for garbage from now on, but not among what was loaded so far, which stays:
    that takes 40 ms."""
    gc.freeze()
    gc.enable()


def warm_up(
    app: Lab, leaving: threading.Event, after: float, idle_seconds: Callable[[], float]
) -> None:
    """Import the screens, and parse their style sheets with the app's variables, in a thread that
    `leaving` ends; then have the app know them: nothing is styled again when a screen is opened.

    Args:
        after: seconds to wait before.
        idle_seconds: returns how long ago the user last acted.
    """
    variables = app.get_css_variables()

    def left() -> bool:
        for _ in range(MOST_PAUSES):
            if leaving.wait(PAUSE_SECONDS):
                return True
            if idle_seconds() > IDLE_SECONDS:
                break
        return False

    def in_thread() -> None:
        try:
            load()
        finally:
            collect_garbage()

    def load() -> None:
        if leaving.wait(after):
            return
        for module in MODULES:
            import_module(module)
            if left():
                return
        rules = KeptRules(variables=variables)
        for path in style_sheets():
            rules.read(path)
            rules.parse()
            if left():
                return
        app.call_later(know, app.stylesheet, style_sheets())

    threading.Thread(target=in_thread).start()


def style_sheets() -> Sequence[Path]:
    """Return the style sheets of all screens, that of all dialogs before those of single ones."""
    return [DIALOGS, *sorted(DIALOGS.parent.glob("*/**/*.tcss"))]

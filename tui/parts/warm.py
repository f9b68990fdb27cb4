"""Loading the other screens in a thread while the user looks at the first one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import tui
from tui.shell.rules import KeptRules

MODULES = (
    "tui.launch.screen",
    "tui.live.screen",
    "tui.compare.screen",
    "tui.launch.confirm",
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
)
"""Modules to import ahead, those of the most used screens first."""

PAUSE_SECONDS = 0.02
"""Seconds between two modules, so that waiting keys are handled first."""


def warm_up(
    leaving: threading.Event, after: float, variables: dict[str, str], done: Callable[[], object]
) -> None:
    """Import the screens, and parse their style sheets with these variables, in a thread that
    `leaving` ends.

    Args:
        after: seconds to wait before.
        done: is called in the thread once all are ready.
    """

    def in_thread() -> None:
        if leaving.wait(after):
            return
        for module in MODULES:
            import_module(module)
            if leaving.wait(PAUSE_SECONDS):
                return
        rules = KeptRules(variables=variables)
        for path in style_sheets():
            rules.read(path)
            rules.parse()
            if leaving.wait(PAUSE_SECONDS):
                return
        done()

    threading.Thread(target=in_thread).start()


def style_sheets() -> Sequence[Path]:
    """Return the style sheets of all screens."""
    return sorted(Path(tui.__file__).parent.glob("*/**/*.tcss"))

"""Screens that aren't open yet, made ready in a thread while their user looks at the first one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import tui
from tui.shell.rules import KeptRules

MODULES = (
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
)
"""What is imported ahead, what is opened most first."""

PAUSE_SECONDS = 0.02
"""Between two modules, in which keys that wait have the processor for themselves."""


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

"""Notifying a user who looks elsewhere: by the terminal's bell and, through it, on the desktop."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui.lab import Lab
from tui.shell.private import driver_of
from tui.shell.text import plain

if TYPE_CHECKING:
    from engine.store.news import Notification

MOST_NOTIFICATIONS = 100
"""Most notifications that are kept for a user who looks elsewhere."""

MOST_SAID = 3
"""Most notifications that are shown at once; the others are counted."""

LONGEST_TEXT = 200
"""Terminal cells of the longest text of a notification."""


class Bell:
    """Notifies an app's user, and keeps what happened while they looked elsewhere."""

    def __init__(self, app: Lab) -> None:
        self._app = app
        self.missed: list[Notification] = []

    def ring(self, notifications: Sequence[Notification]) -> None:
        """Notify a user who looks elsewhere now, and when they look here again."""
        app = self._app
        when = app.catalogue.settings.notify if app.catalogue else "unfocused"
        if when == "never" or (when == "unfocused" and app.app_focus):
            return
        if (driver := driver_of(app)) is not None:
            driver.write(alert(notifications, os.environ))
        if not app.app_focus:
            self.missed = [*self.missed, *notifications][-MOST_NOTIFICATIONS:]

    def tell_what_was_missed(self) -> None:
        """Show what happened while the user looked elsewhere."""
        for line in lines(self.missed):
            self._app.notify(line, title="While you looked elsewhere")
        self.missed = []


def lines(notifications: Sequence[Notification]) -> list[str]:
    """Make harmless sentences of the first notifications, and one that counts the others."""
    said = [plain(notification.text, LONGEST_TEXT) for notification in notifications[:MOST_SAID]]
    rest = len(notifications) - len(said)
    return [*said, f"And {rest:,} more."] if rest else said


def alert(notifications: Sequence[Notification], environment: Mapping[str, str]) -> str:
    """Write the bell and a notification for a terminal, which ignores a kind it doesn't know."""
    return "\a" + _notification("  ".join(lines(notifications)), environment)


def _notification(text: str, environment: Mapping[str, str]) -> str:
    """Write a text as the escape sequence that the terminal of an environment notifies by."""
    terminal = environment.get("TERM", "")
    if "VTE_VERSION" in environment or terminal.startswith(("rxvt", "foot")):
        sequence = f"\x1b]777;notify;seqbench;{text.replace(';', ',')}\x1b\\"
    else:
        # ConEmu reads a number in the place of the name as a command.
        sequence = f"\x1b]9;seqbench: {text}\x1b\\"
    if "TMUX" in environment:
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return sequence

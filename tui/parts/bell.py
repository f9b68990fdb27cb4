"""Ringing for a user who looks elsewhere: the bell, and a notification of the desktop through the
terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui.shell.private import driver_of
from tui.shell.text import plain

if TYPE_CHECKING:
    from engine.store.news import Notification
    from tui.lab import Lab

MOST_NOTIFICATIONS = 100
"""Kept for a user who looks elsewhere."""

MOST_SAID = 3
"""Notifications of one moment that are said; the rest is counted."""

LONGEST = 200
"""Terminal cells of one."""


class Bell:
    """An app's bell, and what it rang for while its user looked elsewhere."""

    def __init__(self, app: Lab) -> None:
        self._app = app
        self.missed: list[Notification] = []

    def ring(self, notifications: Sequence[Notification]) -> None:
        """Tell a user who looks elsewhere, now and when he looks here again."""
        app = self._app
        when = app.catalogue.settings.notify if app.catalogue else "unfocused"
        if when == "never" or (when == "unfocused" and app.app_focus):
            return
        if (driver := driver_of(app)) is not None:
            driver.write(ring(notifications, os.environ))
        if not app.app_focus:
            self.missed = [*self.missed, *notifications][-MOST_NOTIFICATIONS:]

    def tell_what_was_missed(self) -> None:
        """The user looks here again."""
        for line in lines(self.missed):
            self._app.notify(line, title="While you looked elsewhere")
        self.missed = []


def lines(notifications: Sequence[Notification]) -> list[str]:
    """Harmless sentences, the first few of them."""
    said = [plain(notification.text, LONGEST) for notification in notifications[:MOST_SAID]]
    rest = len(notifications) - len(said)
    return [*said, f"And {rest:,} more."] if rest else said


def ring(notifications: Sequence[Notification], environment: Mapping[str, str]) -> str:
    """What the terminal is sent. A terminal ignores a notification that it doesn't know."""
    return "\a" + _notification("  ".join(lines(notifications)), environment)


def _notification(text: str, environment: Mapping[str, str]) -> str:
    terminal = environment.get("TERM", "")
    if "VTE_VERSION" in environment or terminal.startswith(("rxvt", "foot")):
        sequence = f"\x1b]777;notify;seqbench;{text.replace(';', ',')}\x1b\\"
    else:
        # The name comes first: ConEmu reads a number at this place as a command.
        sequence = f"\x1b]9;seqbench: {text}\x1b\\"
    if "TMUX" in environment:
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return sequence

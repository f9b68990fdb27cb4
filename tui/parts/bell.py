"""Notifying a user who looks elsewhere: by the terminal's bell and, through it, on the desktop."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui.shell.private import driver_of
from tui.shell.text import plain

if TYPE_CHECKING:
    from engine.store.news import Occasion
    from tui.lab import Lab

MOST_OCCASIONS = 100
"""Most that are kept for a user who looks elsewhere."""

MOST_SAID = 3
"""Most occasions that are told at once; the others are counted."""

LONGEST = 200
"""Terminal cells of the longest text about an occasion."""


class Bell:
    """Notifies an app's user, and keeps what happened while they looked elsewhere."""

    def __init__(self, app: Lab) -> None:
        self._app = app
        self.missed: list[Occasion] = []

    def ring(self, occasions: Sequence[Occasion]) -> None:
        """Notify a user who looks elsewhere now, and when they look here again."""
        app = self._app
        when = app.catalogue.settings.notify if app.catalogue else "unfocused"
        if when == "never" or (when == "unfocused" and app.app_focus):
            return
        if (driver := driver_of(app)) is not None:
            driver.write(alert(occasions, os.environ))
        if not app.app_focus:
            self.missed = [*self.missed, *occasions][-MOST_OCCASIONS:]

    def tell_what_was_missed(self) -> None:
        """Show what happened while the user looked elsewhere."""
        for line in lines(self.missed):
            self._app.notify(line, title="While you looked elsewhere")
        self.missed = []


def lines(occasions: Sequence[Occasion]) -> list[str]:
    """Make harmless sentences of the first occasions, and one that counts the others."""
    said = [plain(occasion.text, LONGEST) for occasion in occasions[:MOST_SAID]]
    rest = len(occasions) - len(said)
    return [*said, f"And {rest:,} more."] if rest else said


def alert(occasions: Sequence[Occasion], environment: Mapping[str, str]) -> str:
    """Write the bell and a notification for a terminal, which ignores a kind it doesn't know."""
    return "\a" + _notification("  ".join(lines(occasions)), environment)


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

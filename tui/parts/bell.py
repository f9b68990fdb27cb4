"""Ringing for a user who looks elsewhere: the bell, and a notification of the desktop through the
terminal."""

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
"""Kept for a user who looks elsewhere."""

MOST_SAID = 3
"""Occasions of one moment that are said; the rest is counted."""

LONGEST = 200
"""Terminal cells of one."""


class Bell:
    """An app's bell, and what it rang for while its user looked elsewhere."""

    def __init__(self, app: Lab) -> None:
        self._app = app
        self.missed: list[Occasion] = []

    def ring(self, occasions: Sequence[Occasion]) -> None:
        """Tell a user who looks elsewhere, now and when he looks here again."""
        app = self._app
        when = app.catalogue.settings.notify if app.catalogue else "unfocused"
        if when == "never" or (when == "unfocused" and app.app_focus):
            return
        if (driver := driver_of(app)) is not None:
            driver.write(ring(occasions, os.environ))
        if not app.app_focus:
            self.missed = [*self.missed, *occasions][-MOST_OCCASIONS:]

    def tell_what_was_missed(self) -> None:
        """The user looks here again."""
        for line in lines(self.missed):
            self._app.notify(line, title="While you looked elsewhere")
        self.missed = []


def lines(occasions: Sequence[Occasion]) -> list[str]:
    """Harmless sentences, the first few of them."""
    said = [plain(occasion.text, LONGEST) for occasion in occasions[:MOST_SAID]]
    rest = len(occasions) - len(said)
    return [*said, f"And {rest:,} more."] if rest else said


def ring(occasions: Sequence[Occasion], environment: Mapping[str, str]) -> str:
    """What the terminal is sent. A terminal ignores a notification that it doesn't know."""
    return "\a" + _notification("  ".join(lines(occasions)), environment)


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

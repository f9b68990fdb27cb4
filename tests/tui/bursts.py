"""Keys as they come over a slow line: many in one packet, with no pause between them."""

from __future__ import annotations

from typing import Any

from textual.app import App

from tui.shell.private import XTermParser

BACKSPACE, DELETE, LEFT, RIGHT = "\x7f", "\x1b[3~", "\x1b[D", "\x1b[C"
HOME, END, ENTER, TAB, ESCAPE = "\x1b[H", "\x1b[F", "\r", "\t", "\x1b"
CTRL_LEFT, CTRL_RIGHT = "\x1b[1;5D", "\x1b[1;5C"
TO_START, TO_END, WORD, REST = "\x15", "\x0b", "\x17", "\x04"
"""Ctrl and u, k, w, d: delete what is before the cursor, after it, the word, the character."""


def pasted(text: str) -> str:
    """Wrap text as a terminal does that tells a paste from typing."""
    return f"\x1b[200~{text}\x1b[201~"


def click(x: int, y: int) -> str:
    """Write what a terminal sends for a click on a cell."""
    return "".join(f"\x1b[<0;{x + 1};{y + 1}{end}" for end in "Mm")


def type_at_once(app: App[Any], sent: str) -> None:
    """Give the app all that a terminal sends for some keys, before it handles the first."""
    parser = XTermParser()
    for event in [*parser.feed(sent), *parser.feed("")] if sent else ():
        app.post_message(event)

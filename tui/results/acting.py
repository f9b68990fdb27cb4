"""What screens of results share: copying, and saying why there is nothing to show."""

from __future__ import annotations

from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from tui.lab import Lab
from tui.shell.text import PARAGRAPH, plain


def copy(app: Lab, text: str, what: str = "") -> None:
    """Put a text on the clipboard, and say ``what`` was copied, or else the text itself."""
    app.copy_to_clipboard(text, what or plain(text, 40))


def show_or_say(screen: Screen[None], shown: Widget, sentence: str) -> None:
    """Show a widget, or in its place (``#empty``) a sentence, if there is one."""
    empty = screen.query_one("#empty", Static)
    empty.update(Content(plain(sentence, PARAGRAPH)))
    empty.display, shown.display = bool(sentence), not sentence
    if shown.display and screen.focused is None:
        shown.focus()  # hidden, it lost the focus

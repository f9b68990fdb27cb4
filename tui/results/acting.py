"""What screens of results do alike: act in a thread, copy, say why there is nothing to show."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from engine.errors import UserError
from tui.lab import Lab
from tui.shell.text import PARAGRAPH, plain

T = TypeVar("T")


def carry_out(
    app: Lab, act: Callable[[], T], done: Callable[[T], object], fail: Callable[[str], object]
) -> None:
    """Act in a thread; then ``done`` takes the result, or ``fail`` a sentence, in the app's thread.

    Every call is carried out, even if its screen is left meanwhile; of what is read
    (`tui.shell.reading`) only the newest is.

    Args:
        act: may raise `UserError` or `sqlite3.Error`; anything else ends the app.
    """

    def in_thread() -> None:
        try:
            result = act()
        except (UserError, sqlite3.Error) as error:
            app.call_later(partial(fail, str(error)))
        else:
            app.call_later(partial(done, result))

    app.run_worker(in_thread, group="act", thread=True)


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

"""The frame that all dialogs have: a title, what the dialog is about, and its keys at the foot."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content

from tui.widgets.key_button import KeyButton


class Dialog(VerticalScroll):
    """A frame in the middle of the screen, made with ``with``. The keys stay in sight while what
    is above them scrolls. ``app.tcss`` styles it, and the fields and lists in it.

    Args:
        title: never markup.
        keys: what the dialog's keys do, the most important first.
        scrolls: whether it takes the focus, so that arrows scroll it; else what is in it does.
    """

    def __init__(
        self,
        title: str,
        *keys: KeyButton,
        scrolls: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id, classes="dialog", can_focus=scrolls)
        self.border_title = Content(title)
        self._keys = keys

    def compose(self) -> ComposeResult:
        with Horizontal(classes="buttons"):
            yield from self._keys

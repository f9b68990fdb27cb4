"""A field of several lines, in a module of its own: Textual's is slow to import."""

from __future__ import annotations

from textual.events import Key
from textual.widgets import TextArea

from tui.widgets.field import act_at_once


class TextField(TextArea):
    """A field of several lines that does what is typed in its order."""

    DEFAULT_CSS = """
    TextField:ansi > .text-area--placeholder {
        color: ansi_default;
        text-style: dim;
    }
    """

    async def on_key(self, event: Key) -> None:
        """Do what a key is bound to here, before the next one is heard of."""
        await act_at_once(self, event)

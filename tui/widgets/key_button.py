"""A button for the mouse that shows the key which does the same."""

from __future__ import annotations

from textual.widgets import Button


class KeyButton(Button, can_focus=False):
    """Never takes the focus: in a dialog every answer has a key, so there is nothing to walk to.

    ``-main`` as a class marks what enter does.
    """

    DEFAULT_CSS = """
    KeyButton, KeyButton:hover {
        height: 1;
        min-width: 8;
        border: none;
        padding: 0 1;
        margin-right: 2;
        background: $panel;
        color: $foreground;
        text-style: none;
    }
    KeyButton.-main, KeyButton.-main:hover {
        background: $primary;
        color: $background;
        text-style: bold;
    }
    KeyButton:disabled {
        color: $text-disabled;
        background: $panel;
        text-style: none;
    }
    """

    def __init__(self, key: str, label: str, id: str, main: bool = False) -> None:  # noqa: A002
        super().__init__(f"{key}  {label}", id=id, compact=True, classes="-main" if main else "")
        self._key = key

    def say(self, label: str) -> None:
        """Change what it says, not its key."""
        self.label = f"{self._key}  {label}"

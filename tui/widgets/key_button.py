"""A button for the mouse that shows the key which does the same."""

from __future__ import annotations

from textual.widgets import Button

from tui.lab import Lab


class KeyButton(Button, can_focus=False):
    """A button that never takes the focus, as in a dialog every answer has a key.

    The class ``-main`` marks what enter does; ``app.tcss`` styles buttons.

    Args:
        key: how the key is written.
        action: the screen's action that key and button do; without parameters, the button's id.
        main: whether the key is enter.
    """

    app: Lab

    def __init__(self, key: str, label: str, action: str, main: bool = False) -> None:
        super().__init__(
            id=action if action.isidentifier() else None,
            action=f"screen.{action}",
            compact=True,
            classes="-main" if main else "",
        )
        self._key = key
        self._said = label

    def on_mount(self) -> None:
        """Write the key in words where the terminal can't show its sign."""
        self.say(self._said)

    def say(self, label: str) -> None:
        """Change the label, not the key."""
        self._said = label
        self.label = f"{self.app.key_written(self._key)}  {label}"
        self.refresh(layout=True)  # the label may be longer

"""Text in a box whose size doesn't depend on it."""

from __future__ import annotations

from textual.visual import VisualType
from textual.widgets import Static


class TextBox(Static):
    """A `Static` that the style sheet gives its size: another text lays nothing out, the same one
    does nothing. Never markup."""

    def __init__(self, *, id: str, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__("", id=id, classes=classes, markup=False)

    def update(self, content: VisualType = "", *, layout: bool = False) -> None:
        if content != self.content:
            super().update(content, layout=layout)

"""A box of text whose size doesn't depend on the text."""

from __future__ import annotations

from textual.visual import VisualType
from textual.widgets import Static


class TextBox(Static):
    """A `Static` sized by the style sheet: another text lays nothing out, and the same text draws
    nothing. Never markup."""

    def __init__(self, *, id: str, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__("", id=id, classes=classes, markup=False)

    def update(self, content: VisualType = "", *, layout: bool = False) -> None:
        """Show other text; nothing is drawn if it is the same."""
        if content != self.content:
            super().update(content, layout=layout)

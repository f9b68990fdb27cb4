"""A column of the run page's panels, whose tables depend on its width."""

from __future__ import annotations

from dataclasses import dataclass

from textual.containers import Vertical
from textual.message import Message


class Column(Vertical):
    """Panels one below the other."""

    @dataclass
    class WidthChanged(Message):
        """The column was laid out with another width."""

        width: int

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id, classes="stack")
        self._width = 0

    def on_resize(self) -> None:
        if self.content_size.width != self._width:
            self._width = self.content_size.width
            self.post_message(self.WidthChanged(self._width))

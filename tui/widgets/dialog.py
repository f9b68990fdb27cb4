"""The frame that all dialogs have: a title, what the dialog is about, and its keys at the foot."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.geometry import Offset, Size
from textual.layout import ArrangeResult
from textual.layouts.horizontal import HorizontalLayout
from textual.widget import Widget

from tui.widgets.key_button import KeyButton


class Dialog(VerticalScroll):
    """A frame in the middle of the screen, made with ``with``. The keys stay in sight while what
    is above them scrolls. ``dialogs.tcss`` styles it, and the fields and lists in it.

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
        with _Keys(classes="buttons"):
            yield from self._keys


class _Rows(HorizontalLayout):
    """Widgets of one height from left to right, those without room there in a further row."""

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        placements, start, y = [], 0, 0
        for each in super().arrange(parent, children, size, greedy):
            if each.region.x > start and each.region.right - start > size.width:
                start, y = each.region.x, y + each.region.height
            region = each.region.translate(Offset(-start, y))
            placements.append(each._replace(region=region))
        return placements


class _Keys(Horizontal):
    """Keys in a row, or in several where the dialog is narrow."""

    _rows = _Rows()

    @property
    def layout(self) -> _Rows:
        return self._rows

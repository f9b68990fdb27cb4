"""Jumping to a widget: each that can have the focus shows a letter, which gives it the focus."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Offset, Size
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""Letters that are given, in this order: those under the fingers first."""


def targets(screen: Screen[object]) -> list[tuple[Widget, Offset]]:
    """List the widgets to jump to, in the order of reading, and the places of their letters."""
    found: list[tuple[Widget, Offset]] = []
    for widget in screen.focus_chain:
        seen = screen.find_widget(widget).visible_region
        if seen.area:
            found.append((widget, seen.offset))
    return sorted(found, key=lambda target: (target[1].y, target[1].x))[: len(LETTERS)]


def jump(app: App[Any]) -> None:
    """Show letters, and give the focus to the widget that is chosen by one."""

    def chosen(widget: Widget | None) -> None:
        if widget is not None:
            widget.focus()

    if found := targets(app.screen):
        app.push_screen(JumpScreen(found), chosen)
    else:
        app.notify("There is nothing to jump to on this screen.")


class JumpScreen(ModalScreen[Widget]):
    """Shows letters over the screen beneath; its result is the chosen widget, or None."""

    CSS_PATH = "jump.tcss"

    def __init__(self, found: list[tuple[Widget, Offset]]) -> None:
        super().__init__()
        self._found = dict(zip(LETTERS, found, strict=False))
        self._size_known: Size | None = None

    def compose(self) -> ComposeResult:
        for letter, (_, offset) in self._found.items():
            label = Static(f" {letter} ", name=letter, markup=False)
            label.styles.offset = offset
            yield label

    def on_key(self, event: events.Key) -> None:
        """Choose the widget of a letter; close without one on any other key."""
        event.stop()
        self._choose(event.character)

    def on_click(self, event: events.Click) -> None:
        """Choose the widget of the letter that is clicked."""
        event.stop()
        self._choose(self.get_widget_at(event.screen_x, event.screen_y)[0].name)

    def on_resize(self, event: events.Resize) -> None:
        """Close: the widgets are elsewhere now."""
        if self._size_known and event.size != self._size_known:
            self.dismiss(None)
        self._size_known = event.size

    def _choose(self, letter: str | None) -> None:
        chosen = self._found.get(letter or "")
        self.dismiss(chosen[0] if chosen else None)

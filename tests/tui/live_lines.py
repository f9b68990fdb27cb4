"""An app that shows one widget, and what its screen then says."""

from __future__ import annotations

from typing import Any

from textual.app import App, ComposeResult
from textual.widget import Widget

from tui.shell.theme import DEFAULT_VARIABLES, SEQBENCH


class Stage(App[None]):
    """One widget, as large as the screen."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self._widget = widget
        self.register_theme(SEQBENCH)
        self.theme = SEQBENCH.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULT_VARIABLES

    def compose(self) -> ComposeResult:
        yield self._widget


def screen_text(app: App[Any]) -> list[str]:
    """The lines on the screen, as the widgets have painted them."""
    return [strip.text for strip in app.screen._compositor.render_strips()]

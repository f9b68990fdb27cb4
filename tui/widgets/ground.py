"""What stands under other widgets, and is painted as one line: Textual (8.2) draws each line of a
widget, though all of them are covered."""

from __future__ import annotations

from collections.abc import Callable

from textual.containers import Horizontal, Vertical
from textual.events import ScreenResume
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip


class CoveredRow(Horizontal):
    """Widgets from left to right, in no frame."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the first line, for all."""
        return _alike(super().render_lines, crop)


class CoveredColumn(Vertical):
    """Widgets from top to bottom, in no frame."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the first line, for all."""
        return _alike(super().render_lines, crop)


class FullScreen(Screen[None]):
    """A screen that covers all others."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the first line, for all."""
        return _alike(super().render_lines, crop)

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Leave the styles of a screen that is shown for the first time: they are new."""
        event.refresh_styles = self.stack_updates > 1


def _alike(draw: Callable[[Region], list[Strip]], crop: Region) -> list[Strip]:
    return draw(crop.split_horizontal(1)[0]) * crop.height if crop.height else []

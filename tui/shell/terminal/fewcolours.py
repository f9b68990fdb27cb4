"""Drawing in sixteen colours, or none: with reverse, underline and bold in place of grounds.

The theme `tui.shell.theme.ANSI` takes the terminal's own colours, so that it can be read on a dark
and on a light one. How a colour looks there as a ground under text of another is unknown, so
none is used as one.
"""

from __future__ import annotations

from functools import lru_cache

from rich.color import ColorType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from tui.shell.theme import ANSI

_FAINT = 8
"""Bright black. Some palettes give it the colour of the ground: the terminal makes it faint."""

_CURSOR = Color.parse(ANSI.primary).rich_color
"""The colour of a cursor's bar, with text in the terminal's ground: legible where the theme's other
text is, and no brighter than the text that it marks, as a bar in the colour of text would be."""

_GROUNDS = {
    "block-cursor-background": Style(color=_CURSOR, reverse=True),
    "block-cursor-blurred-background": Style(underline=True),
    "selection-background": Style(bold=True, underline=True),
    "selection-cursor-background": Style(color=_CURSOR, reverse=True, underline=True),
}
"""Styles in place of the theme's grounds. Any other ground is reversed, in its own colour."""


@lru_cache(1)
def _attributes() -> dict[int | None, Style]:
    """The styles of ``_GROUNDS`` by the number of the ground's colour."""
    return {
        Color.parse(ANSI.variables[variable]).rich_color.number: style
        for variable, style in _GROUNDS.items()
    }


class FewColours(LineFilter):
    """Turn grounds into attributes; with ``colourless`` drop the other colours too."""

    def __init__(self, colourless: bool) -> None:
        super().__init__()
        self._colourless = colourless

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """Rewrite the segments of a line without grounds."""
        return [
            Segment(text, style and _without_ground(style, self._colourless), control)
            for text, style, control in segments
        ]


@lru_cache(2048)
def _without_ground(style: Style, colourless: bool) -> Style:
    ground, ink = style.bgcolor, style.color
    instead = Style.null()
    if ground is not None and ground.type is not ColorType.DEFAULT:
        instead = _attributes().get(ground.number, Style(color=ground, reverse=True))
    ink = instead.color or ink
    faint = ink is not None and ink.number == _FAINT
    return Style(
        color=None if colourless or faint or ink is None or ink.type is ColorType.DEFAULT else ink,
        bold=style.bold or instead.bold,
        dim=style.dim or (faint and not instead.reverse) or None,
        italic=style.italic,
        underline=style.underline or instead.underline,
        strike=style.strike,
        # Reversed twice, as a cursor of Textual's in a field, is reversed still.
        reverse=style.reverse or instead.reverse,
        link=style.link,
        meta=style.meta or None,
    )

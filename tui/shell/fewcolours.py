"""Sixteen colours, or none: what grounds tell elsewhere, reverse, underline and bold tell here.

The theme `tui.shell.theme.ANSI` takes the terminal's own colours, so that it can be read on a dark
and on a light one. Nobody knows how a colour looks there as a ground under text of another, so
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

_GROUNDS = {
    "block-cursor-background": Style(reverse=True, bold=True),
    "block-cursor-blurred-background": Style(underline=True),
    "selection-background": Style(bold=True, underline=True),
    "selection-cursor-background": Style(reverse=True, underline=True),
}
"""What a ground of the theme becomes. Any other is reversed."""


@lru_cache(1)
def _attributes() -> dict[int | None, Style]:
    found: dict[int | None, Style] = {}
    for variable, style in _GROUNDS.items():
        colour = Color.parse(ANSI.variables[variable]).rich_color
        found[colour.number] = style
    return found


class FewColours(LineFilter):
    """Grounds to attributes; with ``colourless`` the rest of the colours goes too."""

    def __init__(self, colourless: bool) -> None:
        super().__init__()
        self._colourless = colourless

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The segments without grounds."""
        return [
            Segment(text, style and _without_ground(style, self._colourless), control)
            for text, style, control in segments
        ]


@lru_cache(2048)
def _without_ground(style: Style, colourless: bool) -> Style:
    ground, ink = style.bgcolor, style.color
    told = Style.null()
    if ground is not None and ground.type is not ColorType.DEFAULT:
        told = _attributes().get(ground.number, Style(reverse=True))
    faint = ink is not None and ink.number == _FAINT
    return Style(
        color=None if colourless or faint or ink is None or ink.type is ColorType.DEFAULT else ink,
        bold=style.bold or told.bold,
        dim=style.dim or (faint and not told.reverse) or None,
        italic=style.italic,
        underline=style.underline or told.underline,
        strike=style.strike,
        # Reversed twice, as a cursor of Textual's in a field, is reversed still.
        reverse=style.reverse or told.reverse,
        link=style.link,
        meta=style.meta or None,
    )

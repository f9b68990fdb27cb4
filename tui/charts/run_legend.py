"""The legend of overlaid runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.shell.states import glyph, style_variable
from tui.shell.theme import SERIES
from tui.widgets.lines import Line, Lines, line_length

MOST_ROWS = 3


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A run in the legend: its letter on the charts, label, figure (or none) and state."""

    letter: str
    label: str
    figure: str
    state: str


class RunLegend(Lines):
    """Names the runs in as many lines as they need; of no height without runs."""

    DEFAULT_CSS = "RunLegend { height: 0; padding: 0 1; }"

    _entries: Sequence[LegendEntry] = ()

    def show(self, entries: Sequence[LegendEntry]) -> None:
        """Show these runs instead."""
        if entries != self._entries:
            self._entries = entries
            self._fit()
            self.redraw()

    def on_resize(self) -> None:
        self._fit()
        super().on_resize()

    def _fit(self) -> None:
        rows = len(self.draw(self.content_size.width, MOST_ROWS)) if self._entries else 0
        if self.styles.height is None or self.styles.height.value != rows:
            self.styles.height = rows

    def draw(self, width: int, height: int) -> list[Line]:
        lines: list[Line] = []
        for index, entry in enumerate(self._entries):
            state = style_variable(entry.state)
            piece: Line = [
                (f"{entry.letter} ", f"{SERIES[index]} bold"),
                (entry.label, SERIES[index]),
                (f" {glyph(entry.state)}", state),
            ]
            if entry.figure:
                piece.append((f" {entry.figure}", ""))
            if lines and line_length(lines[-1]) + line_length(piece) + 3 <= width:
                lines[-1] += [("   ", ""), *piece]
            else:
                lines.append(piece)
        return lines[:height]

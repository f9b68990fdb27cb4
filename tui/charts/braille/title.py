"""The line above a chart: its title, how it is looked at, and the legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.charts.braille.scale import MUTED
from tui.shell.text import ABSENT
from tui.widgets.lines import Line, line_length


@dataclass(frozen=True, slots=True)
class Named:
    """A curve in the legend: its name in the colour in which it is drawn, and its value."""

    name: str
    style: str
    value: str
    """Of what is drawn in full colour: the smoothed curve, if it is drawn."""
    raw: str = ""
    """Without smoothing."""

    def text(self, short: bool = False) -> str:
        """``0.0501 (0.0566)``; ``short`` without what is in brackets."""
        raw = f" ({self.raw})" if self.raw and not short else ""
        return f"{self.value or ABSENT}{raw}"

    def entry(self, short: bool) -> Line:
        """The name, and the value as `text` writes it."""
        return [(f"  {self.name} ", self.style), (self.text(short), "")]


def title_line(title: str, tags: Sequence[str], curves: Sequence[Named], width: int) -> Line:
    """Write the line, with as many curves as there is room for.

    Where there is too little, values without smoothing go first, then the least important curves:
    how many aren't named is said.

    Args:
        curves: the most important first.
    """
    head: Line = [(title, "bold")]
    if tags:
        head.append((f" {' '.join(tags)}", "$accent"))
    for short in (False, True):
        whole = [*head, *(span for curve in curves for span in curve.entry(short))]
        if line_length(whole) <= width:
            return whole
    for count in reversed(range(len(curves))):
        kept = [span for curve in curves[:count] for span in curve.entry(short=True)]
        part = [*head, *kept, (f"  +{len(curves) - count}", MUTED)]
        if line_length(part) <= width:
            return part
    return head

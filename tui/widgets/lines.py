"""A widget made of whole lines, which sends only what changed to the terminal.

A refreshed Textual widget is sent again in full. Here the lines last drawn are kept, and a redraw
marks only the spans that differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby, zip_longest
from operator import itemgetter

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from tui.shell.text import cells, shorten

Span = tuple[str, str]
"""Text, and a style such as ``"$text-muted bold"``; the text is never markup."""

Line = list[Span]

_BARS = "▁▂▃▄▅▆▇█"


class Lines(Widget):
    """Subclasses implement `draw` and call `redraw` when what they show has changed."""

    ALLOW_SELECT = False

    DEFAULT_CSS = "Lines { height: 1fr; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []
        self._drawn_for: Size | None = None
        self._rich_styles: dict[str, RichStyle] = {}
        self._frame_title = ""

    def draw(self, width: int, height: int) -> list[Line]:
        """The lines to show in ``width`` × ``height`` cells; longer ones are clipped."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw again, and repaint what differs. What isn't displayed is drawn once it is."""
        size = self.content_size
        if not size or not self.display:
            self._drawn_for = None
            return
        if self._drawn_for != size:
            self._drawn_for = None
            self.refresh()
            return
        old, new = self._lines, self._draw(size)
        regions = []
        for y, (before, after) in enumerate(zip_longest(old, new, fillvalue=None)):
            if before != after and (span := changed_span(before or [], after or [], size.width)):
                regions.append(Region(span[0], y, span[1] - span[0], 1))
        self._lines = new
        if regions:
            self.refresh(*regions)

    def name_frame(self, title: str) -> None:
        """Set the border's title (never markup). Textual repaints the whole widget for that."""
        if title != self._frame_title:
            self._frame_title = title
            self.border_title = Content(title)

    def render_line(self, y: int) -> Strip:
        size = self.content_size
        if self._drawn_for != size:
            self._lines = self._draw(size)
            self._drawn_for = size
        line = self._lines[y] if y < len(self._lines) else []
        segments = [Segment(text, self._rich_style(style)) for text, style in line if text]
        return Strip(segments).adjust_cell_length(size.width, self._rich_style(""))

    def notify_style_update(self) -> None:
        self._rich_styles.clear()
        super().notify_style_update()

    def on_resize(self) -> None:
        self.redraw()

    def _draw(self, size: Size) -> list[Line]:
        lines = self.draw(size.width, size.height)[: size.height] if size else []
        return [_joined(line) for line in lines]

    def _rich_style(self, style: str) -> RichStyle:
        rich_style = self._rich_styles.get(style)
        if rich_style is None:
            rich_style = (self.visual_style + Style.parse(style)).rich_style
            self._rich_styles[style] = rich_style
        return rich_style


def _joined(line: Line) -> Line:
    """Neighbours of one style as one span: each change of style costs forty bytes."""
    return [
        ("".join(text for text, _ in spans), style)
        for style, spans in groupby(line, key=itemgetter(1))
    ]


def changed_span(before: Line, after: Line, width: int) -> tuple[int, int] | None:
    """First cell, and the cell after the last, in which two lines of ``width`` cells differ."""
    old, new = _cells(before, width), _cells(after, width)
    if old == new:
        return None
    start = 0
    while old[start] == new[start]:
        start += 1
    end = width
    while old[end - 1] == new[end - 1]:
        end -= 1
    return start, end


def fit(text: str, width: int, align: str = "<") -> str:
    """Cut (marked by ``…``) or fill a text to exactly ``width`` terminal cells."""
    short = shorten(text, width)
    padding = " " * (width - cells(short))
    return padding + short if align == ">" else short + padding


def sparkline(shares: Iterable[float | None]) -> str:
    """A bar per share (0 to 1), a space where it is unknown."""
    last = len(_BARS) - 1
    return "".join(
        " " if share is None else _BARS[min(int(share * len(_BARS)), last)] for share in shares
    )


def progress_bar(
    share: float, cells: int, style: str = "$state-running", rest: str = "$text-disabled"
) -> Line:
    """Draw a thin bar of ``cells`` terminal cells, to half a cell.

    Args:
        share: how much is done, 0 to 1; drawn in ``style``, the rest in ``rest``.
    """
    halves = round(min(max(share, 0.0), 1.0) * cells * 2)
    done = "━" * (halves // 2) + "╸" * (halves % 2)
    return [(done, style), ("─" * (cells - len(done)), rest)]


def line_length(line: Line) -> int:
    """Width in cells."""
    return sum(cell_len(text) for text, _ in line)


def _cells(line: Line, width: int) -> list[Span]:
    """One entry per cell; the second cell of a wide character repeats it."""
    found: list[Span] = []
    for text, style in line:
        if text.isascii():
            found.extend((character, style) for character in text)
        else:
            for character in text:
                found.extend([(character, style)] * cell_len(character))
    del found[width:]
    found.extend([(" ", "")] * (width - len(found)))
    return found

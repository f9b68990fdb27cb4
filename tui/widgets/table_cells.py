"""Columns, rows and cells of a table, and where the columns are on a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from rich.segment import Segment
from textual.strip import Strip

from tui.shell.text import cells
from tui.widgets.lines import fit

WIDEST = 40
"""Terminal cells to which `widened` widens a column's content at most."""
NARROWEST = 14
"""Terminal cells to which the content of a fixed column is narrowed at most, for the others."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column and its heading."""

    key: str
    heading: tuple[str, str]
    """Two lines."""
    width: int
    """Terminal cells of the content, which has a space on each side."""
    right: bool = False
    """Whether the content is right-aligned, as numbers are."""
    fixed: bool = False
    """Whether it stays at the left edge when the others scroll, where there is room for that; fixed
    columns come first."""

    @property
    def span(self) -> int:
        """Terminal cells with the spaces around the content."""
        return self.width + 2


@dataclass(frozen=True, slots=True)
class Cell:
    """Harmless text (`tui.shell.text.plain`) and its tone: ``muted``, ``best``, ``strong``, or
    ``state-…`` for the state of a run."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row, which its key names; ``marked`` draws a bar at its left edge."""

    key: str
    cells: tuple[Cell, ...]
    marked: bool = False


@dataclass(frozen=True)
class Columns:
    """All columns and where they are. Those that are held at the left edge and a rule of one cell
    take ``[0, fixed)``; the others follow and scroll under it. Where fixed columns leave no
    room for the first two others, the widest is narrowed. They are held, but for the last ones
    where they would leave no room for the first other."""

    given: tuple[TableColumn, ...]
    """As wide as their content."""
    room: int | None = None
    """Terminal cells across; None if it isn't known."""
    all: tuple[TableColumn, ...] = field(init=False)
    """As wide as they are shown."""
    held: int = field(init=False)
    """Number of columns that are held."""
    starts: tuple[int, ...] = field(init=False)
    """First cell of each column, unscrolled."""
    fixed: int = field(init=False)
    """Cells of the columns that are held with the rule after them; 0 where none is."""
    width: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "all", _narrowed(self.given, self.room))
        ends = list(accumulate((column.span for column in self.all), initial=0))
        held = self.first
        if self.room is not None and held < len(self.all):
            while held and ends[held] + 1 + self.all[self.first].span > self.room:
                held -= 1
        rule = 1 if held else 0
        starts = tuple(end + (rule if index >= held else 0) for index, end in enumerate(ends[:-1]))
        object.__setattr__(self, "held", held)
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "fixed", ends[held] + rule)
        object.__setattr__(self, "width", ends[-1] + rule)

    @property
    def first(self) -> int:
        """Index of the first column that isn't fixed."""
        return sum(column.fixed for column in self.given)

    def __len__(self) -> int:
        return len(self.given)

    def __iter__(self) -> Iterator[TableColumn]:
        return iter(self.all)

    def on_screen(self, index: int, scroll: int) -> tuple[int, int]:
        """Return the first cell of a column on the screen and the cell after its last one, without
        what is hidden under the fixed part."""
        column = self.all[index]
        start = self.starts[index]
        if index < self.held:
            return start, start + column.span
        return max(start - scroll, self.fixed), max(start - scroll + column.span, self.fixed)

    def shown(self, scroll: int, width: int) -> Iterator[tuple[int, int, int]]:
        """Iterate over the columns in sight in ``width`` cells, from left to right: the index of
        each, and of its own cells the first in sight and the one after the last."""
        for index in range(len(self.all)):
            left = self.starts[index] - (0 if index < self.held else scroll)
            if left >= width:
                return
            start, end = self.on_screen(index, scroll)
            if start < end:
                yield index, start - left, min(end, width) - left

    def at(self, x: int, scroll: int) -> int | None:
        """Find the index of the column at a cell of the screen."""
        for index in range(len(self.all)):
            start, end = self.on_screen(index, scroll)
            if start <= x < end:
                return index
        return None

    def scroll_to_show(self, index: int, scroll: int, width: int) -> int:
        """Return the nearest horizontal scroll at which ``width`` cells show a whole column."""
        column = self.all[index]
        if index < self.held:
            return scroll
        start = self.starts[index]
        first, last = start + column.span - width, start - self.fixed
        return min(max(scroll, first), last) if first <= last else last


def _narrowed(columns: tuple[TableColumn, ...], room: int | None) -> tuple[TableColumn, ...]:
    """Narrow the widest fixed column where fixed ones leave no room for the first two others."""
    fixed = [column for column in columns if column.fixed]
    if room is None or not fixed or len(fixed) == len(columns):
        return columns
    over = sum(column.span for column in columns[: len(fixed) + 2]) + 1 - room
    widest = max(fixed, key=lambda column: column.width)
    width = min(widest.width, max(NARROWEST, widest.width - over))
    return tuple(replace(each, width=width) if each is widest else each for each in columns)


def column_text(text: str, column: TableColumn) -> str:
    """Cut or fill a cell's content, with its blanks, to exactly ``column.span`` terminal cells. A
    name is cut in the middle, as names often differ at their ends."""
    length, tail = cells(text), column.width // 2
    if column.fixed and length > column.width:
        text = fit(text, column.width - tail) + cut(text, length - tail, length)
    return f" {fit(text, column.width, '>' if column.right else '<')} "


def cut(text: str, first: int, end: int) -> str:
    """Cut terminal cells ``[first, end)`` out of a text; half a wide character becomes a space."""
    if text.isascii():
        return text[first:end]
    return Strip([Segment(text)]).crop(first, end).text


def in_sight(text: str, first: int, end: int) -> str:
    """Cut terminal cells ``[first, end)`` out of a text, with an ellipsis at an edge beyond which
    it isn't blank: a number without its last digits would be another number."""
    shown, width = cut(text, first, end), end - first
    if cut(text, 0, first).strip():
        shown = "…" + cut(shown, 1, width)
    if cut(text, end, cells(text)).strip():
        shown = cut(shown, 0, width - 1) + "…"
    return shown


def widened(
    columns: Sequence[TableColumn], rows: Sequence[TableRow], limit: int = WIDEST
) -> tuple[TableColumn, ...]:
    """Widen the columns that a row's text overflows, to ``limit`` cells at most."""
    result = []
    for index, column in enumerate(columns):
        longest = max((cells(row.cells[index].text) for row in rows), default=0)
        wanted = min(max(longest, column.width), max(limit, column.width))
        result.append(replace(column, width=wanted))
    return tuple(result)

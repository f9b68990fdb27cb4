"""What a table is made of, and where its columns stand on a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from rich.segment import Segment
from textual.strip import Strip

from tui.shell.text import cells, shorten

WIDEST = 40
"""Cells of content to which a column is widened at most."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column."""

    key: str
    heading: tuple[str, str]
    """Two lines, the second next to the figures."""
    width: int
    """Terminal cells of the content; one blank stands on each side."""
    right: bool = False
    fixed: bool = False
    """Stays at the left edge when the rest scrolls; fixed columns come first."""

    @property
    def span(self) -> int:
        return self.width + 2


@dataclass(frozen=True, slots=True)
class Cell:
    """Harmless text (`tui.shell.text.plain`) and how it is toned: ``muted``, ``best``, ``strong``,
    or by a run's state ``state-…``."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class TableRow:
    key: str
    cells: tuple[Cell, ...]
    marked: bool = False


@dataclass(frozen=True)
class Columns:
    """All columns and their places. The fixed ones take ``[0, fixed)``, then a rule of one cell;
    the others follow and scroll under it."""

    all: tuple[TableColumn, ...]
    starts: tuple[int, ...] = field(init=False)
    """First cell of each column, unscrolled."""
    fixed: int = field(init=False)
    """Cells of the fixed columns with the rule after them; 0 where none is fixed."""
    width: int = field(init=False)

    def __post_init__(self) -> None:
        held = sum(column.span for column in self.all if column.fixed)
        rule = 1 if held else 0
        ends = list(accumulate((column.span for column in self.all), initial=0))
        starts = tuple(
            end + (0 if column.fixed else rule) for end, column in zip(ends, self.all, strict=False)
        )
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "fixed", held + rule)
        object.__setattr__(self, "width", ends[-1] + rule)

    def __len__(self) -> int:
        return len(self.all)

    def __iter__(self) -> Iterator[TableColumn]:
        return iter(self.all)

    def on_screen(self, index: int, scroll: int) -> tuple[int, int]:
        """First cell and end of a column on the screen; under the fixed part it is cut off."""
        column = self.all[index]
        start = self.starts[index]
        if column.fixed:
            return start, start + column.span
        return max(start - scroll, self.fixed), max(start - scroll + column.span, self.fixed)

    def shown(self, scroll: int, width: int) -> Iterator[tuple[int, int, int]]:
        """The columns that are seen in ``width`` cells, from left to right: the place of each, and
        the first cell and the end of what is seen of it."""
        for place, column in enumerate(self.all):
            left = self.starts[place] - (0 if column.fixed else scroll)
            if left >= width:
                return
            start, end = self.on_screen(place, scroll)
            if start < end:
                yield place, start - left, min(end, width) - left

    def at(self, x: int, scroll: int) -> int | None:
        """The column at a cell of the screen."""
        for index in range(len(self.all)):
            start, end = self.on_screen(index, scroll)
            if start <= x < end:
                return index
        return None

    def scroll_to_show(self, index: int, scroll: int, width: int) -> int:
        """The nearest horizontal scroll at which a column is seen whole in ``width`` cells."""
        column = self.all[index]
        if column.fixed:
            return scroll
        start = self.starts[index]
        first, last = start + column.span - width, start - self.fixed
        return min(max(scroll, first), last) if first <= last else last


def fit(text: str, column: TableColumn) -> str:
    """Content of one cell with its blanks, exactly ``column.span`` cells wide."""
    content = text if cells(text) <= column.width else shorten(text, column.width)
    blanks = " " * (column.width - cells(content))
    return f" {blanks}{content} " if column.right else f" {content}{blanks} "


def cut(text: str, first: int, end: int) -> str:
    """The terminal cells ``[first, end)`` of a text; of a wide character cut in two a blank is
    left."""
    if text.isascii():
        return text[first:end]
    return Strip([Segment(text)]).crop(first, end).text


def widened(
    columns: Sequence[TableColumn], rows: Sequence[TableRow], limit: int = WIDEST
) -> tuple[TableColumn, ...]:
    """The columns, made wider where a row's text overflows them; never narrower."""
    result = []
    for index, column in enumerate(columns):
        longest = max((cells(row.cells[index].text) for row in rows), default=0)
        wanted = min(max(longest, column.width), max(limit, column.width))
        if wanted == column.width:
            result.append(column)
        else:
            result.append(
                TableColumn(column.key, column.heading, wanted, column.right, column.fixed)
            )
    return tuple(result)

"""Where the grid's rows and columns stand on the screen, and which cells a rectangle holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual.geometry import Size

from tui.launch.grid.cells import CellKey, Row
from tui.shell.text import TITLE, plain

HEADER_LINES = 2
NARROWEST, NAMED, WIDEST = 12, 16, 26
"""Widths of a column: at least, at least where data sets have such long names, and at most."""

Position = tuple[int, int]
"""Column and row of a cell, counted from 0."""


USUAL_LABEL = 18
"""Width of a label that has room for the titles of most models, and a length."""


class Geometry(NamedTuple):
    """Widths in cells of the terminal, and the row that stands on each line of the body.

    A line without a row is a gap.
    """

    label_width: int = 10
    column_width: int = NARROWEST
    columns: int = 0
    lines: tuple[int | None, ...] = ()

    @property
    def size(self) -> Size:
        """Cells of the terminal that everything takes, header and labels included."""
        return Size(
            self.label_width + self.column_width * self.columns, HEADER_LINES + len(self.lines)
        )

    def column_at(self, x: int) -> int | None:
        """Find the column at an offset from the grid's left edge, unscrolled."""
        column = (x - self.label_width) // self.column_width
        return column if 0 <= column < self.columns else None

    def row_at(self, y: int) -> int | None:
        """Find the row at a line counted from the grid's top, unscrolled."""
        line = y - HEADER_LINES
        return self.lines[line] if 0 <= line < len(self.lines) else None

    def nearest(self, x: int, y: int) -> Position:
        """Find the cell nearest to an offset from the grid's corner, inside or not."""
        column = (x - self.label_width) // self.column_width
        upto = self.lines[: max(1, y - HEADER_LINES + 1)]
        rows = [row for row in upto if row is not None] or [0]
        return min(max(column, 0), self.columns - 1), rows[-1]


def measure(rows: Sequence[Row], datasets: Sequence[str], room: Size) -> Geometry:
    """Share the width among the columns, of which each has room for a usual name, and leave gaps
    between models where there is room."""
    lengths = [len(str(row.length)) for row in rows] or [3]
    titles = [cell_len(plain(row.title, TITLE)) for row in rows] or [6]
    most = max(min(USUAL_LABEL, room.width // 2), room.width // 4, 8)
    label = min(max(titles) + max(lengths) + 4, most)
    share = (room.width - label) // max(1, len(datasets))
    names = max((cell_len(plain(name, TITLE)) + 3 for name in datasets), default=0)
    least = min(max(NARROWEST, names), NAMED)
    airy = HEADER_LINES + len(rows) + gaps(rows) <= room.height
    lines: list[int | None] = []
    for y in range(len(rows)):
        if airy and y and first_of_model(rows, y):
            lines.append(None)
        lines.append(y)
    return Geometry(label, min(max(share, least), WIDEST), len(datasets), tuple(lines))


def gaps(rows: Sequence[Row]) -> int:
    """Count the gaps between models."""
    return sum(first_of_model(rows, y) for y in range(1, len(rows)))


def first_of_model(rows: Sequence[Row], y: int) -> bool:
    """Tell whether another model stands above a row."""
    return y == 0 or rows[y].model != rows[y - 1].model


class Rectangle(NamedTuple):
    """A selection that follows the cursor.

    Attributes:
        anchor: the corner that stays.
        before: the cells that were selected already.
        held: whether it was begun with a key of its own, so that plain arrows extend it.
    """

    anchor: Position
    before: frozenset[CellKey]
    held: bool

    def positions(self, corner: Position) -> Iterator[Position]:
        """List the cells between the anchor and the opposite corner."""
        (left, right), (top, bottom) = (
            sorted(pair) for pair in zip(self.anchor, corner, strict=True)
        )
        return ((x, y) for y in range(top, bottom + 1) for x in range(left, right + 1))

    def shape(self, corner: Position) -> tuple[int, int]:
        """Count its rows and its columns."""
        return abs(corner[1] - self.anchor[1]) + 1, abs(corner[0] - self.anchor[0]) + 1

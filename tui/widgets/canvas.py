"""A canvas of braille dots, two across and four down in each cell."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

DOTS_ACROSS = 2
DOTS_DOWN = 4

_BRAILLE = 0x2800
_COLUMN_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bit of each dot from the top, in the left and the right column of a cell."""

_RUN_BITS = tuple(
    tuple(
        tuple(sum(bits[top : bottom + 1]) for bottom in range(DOTS_DOWN))
        for top in range(DOTS_DOWN)
    )
    for bits in _COLUMN_BITS
)


class DotColumn(NamedTuple):
    """What of a curve falls into one column of dots; y in data units."""

    column: int
    first: float
    low: float
    high: float
    last: float


def dot_columns(
    xs: Sequence[float], ys: Sequence[float], start: float, end: float, columns: int
) -> list[DotColumn]:
    """Reduce a curve to the extremes of each column of dots, so that no spike is lost.

    Args:
        xs: Never decreasing.
        ys: As many, finite.
        start: x at the left edge of the first column.
        end: x at the right edge of the last column.
        columns: How many.
    """
    if not columns or not end > start:
        return []
    width = (end - start) / columns
    found = []
    index, count = bisect_left(xs, start), bisect_right(xs, end)
    while index < count:
        column = min(int((xs[index] - start) / width), columns - 1)
        edge = start + (column + 1) * width
        stop = bisect_left(xs, edge, index + 1, count) if column < columns - 1 else count
        if stop == index + 1:
            y = ys[index]
            found.append(DotColumn(column, y, y, y, y))
        else:
            part = ys[index:stop]
            found.append(DotColumn(column, part[0], min(part), max(part), part[-1]))
        index = stop
    return found


class Canvas:
    """Dots with one colour a cell: a curve takes the cell from those drawn before, dots and all."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._bits = [0] * (width * height)
        self._colours: list[str] = [""] * (width * height)
        self._marks: dict[int, tuple[str, str]] = {}

    @property
    def columns(self) -> int:
        """Dots across."""
        return self.width * DOTS_ACROSS

    @property
    def rows(self) -> int:
        """Dots down."""
        return self.height * DOTS_DOWN

    def run(self, column: int, top: int, bottom: int, colour: str) -> None:
        """Set the dots of one column from row ``top`` to row ``bottom``, clipped to the canvas."""
        top, bottom = max(top, 0), min(bottom, self.rows - 1)
        if top > bottom or not 0 <= column < self.columns:
            return
        bits, colours = self._bits, self._colours
        runs = _RUN_BITS[column & 1]
        first, last = top >> 2, bottom >> 2
        for cell_row in range(first, last + 1):
            cell = cell_row * self.width + (column >> 1)
            if colours[cell] != colour:
                bits[cell], colours[cell] = 0, colour
            start, end = top & 3 if cell_row == first else 0, bottom & 3 if cell_row == last else 3
            bits[cell] |= runs[start][end]

    def curve(self, points: Sequence[DotColumn], low: float, high: float, colour: str) -> None:
        """Draw a joined curve; y ``low`` is the middle of the bottom dots, ``high`` of the top."""
        if not high > low:
            return
        last_row = self.rows - 1
        scale = last_row / (high - low)

        def row(y: float) -> int:
            return round((high - min(max(y, low), high)) * scale)

        before: tuple[int, int] | None = None
        for column, first, lowest, highest, last in points:
            enter = row(first)
            top, bottom = row(highest), row(lowest)
            if before is not None:
                self._join(*before, column, enter, colour)
            self.run(column, top, bottom, colour)
            before = column, row(last)

    def mark(self, column: int, row: int, character: str, colour: str) -> None:
        """Put a character over the cell in which a dot lies."""
        if 0 <= column < self.columns and 0 <= row < self.rows:
            self._marks[(row >> 2) * self.width + (column >> 1)] = character, colour

    def upright(self, column: int, character: str, colour: str) -> None:
        """A vertical line behind the curves."""
        if 0 <= column < self.columns:
            for cell in range(column >> 1, self.width * self.height, self.width):
                self._marks.setdefault(cell, (character, colour))
                if self._bits[cell]:
                    del self._marks[cell]

    def line(self, y: int) -> list[tuple[str, str]]:
        """One row of cells as text and colour, in as few pieces as can be."""
        pieces: list[tuple[str, str]] = []
        text, current = "", ""
        for cell in range(y * self.width, (y + 1) * self.width):
            if cell in self._marks:
                character, colour = self._marks[cell]
            elif self._bits[cell]:
                character, colour = chr(_BRAILLE + self._bits[cell]), self._colours[cell]
            else:
                text += " "
                continue
            if colour != current and text.strip():
                pieces.append((text, current))
                text = ""
            current = colour
            text += character
        pieces.append((text, current))
        return pieces

    def _join(self, column: int, row: int, next_column: int, next_row: int, colour: str) -> None:
        """Draw the straight line between two dots, the ends excluded."""
        steps = next_column - column
        previous = row
        for step in range(1, steps + 1):
            here = row + round((next_row - row) * step / steps)
            if here > previous:
                self.run(column + step, previous + 1, here, colour)
            elif here < previous:
                self.run(column + step, here, previous - 1, colour)
            else:
                self.run(column + step, here, here, colour)
            previous = here

"""A canvas of braille dots, two across and four down in each cell.

A curve is a layer: one integer a column of cells, a byte of it a cell. Whole layers are put over
each other, turned into rows and into characters without a loop over the cells.
"""

from __future__ import annotations

import re
from codecs import charmap_decode
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

DOTS_ACROSS = 2
DOTS_DOWN = 4

Stroke = tuple[int, int, int]
"""Column of dots, and the rows of the highest and the lowest dot that are set in it."""

Join = tuple[int, int, int, int]
"""Column and row of a dot, and of another further right: a straight line between them."""

_BRAILLE = 0x2800
LEFT_BITS = (0x01, 0x02, 0x04, 0x40)
RIGHT_BITS = (0x08, 0x10, 0x20, 0x80)
"""Bits of a braille pattern's dots from the top on, in its left and in its right column."""

_SET = bytes([0]) + bytes([255]) * 255
"""Turns a byte with any dot into 255."""

_ONE_LAYER = re.compile(rb"(.)\1*", re.DOTALL)


def _character(byte: int) -> str:
    """The character of one cell: the low four bits are its left column from the top on."""
    if not byte:
        return " "
    bits = sum(bit for row, bit in enumerate(LEFT_BITS) if byte >> row & 1)
    bits += sum(bit for row, bit in enumerate(RIGHT_BITS) if byte >> 4 + row & 1)
    return chr(_BRAILLE + bits)


_CHARACTERS = "".join(_character(byte) for byte in range(256))


@lru_cache(maxsize=64)
def _above(height: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """All dots above each row of dots, in a column of cells: in its left half, in its right."""
    left = [0]
    for row in range(height * DOTS_DOWN):
        left.append(left[-1] | 1 << (row >> 2) * 8 + (row & 3))
    return tuple(left), tuple(dots << 4 for dots in left)


class Canvas:
    """Dots with one colour a cell: a curve takes the cell from those drawn before, dots and all."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._above = _above(height)
        self._layers: list[tuple[str, list[int]]] = []
        self._uprights: dict[int, tuple[str, str]] = {}
        self._marks: dict[int, tuple[str, str]] = {}
        self._rows: list[tuple[bytes, bytes]] | None = None

    @property
    def columns(self) -> int:
        """Columns of dots."""
        return self.width * DOTS_ACROSS

    @property
    def rows(self) -> int:
        """Rows of dots."""
        return self.height * DOTS_DOWN

    def curve(self, strokes: Iterable[Stroke], joins: Iterable[Join], colour: str) -> None:
        """Draw a curve in a style, clipped to the canvas. Strokes in neighbouring columns are
        joined by themselves."""
        cells = [0] * self.width
        above, columns, last_row = self._above, self.columns, self.rows - 1
        if last_row < 0:
            return
        before = -2
        before_top = before_bottom = 0
        for column, top, bottom in strokes:
            if column == before + 1:
                # Only the part between them: what was clipped or joined before isn't drawn again.
                reach_top, reach_bottom = before_top, before_bottom
                before_top, before_bottom = top, bottom
                if top > reach_bottom + 1:
                    top = reach_bottom + 1
                elif bottom < reach_top - 1:
                    bottom = reach_top - 1
            else:
                before_top, before_bottom = top, bottom
            before = column
            if top < 0:
                top = 0
            if bottom > last_row:
                bottom = last_row
            if top <= bottom and 0 <= column < columns:
                dots = above[column & 1]
                cells[column >> 1] |= dots[bottom + 1] ^ dots[top]
        for join in joins:
            self._join(cells, *join)
        self._layers.append((colour, cells))
        self._rows = None

    def mark(self, column: int, row: int, character: str, colour: str) -> None:
        """Put a character over the cell in which a dot lies."""
        if 0 <= column < self.columns and 0 <= row < self.rows:
            self._marks[(row >> 2) * self.width + (column >> 1)] = character, colour

    def upright(self, column: int, character: str, colour: str) -> None:
        """Draw a vertical line behind the curves; a later one stands before an earlier one."""
        if 0 <= column < self.columns:
            self._uprights[column >> 1] = character, colour

    def line(self, y: int) -> list[tuple[str, str]]:
        """One row of cells as text and colour, in as few pieces as can be."""
        if self._rows is None:
            self._rows = self._composed()
        dots, owners = self._rows[y]
        text = charmap_decode(dots, "strict", _CHARACTERS)[0]
        pieces: list[tuple[str, str]] = []
        for found in _ONE_LAYER.finditer(owners):
            owner = found.group()[0]
            colour = self._layers[owner - 1][0] if owner else ""
            pieces.append((text[found.start() : found.end()], colour))
        over = self._over(y, owners)
        return _joined(_put_over(pieces, over) if over else pieces)

    def _composed(self) -> list[tuple[bytes, bytes]]:
        """By row: the dots of the topmost layer in each cell, and which layer that is."""
        size = self.width * self.height
        dots = owners = 0
        for number, (_, cells) in enumerate(self._layers, 1):
            layer = b"".join([column.to_bytes(self.height, "little") for column in cells])
            here = layer.translate(_SET)
            mask = int.from_bytes(here, "little")
            dots = dots & ~mask | int.from_bytes(layer, "little")
            owner = int.from_bytes(here.replace(b"\xff", bytes([number])), "little")
            owners = owners & ~mask | owner
        all_dots, all_owners = dots.to_bytes(size, "little"), owners.to_bytes(size, "little")
        height = self.height
        return [(all_dots[y::height], all_owners[y::height]) for y in range(height)]

    def _over(self, y: int, owners: Sequence[int]) -> dict[int, tuple[str, str]]:
        """The characters of a row that stand over, or beside, its dots."""
        over = {x: look for x, look in self._uprights.items() if not owners[x]}
        if self._marks:
            first = y * self.width
            for x in range(self.width):
                if first + x in self._marks:
                    over[x] = self._marks[first + x]
        return over

    def _join(self, cells: list[int], column: int, row: int, to_column: int, to_row: int) -> None:
        """Draw the straight line from a dot, which it leaves out, to another."""
        steps = to_column - column
        above, last_row = self._above, self.rows - 1
        previous = row
        for step in range(1, steps + 1):
            here = row + round((to_row - row) * step / steps)
            top, bottom = (previous + 1, here) if here > previous else (here, previous - 1)
            if here == previous:
                top = bottom = here
            top, bottom = max(top, 0), min(bottom, last_row)
            if top <= bottom and 0 <= column + step < self.columns:
                dots = above[column + step & 1]
                cells[column + step >> 1] |= dots[bottom + 1] ^ dots[top]
            previous = here


def _put_over(
    pieces: list[tuple[str, str]], over: dict[int, tuple[str, str]]
) -> list[tuple[str, str]]:
    """Put single characters in place of those in the pieces."""
    cells = [(character, colour) for text, colour in pieces for character in text]
    for x, look in over.items():
        cells[x] = look
    return [
        ("".join(character for character, _ in same), colour)
        for colour, same in groupby(cells, key=itemgetter(1))
    ]


def _joined(pieces: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join pieces of one colour, and spaces with their neighbours: each change of style costs
    forty bytes."""
    joined: list[tuple[str, str]] = []
    blanks = ""
    for text, colour in pieces:
        blank = text.isspace()
        if joined and (blank or colour == joined[-1][1]):
            joined[-1] = joined[-1][0] + text, joined[-1][1]
        elif blank:
            blanks += text
        else:
            joined.append((blanks + text, colour))
            blanks = ""
    return joined or [(blanks, "")]

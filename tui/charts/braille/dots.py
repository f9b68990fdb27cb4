"""Reducing a curve to columns of dots: its extremes in each column of a picture."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

DotColumn = tuple[int, int, int, float, float]
"""Column, index of its first point, index after its last, lowest and highest y."""

BLOCK = 16
"""Points whose extremes are kept, so that a column of many points needn't look at each."""


@dataclass(slots=True)
class Blocks:
    """What is known of each whole block of ``BLOCK`` points."""

    extremes: list[float] = field(default_factory=list)
    """The lowest and the highest y of each block, one after the other."""
    sums: list[float] = field(default_factory=list)

    def extend(self, ys: Sequence[float]) -> None:
        """Add the whole blocks that ``ys`` has beyond those known."""
        for start in range(len(self.sums) * BLOCK, len(ys) - BLOCK + 1, BLOCK):
            block = ys[start : start + BLOCK]
            self.extremes += (min(block), max(block))
            self.sums.append(sum(block))

    def clear(self) -> None:
        """Forget every block."""
        self.extremes.clear()
        self.sums.clear()


def dot_columns(
    xs: Sequence[float],
    ys: list[float],
    blocks: Blocks,
    start: float,
    end: float,
    columns: int,
    first: int = 0,
) -> list[DotColumn]:
    """Reduce a curve to the extremes of each column of dots, so that no spike is lost.

    A column of many points ends where a block does: a few points more or less can't be seen.

    Args:
        xs: Never decreasing.
        ys: As many, finite.
        blocks: Those of ``ys``.
        start: x at the left edge of the first column.
        end: x at the right edge of the last column.
        columns: Number of columns.
        first: Index of a point before which none is wanted.
    """
    if not columns or not end > start:
        return []
    width = (end - start) / columns
    index = bisect_left(xs, start, first)
    count = bisect_right(xs, end, index)
    reach = 2 * (count - index) // columns + 8
    extremes = blocks.extremes
    found: list[DotColumn] = []
    column = max(0, int((xs[index] - start) / width) - 1) if index < count else 0
    while index < count:
        if column >= columns - 1:
            column, stop = columns - 1, count
        else:
            edge = start + (column + 1) * width
            near = index + reach
            stop = bisect_left(xs, edge, index, near if near < count else count)
            if stop == near:
                stop = bisect_left(xs, edge, stop, count)
        size = stop - index
        if size >= 3 * BLOCK and stop < count:
            stop -= stop % BLOCK
        if size == 1:
            y = ys[index]
            found.append((column, index, stop, y, y))
        elif size:
            if size < 3 * BLOCK:
                part = ys[index:stop]
            elif index % BLOCK or stop % BLOCK:
                after, before = -(-index // BLOCK), stop // BLOCK
                part = ys[index : after * BLOCK] + ys[before * BLOCK : stop]
                part += extremes[2 * after : 2 * before]
            else:
                part = extremes[index // BLOCK * 2 : stop // BLOCK * 2]
            found.append((column, index, stop, min(part), max(part)))
        index = stop
        column += 1
    return found


def smoothed(
    columns: Sequence[DotColumn], ys: Sequence[float], blocks: Blocks, weight: float
) -> list[tuple[int, float]]:
    """The exponential moving average of the columns' means: what went before weighs ``weight``.

    Where points are few each has a column of its own, and this is the average over points; where
    they are many it smooths as much as can be seen. Its start isn't drawn towards 0.
    """
    total = norm = 0.0
    sums = blocks.sums
    line = []
    for column, start, stop, low, _ in columns:
        size = stop - start
        if size == 1:
            mean = low
        elif size < 2 * BLOCK:
            mean = sum(ys[start:stop]) / size
        elif not (start % BLOCK or stop % BLOCK):
            mean = sum(sums[start // BLOCK : stop // BLOCK]) / size
        else:
            after, before = -(-start // BLOCK), stop // BLOCK
            ends = sum(ys[start : after * BLOCK]) + sum(ys[before * BLOCK : stop])
            mean = (ends + sum(sums[after:before])) / size
        total = total * weight + mean
        norm = norm * weight + 1.0
        line.append((column, total / norm))
    return line

"""A curve as a chart shows it: its name and look, and what was last drawn of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from tui.charts.braille.axis import Axis
from tui.charts.braille.canvas import DOTS_ACROSS, Canvas
from tui.charts.braille.curve import Curve, XUnit
from tui.charts.braille.dots import DotColumn, dot_columns, smoothed
from tui.charts.braille.view import ChartView

Rows = Callable[[float], int]
"""From a figure to its row of dots."""


class Piece(NamedTuple):
    """The part of a curve that is in sight."""

    columns: list[DotColumn]
    before: tuple[int, float] | None
    """The column left of it, and y where a line from a point outside comes in."""
    after: tuple[int, float] | None
    """The column right of it, and y where one goes out."""

    def lows(self) -> list[float]:
        """List the lowest y of each column, and y at the edges."""
        return [low for *_, low, _ in self.columns] + self._edges()

    def highs(self) -> list[float]:
        """List the highest y of each column, and y at the edges."""
        return [high for *_, high in self.columns] + self._edges()

    def _edges(self) -> list[float]:
        return [y for _, y in filter(None, (self.before, self.after))]


class _Reduction:
    """A curve as columns of dots, as it was last asked for."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._columns: list[DotColumn] = []

    def columns(
        self, curve: Curve, unit: XUnit, start: float, end: float, columns: int
    ) -> list[DotColumn]:
        """The columns of a curve; of the part that was asked for last, only new ones are made."""
        key = (unit, start, end, columns, curve.cuts)
        first = 0
        if key != self._key:
            self._columns, self._key = [], key
        elif self._columns:
            # The last column may have got more points.
            first = self._columns.pop()[1]
        self._columns += dot_columns(
            curve.xs(unit), curve.ys, curve.blocks, start, end, columns, first
        )
        return self._columns


@dataclass(eq=False)
class Trace:
    """One curve of one chart."""

    curve: Curve
    """Its points; several charts may share them."""
    name: str
    """What the legend says."""
    style: str
    faint: bool = False
    """Whether the curve itself is background, in a dark tone of its colour."""
    letter: str = ""
    """Written on the curve, so that curves can be told apart without colours."""
    part: str = ""
    """Written after the letter: tells it from other curves of that letter."""
    marked: bool = False
    """Whether it carries the mark at the best x."""
    sign: str = ""
    """Stands at each point, which no line joins then; the legend leaves such a curve out."""
    _shown: _Reduction = field(default_factory=_Reduction, init=False)
    _wide: _Reduction = field(default_factory=_Reduction, init=False)
    _smooth_for: tuple[object, ...] = field(default=(), init=False)
    _smooth: list[tuple[int, float]] = field(default_factory=list, init=False)
    """The smoothed curve as it was last asked for."""

    def piece(self, unit: XUnit, start: float, end: float, columns: int) -> Piece:
        """What is in sight of the curve between two x, in columns of dots."""
        curve = self.curve
        shown = self._shown.columns(curve, unit, start, end, columns)
        return Piece(
            shown,
            (-1, y) if (y := curve.between(unit, start)) is not None else None,
            (columns, y) if (y := curve.between(unit, end)) is not None else None,
        )

    def smoothed(
        self, unit: XUnit, start: float, end: float, columns: int, weight: float
    ) -> list[tuple[int, float]]:
        """The smoothed curve by column. It begins, and goes on, as far outside the part in sight
        as this is wide, so that it doesn't depend on where that begins."""
        curve = self.curve
        key = (unit, start, end, columns, weight, len(curve.ys), curve.cuts)
        if key != self._smooth_for:
            self._smooth_for, self._smooth = key, self._smoothed(unit, start, end, columns, weight)
        return self._smooth

    def _smoothed(
        self, unit: XUnit, start: float, end: float, columns: int, weight: float
    ) -> list[tuple[int, float]]:
        curve, size = self.curve, end - start
        xs = curve.xs(unit)
        if xs and start <= xs[0] and xs[-1] <= end:
            shown = self._shown.columns(curve, unit, start, end, columns)
            return smoothed(shown, curve.ys, curve.blocks, weight)
        wide = self._wide.columns(curve, unit, start - size, end + size, 3 * columns)
        line = smoothed(wide, curve.ys, curve.blocks, weight)
        return [(column - columns, y) for column, y in line]

    def raw_style(self, smoothing: float) -> str:
        """The style of the curve's points: a dark tone of its colour behind its smoothed form."""
        return f"{self.style} dim" if self.faint or smoothing else self.style

    def look(self, smoothing: float) -> str:
        """The style of its name, as it is drawn."""
        return self.style if smoothing else self.raw_style(0.0)

    def value(
        self, view: ChartView, axis: Axis, width: int, slack: float
    ) -> tuple[float, float | None] | None:
        """y at the cursor, or of the newest point in sight, and the smoothed curve's y there if it
        is drawn; ``None`` if the curve is further away than ``slack``.

        Args:
            axis: The x axis.
            width: Its cells.
        """
        xs = self.curve.xs(view.unit)
        if not xs:
            return None
        cursor = view.cursor
        index = bisect_right(xs, axis.high) - 1
        if cursor is not None:
            nearest = self.curve.nearest(view.unit, cursor)
            outside = cursor > xs[-1] + slack or cursor < xs[0] - slack
            index = -1 if nearest is None or outside else nearest
        if index < 0:
            return None
        y = self.curve.ys[index]
        if not view.smoothing:
            return y, None
        columns = width * DOTS_ACROSS
        line = self.smoothed(view.unit, axis.low, axis.high, columns, view.smoothing)
        column = int(axis.share(xs[index]) * columns)
        at = bisect_right(line, column, key=lambda point: point[0])
        return y, line[max(at - 1, 0)][1] if line else None


def draw_piece(canvas: Canvas, piece: Piece, ys: Sequence[float], row: Rows, style: str) -> None:
    """Draw a curve with all its extremes."""
    columns = piece.columns
    joins = [
        (left[0], row(ys[left[2] - 1]), right[0], row(ys[right[1]]))
        for left, right in pairwise(columns)
        if right[0] - left[0] > 1
    ]
    left, right = piece.before, piece.after
    if columns:
        start, end = columns[0], columns[-1]
        if left is not None:
            joins.append((left[0], row(left[1]), start[0], row(ys[start[1]])))
        if right is not None:
            joins.append((end[0], row(ys[end[2] - 1]), right[0], row(right[1])))
    elif left is not None and right is not None:
        joins.append((left[0], row(left[1]), right[0], row(right[1])))
    strokes = [(column, row(high), row(low)) for column, _, _, low, high in columns]
    canvas.curve(strokes, joins, style)


def draw_line(canvas: Canvas, points: Sequence[tuple[int, float]], row: Rows, style: str) -> None:
    """Draw a line through points, by column of dots."""
    dots = [(column, row(y)) for column, y in points]
    joins = [(*left, *right) for left, right in pairwise(dots) if right[0] - left[0] > 1]
    canvas.curve([(column, at, at) for column, at in dots], joins, style)

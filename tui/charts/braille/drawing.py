"""Drawing a chart's curves, letters and marks on a canvas."""

from __future__ import annotations

from collections.abc import Sequence

from tui.charts.braille.axis import Axis
from tui.charts.braille.canvas import DOTS_ACROSS, Canvas
from tui.charts.braille.curve import Moment
from tui.charts.braille.dots import DotColumn
from tui.charts.braille.scale import CURSOR
from tui.charts.braille.trace import Piece, Rows, Trace, draw_line, draw_piece
from tui.charts.braille.view import ChartView

LETTERS_APART = 30
"""Cells between two letters on a curve."""


def draw_curves(
    canvas: Canvas,
    traces: Sequence[Trace],
    pieces: Sequence[Piece],
    view: ChartView,
    x_axis: Axis,
    row: Rows,
) -> None:
    """Draw each trace's piece, then over all of them the smoothed lines, and their letters; in the
    end the signs of those that have them."""
    weight = view.smoothing
    lines = [each for each in zip(traces, pieces, strict=True) if not each[0].sign]
    for trace, piece in lines:
        draw_piece(canvas, piece, trace.curve.ys, row, trace.raw_style(weight))
    for index, (trace, piece) in enumerate(lines):
        line: Sequence[tuple[int, float]] = ()
        if weight:
            ends = x_axis.low, x_axis.high
            line = trace.smoothed(view.unit, *ends, canvas.columns, weight)
            draw_line(canvas, line, row, trace.style)
        if len(piece.columns) == 1:
            at, point, *_ = piece.columns[0]
            canvas.mark(at, row(trace.curve.ys[point]), "•", trace.look(weight))
        if trace.letter:
            apart = max(LETTERS_APART, len(traces)) * DOTS_ACROSS
            offset = (index + 1) * apart // (len(traces) + 1)
            _write_letters(canvas, row, trace, piece.columns, dict(line), apart, offset)
    for trace, piece in zip(traces, pieces, strict=True):
        if trace.sign:
            _put_signs(canvas, row, trace, piece.columns)


def draw_marks(
    canvas: Canvas,
    traces: Sequence[Trace],
    best: Moment | None,
    view: ChartView,
    x_axis: Axis,
    row: Rows,
) -> None:
    """Mark the best x on the trace that carries the mark, and draw the cursor."""
    trace = next((trace for trace in traces if trace.marked), None)
    if best is not None and trace is not None:
        x = best.at(view.unit)
        column = _column(canvas, x_axis, x)
        canvas.upright(column, "┊", "$border-blurred")
        index = trace.curve.nearest(view.unit, x)
        if index is not None:
            canvas.mark(column, row(trace.curve.ys[index]), "◆", "$accent")
    if view.cursor is not None:
        canvas.upright(_column(canvas, x_axis, view.cursor), "│", CURSOR)


def _write_letters(
    canvas: Canvas,
    row: Rows,
    trace: Trace,
    columns: Sequence[DotColumn],
    smooth: dict[int, float],
    apart: int,
    offset: int,
) -> None:
    """Write a trace's letter at its end, and every ``apart`` columns of dots from ``offset`` on,
    so that each trace has columns of its own."""
    last = -apart
    for number, (column, _, stop, *_) in enumerate(columns):
        at_end = number == len(columns) - 1
        near_end = columns[-1][0] - column < apart // 2
        if not at_end and (near_end or column < offset or column - last < apart):
            continue
        y = smooth.get(column, trace.curve.ys[stop - 1])
        text = trace.letter + trace.part
        left = min(column, canvas.columns - len(text) * DOTS_ACROSS)
        for place, character in enumerate(text):
            canvas.mark(left + place * DOTS_ACROSS, row(y), character, f"{trace.style} bold")
        last = column


def _put_signs(canvas: Canvas, row: Rows, trace: Trace, columns: Sequence[DotColumn]) -> None:
    """Put a trace's sign at each of its points."""
    for column, first, stop, *_ in columns:
        for y in trace.curve.ys[first:stop]:
            canvas.mark(column, row(y), trace.sign, trace.raw_style(0.0))


def _column(canvas: Canvas, axis: Axis, x: float) -> int:
    """The column of dots in which an x lies; -1 outside of the axis."""
    if not axis.low <= x <= axis.high:
        return -1
    return min(int(axis.share(x) * canvas.columns), canvas.columns - 1)

"""A line chart of some curves over one x axis, drawn in braille dots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.charts.axis import Axis, fitted_axis, growing_axis, widened, window_axis
from tui.charts.canvas import DOTS_ACROSS, Canvas
from tui.charts.chart_scale import CURSOR, LABEL, SLACK, x_scale
from tui.charts.curve import Curve, Place, Points
from tui.charts.dots import DotColumn
from tui.charts.mouse import Plot, PointedLines
from tui.charts.scales import SMALLEST_LOG, LogAxis, row_of, time_axis, widened_log
from tui.charts.trace import FAINT, Piece, Trace, draw_line, draw_piece
from tui.charts.view import View
from tui.shell.text import number
from tui.widgets.lines import Line, line_length

TITLE_ROWS = 1
SCALE_ROWS = 2
SMALLEST_PLOT = (8, 2)
"""Cells below which a chart shows its figures only."""

LETTERS_APART = 30
"""Cells between two letters on a curve."""

_AXIS = "$border-blurred"


class Chart(PointedLines):
    """Curves with axes, a legend that gives the figures at the cursor or the newest, and a mark at
    the best x.

    The axes widen when a point no longer fits and otherwise stay, so that a new point changes a
    few cells only.

    Args:
        title: Shown first.
        traces: Later ones are drawn over earlier ones.
        digits: Decimals of the figures.
        wheel: Whether the mouse wheel zooms; where a page scrolls, it doesn't.
    """

    DEFAULT_CSS = "Chart { padding: 0 1 0 0; }"

    def __init__(
        self,
        title: str,
        traces: Sequence[Trace] = (),
        *,
        digits: int = 4,
        wheel: bool = True,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(wheel=wheel, id=id, classes=classes)
        self.title = title
        self.traces = list(traces)
        self.waiting = "waiting for the first epoch"
        """Shown while there is no point."""
        self.view = View()
        self.names_curves = True
        """Whether the title line has the legend."""
        self._digits = digits
        self._best: Place | None = None
        self._end: Place | None = None
        self._x: Axis | None = None
        self._y: Axis | LogAxis | None = None
        self._axes_for: tuple[object, ...] = ()
        self._gutter = 6

    @property
    def curves(self) -> dict[str, Curve]:
        """The curves by name."""
        return {trace.name: trace.curve for trace in self.traces}

    @property
    def whole(self) -> float:
        """x where the picture of all ends."""
        reached = self._reached()
        if self._end is not None:
            return max(self._end.at(self.view.unit), reached, 1e-6)
        return growing_axis(None, reached, 1).high

    @property
    def span(self) -> float:
        """How much of x one cell shows."""
        return (self.plot.axis.high - self.plot.axis.low) / self.plot.width if self.plot else 0

    def show(self, traces: Sequence[Trace]) -> None:
        """Show these curves instead."""
        self.traces = list(traces)
        self._x = self._y = None
        self.redraw()

    def look(self, view: View) -> None:
        """Look at the curves in this way."""
        if view != self.view:
            self.view = view
            self.redraw()

    def clear(self) -> None:
        """Forget points, marks and axes, as for another run."""
        for trace in self.traces:
            trace.curve.clear()
        self._best = self._end = self._x = self._y = None
        self.redraw()

    def forget_drawing(self) -> None:
        """Keep the points, and nothing of what was drawn of them."""
        self._x = self._y = None
        for trace in self.traces:
            trace.forget_drawing()

    def add(self, points: Mapping[str, Points]) -> None:
        """Add points to the curves by name, and show them."""
        curves = self.curves
        for name, added in points.items():
            curves[name].extend(added)
        self.redraw()

    def place(self, best: Place | None, end: Place | None) -> None:
        """Say where to mark the best, and where the last x is; ``None`` while points are still to
        come. Shows what the curves have got, too."""
        self._best = best
        if end != self._end:
            self._end, self._x = end, None
        self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        self.plot = None
        scale_rows = SCALE_ROWS if height >= 7 else 1
        plot_height = height - TITLE_ROWS - scale_rows
        if not any(trace.curve.ys for trace in self.traces):
            title = self._title_line(width)
            return [title, *_centred(self.waiting, width, height - TITLE_ROWS)]
        self._forget_axes(width, height)
        x_axis = self._fit_x(max(2, width // 12))
        plot_width = width - self._gutter - 1
        pieces = self._pieces(x_axis, plot_width)
        y_axis = self._fit_y(pieces, max(2, height // 3))
        labels = {tick: y_axis.label(tick) for tick in y_axis.ticks()}
        gutter = max([5, *(len(label) for label in labels.values())]) + 1
        if gutter != self._gutter:
            self._gutter, plot_width = gutter, width - gutter - 1
            pieces = self._pieces(x_axis, plot_width)
        if plot_width < SMALLEST_PLOT[0] or plot_height < SMALLEST_PLOT[1]:
            return [self._title_line(width)]
        self.plot = Plot(gutter + 1, plot_width, x_axis)
        canvas = self._drawn(pieces, x_axis, y_axis, plot_width, plot_height)
        row = row_of(y_axis, canvas.rows)
        rows = {row(tick) >> 2: label for tick, label in labels.items()}
        lines = [self._title_line(width)]
        for y in range(plot_height):
            label = rows.get(y)
            scale = f"{label or '':>{gutter}}" + ("┤" if label else "│")
            lines.append([(scale, LABEL), *canvas.line(y)])
        cursor = self.view.cursor
        return lines + x_scale(x_axis, self.view.unit, gutter, plot_width, scale_rows, cursor)

    def _forget_axes(self, width: int, height: int) -> None:
        """Axes stay only as long as what they are for."""
        view = self.view
        wanted = (width, height, view.unit, view.log, view.window)
        if self._axes_for != wanted:
            self._x = self._y = None
            self._axes_for = wanted

    def _reached(self) -> float:
        ends = [trace.curve.xs(self.view.unit)[-1:] for trace in self.traces]
        return max((xs[0] for xs in ends if xs), default=0.0)

    def _fit_x(self, intervals: int) -> Axis:
        if self.view.window is not None:
            axis = window_axis(*self.view.window, intervals)
        elif self._end is not None:
            axis = fitted_axis(self.whole, intervals)
        else:
            axis = growing_axis(self._x, self._reached(), intervals)
        self._x = axis
        return time_axis(axis, intervals) if self.view.unit == "time" else axis

    def _pieces(self, axis: Axis, width: int) -> list[Piece]:
        columns = max(width, 0) * DOTS_ACROSS
        return [trace.piece(self.view.unit, axis.low, axis.high, columns) for trace in self.traces]

    def _fit_y(self, pieces: Sequence[Piece], intervals: int) -> Axis | LogAxis:
        lows = [y for piece in pieces for y in piece.lows()]
        highs = [y for piece in pieces for y in piece.highs()]
        if self.view.log:
            lows = [
                low if low > SMALLEST_LOG else high for low, high in zip(lows, highs, strict=True)
            ]
            low = min((y for y in lows if y > SMALLEST_LOG), default=1.0)
            kept_log = self._y if isinstance(self._y, LogAxis) else None
            self._y = widened_log(kept_log, low, max([low, *highs]), intervals)
        else:
            kept = self._y if isinstance(self._y, Axis) else None
            self._y = widened(kept, min(lows, default=0.0), max(highs, default=1.0), intervals)
        return self._y

    def _drawn(
        self,
        pieces: Sequence[Piece],
        x_axis: Axis,
        y_axis: Axis | LogAxis,
        width: int,
        height: int,
    ) -> Canvas:
        canvas = Canvas(width, height)
        weight = self.view.smoothing
        for trace, piece in zip(self.traces, pieces, strict=True):
            style = FAINT if trace.faint or weight else trace.style
            draw_piece(canvas, piece, trace.curve.ys, y_axis, style)
        for index, (trace, piece) in enumerate(zip(self.traces, pieces, strict=True)):
            line = None
            if weight:
                ends = x_axis.low, x_axis.high
                line = trace.smoothed(self.view.unit, *ends, canvas.columns, weight)
            if line is not None:
                draw_line(canvas, line, y_axis, trace.style)
            if len(piece.columns) == 1:
                at, point, *_ = piece.columns[0]
                row = row_of(y_axis, canvas.rows)(trace.curve.ys[point])
                canvas.mark(at, row, "•", trace.look(weight))
            if trace.letter:
                self._write_letters(canvas, y_axis, index, piece.columns, line)
        self._mark(canvas, x_axis, y_axis)
        return canvas

    def _write_letters(
        self,
        canvas: Canvas,
        axis: Axis | LogAxis,
        index: int,
        columns: Sequence[DotColumn],
        line: Sequence[tuple[int, float]] | None,
    ) -> None:
        """The curve's letter at its end and here and there, each curve's in columns of its own."""
        trace = self.traces[index]
        apart = max(LETTERS_APART, len(self.traces)) * DOTS_ACROSS
        offset = (index + 1) * apart // (len(self.traces) + 1)
        last = -apart
        smooth = dict(line or ())
        for number_, (column, _, stop, *_) in enumerate(columns):
            at_end = number_ == len(columns) - 1
            near_end = columns[-1][0] - column < apart // 2
            if not at_end and (near_end or column < offset or column - last < apart):
                continue
            y = smooth.get(column, trace.curve.ys[stop - 1])
            canvas.mark(column, row_of(axis, canvas.rows)(y), trace.letter, f"{trace.style} bold")
            last = column

    def _mark(self, canvas: Canvas, x_axis: Axis, y_axis: Axis | LogAxis) -> None:
        """The best x, and the cursor."""
        unit, cursor = self.view.unit, self.view.cursor
        trace = next((trace for trace in self.traces if trace.marked), None)
        if self._best is not None and trace is not None:
            column = _column(canvas, x_axis, self._best.at(unit))
            index = trace.curve.nearest(unit, self._best.at(unit))
            canvas.upright(column, "┊", _AXIS)
            if index is not None:
                row = row_of(y_axis, canvas.rows)(trace.curve.ys[index])
                canvas.mark(column, row, "◆", "$accent")
        if cursor is not None:
            canvas.upright(_column(canvas, x_axis, cursor), "│", CURSOR)

    def figures(self) -> list[str]:
        """Of each curve, the figure at the cursor or the newest."""
        view = self.view
        slack = max(self.span, SLACK[view.unit])
        found = []
        for trace in self.traces:
            figure = trace.figure(view.unit, view.cursor, slack)
            found.append("" if figure is None else number(figure, self._digits))
        return found

    def _title_line(self, width: int) -> Line:
        """The title and how the curves are looked at; then as many curves as there is room for,
        with their figures: the name in the colour of the curve is the legend."""
        view = self.view
        line: Line = [(self.title, "bold")]
        if tags := view.tags(self.whole):
            line.append((f" {' '.join(tags)}", "$accent"))
        if self.names_curves:
            for trace, figure in reversed(list(zip(self.traces, self.figures(), strict=True))):
                name = trace.letter or trace.name
                entry: Line = [(f"  {name} ", trace.look(view.smoothing)), (figure or "–", "")]
                if line_length(line) + line_length(entry) <= width:
                    line += entry
        return line


def _column(canvas: Canvas, axis: Axis, x: float) -> int:
    if not axis.low <= x <= axis.high:
        return -1
    return min(int(axis.share(x) * canvas.columns), canvas.columns - 1)


def _centred(text: str, width: int, height: int) -> list[Line]:
    above: list[Line] = [[] for _ in range(max(0, (height - 1) // 2))]
    return [*above, [(" " * max(0, (width - len(text)) // 2) + text[:width], "$text-disabled")]]

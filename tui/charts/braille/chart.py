"""A line chart of some curves over one x axis, drawn in braille dots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from textual import events
from textual.message import Message

from tui.charts.braille.axis import NOTHING_YET, Axis, fitted_axis, growing_axis, window_axis
from tui.charts.braille.canvas import DOTS_ACROSS, Canvas
from tui.charts.braille.curve import START, Curve, Moment
from tui.charts.braille.drawing import draw_curves, draw_marks
from tui.charts.braille.row_axis import RowAxis, extremes, row_axis
from tui.charts.braille.scale import MUTED, SLACK, x_scale
from tui.charts.braille.time_axis import time_axis
from tui.charts.braille.title import Named, title_line
from tui.charts.braille.trace import Piece, Trace
from tui.charts.braille.view import ChartView
from tui.shell.text import ABSENT, number
from tui.widgets.lines import Line, Lines

TITLE_ROWS = 1
SCALE_ROWS = 2
SMALLEST_PLOT = (8, 2)
"""Cells below which a chart shows its figures only."""

WHEEL = 1.5
"""The factor by which one notch of the wheel zooms."""

LEAST_GUTTER = 6
"""Cells left of the upright axis, at least."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Where the curves lie in the widget: first cell and cells across, and their x axis."""

    left: int
    width: int
    axis: Axis

    def x_at(self, cell: float) -> float | None:
        """x in the middle of a cell; ``None`` beside the plot."""
        share = (cell - self.left + 0.5) / self.width
        return self.axis.low + share * (self.axis.high - self.axis.low) if 0 <= share <= 1 else None


class Chart(Lines):
    """Curves with axes, a legend that gives the values at the cursor or the newest, and a mark at
    the best x. What the mouse does to it is told in messages, which the parent acts on.

    The axes widen when a point no longer fits and otherwise stay, so that a new point changes a
    few cells only.

    Args:
        title: Shown first.
        traces: Later ones are drawn over earlier ones.
        digits: Decimals of the values.
        within: What the upright axis always holds, such as 0 and 100.
        wheel: Whether the mouse wheel zooms; where a page scrolls, it doesn't.
    """

    DEFAULT_CSS = "Chart { padding: 0 1 0 0; }"

    @dataclass
    class Drawn(Message):
        """The curves lie elsewhere than before, or have another x axis: what stands beside them and
        follows from that is out of date."""

    @dataclass
    class Pointed(Message):
        """The mouse points at an x, or (``None``) at none any more."""

        x: float | None

    @dataclass
    class Chosen(Message):
        """An x was clicked."""

        x: float

    @dataclass
    class Zoomed(Message):
        """The wheel was turned at an x: zoom in by ``factor``."""

        x: float
        factor: float

    @dataclass
    class Panned(Message):
        """The curves were dragged by a share of the plot's width."""

        share: float

    def __init__(
        self,
        title: str,
        traces: Sequence[Trace] = (),
        *,
        digits: int = 4,
        within: Sequence[float] = (),
        wheel: bool = True,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.title = title
        self.traces = list(traces)
        self.plot: Plot | None = None
        """Where the curves were drawn last; none while there is no point or no room."""
        self.waiting = "waiting for the first epoch"
        """Said while there is no point."""
        self.view = ChartView()
        self.epoch = "epoch"
        """What x counts in the unit of that name."""
        self.names_curves = True
        """Whether the title line has the legend."""
        self.label_width = LEAST_GUTTER
        """Cells that the upright axis needs for its labels."""
        self._digits = digits
        self._within = within
        self._wheel = wheel
        self._dragged_from: int | None = None
        self._best: Moment | None = None
        self._end: Moment | None = None
        self._reach = START
        self._x: Axis | None = None
        self._y: RowAxis | None = None
        self._axes_for: tuple[object, ...] = ()
        self._marked: tuple[object, ...] = ()
        """What there was to draw when marks were last set."""
        self._common_gutter = LEAST_GUTTER

    @property
    def curves(self) -> dict[str, Curve]:
        """The curves by name."""
        return {trace.name: trace.curve for trace in self.traces}

    @property
    def has_points(self) -> bool:
        """Whether there is something to draw."""
        return any(trace.curve.ys for trace in self.traces)

    @property
    def whole(self) -> float:
        """x at the right edge while all of x is shown."""
        reached = self._reached()
        if self._end is not None:
            return max(self._end.at(self.view.unit), reached, NOTHING_YET)
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

    def look(self, view: ChartView) -> None:
        """Set the view of the curves."""
        if view != self.view:
            self.view = view
            self.redraw()

    def align(self, gutter: int) -> None:
        """Begin the curves where those of the charts beside it do."""
        if gutter != self._common_gutter:
            self._common_gutter = gutter
            self.redraw()

    def mark(self, best: Moment | None, end: Moment | None, reach: Moment = START) -> None:
        """Mark the best moment and end the x axis at the last; ``None`` while points are still to
        come. Points that the curves got meanwhile are drawn too; nothing is where all is the same.

        Args:
            reach: How far the x axis reaches at least: as far as the charts beside it.
        """
        self._best, self._reach = best, reach
        if end != self._end:
            self._end, self._x = end, None
        points = tuple((len(trace.curve.ys), trace.curve.cuts) for trace in self.traces)
        marked = (points, best, end, self.whole, self.waiting)
        if marked != self._marked:
            self._marked = marked
            self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        before = self.plot, self.label_width
        lines = self._draw_plot(width, height)
        if (self.plot, self.label_width) != before:
            self.post_message(self.Drawn())
        return lines

    def _draw_plot(self, width: int, height: int) -> list[Line]:
        self.plot = None
        scale_rows = SCALE_ROWS if height >= 7 else 1
        plot_height = height - TITLE_ROWS - scale_rows
        if not self.has_points:
            title = self._title_line(width)
            return [title, *_centred(self.waiting, width, height - TITLE_ROWS)]
        if plot_height < SMALLEST_PLOT[1]:
            return [self._title_line(width)]
        self._forget_axes(width, height)
        x_axis = self._fit_x(max(2, width // 12))
        plot_width = width - max(self.label_width, self._common_gutter) - 1
        pieces = self._pieces(x_axis, plot_width)
        y_axis = self._fit_y(pieces, plot_height)
        labels = y_axis.labels()
        self.label_width = max(LEAST_GUTTER, *(len(label) + 1 for label in labels.values()))
        gutter = max(self.label_width, self._common_gutter)
        if plot_width != width - gutter - 1:
            plot_width = width - gutter - 1
            pieces = self._pieces(x_axis, plot_width)
        if plot_width < SMALLEST_PLOT[0]:
            return [self._title_line(width)]
        self.plot = Plot(gutter + 1, plot_width, x_axis)
        canvas, row = Canvas(plot_width, plot_height), y_axis.dot_row()
        draw_curves(canvas, self.traces, pieces, self.view, x_axis, row)
        draw_marks(canvas, self.traces, self._best, self.view, x_axis, row)
        lines = [self._title_line(width)]
        for y in range(plot_height):
            label = labels.get(y)
            scale = f"{label or '':>{gutter}}" + ("┤" if label else "│")
            lines.append([(scale, MUTED), *canvas.line(y)])
        unit, cursor = self.view.unit, self.view.cursor
        return lines + x_scale(
            x_axis, unit, gutter, plot_width, scale_rows, cursor, epoch=self.epoch
        )

    def _forget_axes(self, width: int, height: int) -> None:
        """Forget the axes if size or view are others than those they were made for."""
        view = self.view
        wanted = (width, height, view.unit, view.log, view.window)
        if self._axes_for != wanted:
            self._x = self._y = None
            self._axes_for = wanted

    def _reached(self) -> float:
        ends = [trace.curve.xs(self.view.unit)[-1:] for trace in self.traces]
        return max([self._reach.at(self.view.unit), *(xs[0] for xs in ends if xs)])

    def _fit_x(self, intervals: int) -> Axis:
        if self.view.window is not None:
            axis = window_axis(*self.view.window, intervals)
        elif self._end is not None:
            whole = self.whole
            axis = fitted_axis(1.0 if whole <= NOTHING_YET else whole, intervals)
        else:
            axis = growing_axis(self._x, self._reached(), intervals)
        self._x = axis
        return time_axis(axis, intervals) if self.view.unit == "time" else axis

    def _pieces(self, axis: Axis, width: int) -> list[Piece]:
        columns = max(width, 0) * DOTS_ACROSS
        return [trace.piece(self.view.unit, axis.low, axis.high, columns) for trace in self.traces]

    def _fit_y(self, pieces: Sequence[Piece], rows: int) -> RowAxis:
        lows = [y for piece in pieces for y in piece.lows()]
        highs = [y for piece in pieces for y in piece.highs()]
        low, high = extremes(lows, highs, self._within, self.view.log)
        self._y = row_axis(low, high, rows, log=self.view.log, kept=self._y)
        return self._y

    def values(self) -> list[Named]:
        """Each curve with its value at the cursor, or its newest in sight; those with one letter
        together, such as the GPUs of one run: ``0:97 1:95``."""
        found: list[Named] = []
        view = self.view
        slack = max(self.span, SLACK[view.unit])
        if self.plot is not None:
            axis, width = self.plot.axis, self.plot.width
        else:  # no curve is drawn, so no smoothed one either
            axis, width, view = fitted_axis(self.whole, 1), 1, replace(view, smoothing=0.0)
        for trace in self.traces:
            if trace.sign:
                continue
            value = raw = ""
            known = trace.value(view, axis, width, slack)
            if known is not None:
                y, smooth = known
                value = self._text(y if smooth is None else smooth)
                raw = "" if smooth is None else self._text(y)
            if trace.part:
                value = f"{trace.part}:{value or ABSENT}"
            name = trace.letter or trace.name
            if trace.letter and found and found[-1].name == name:
                joined = f"{value} {found[-1].value}"
                found[-1] = Named(name, trace.look(view.smoothing), joined)
            else:
                found.append(Named(name, trace.look(view.smoothing), value, raw))
        return found

    def _text(self, y: float) -> str:
        small = self._within and abs(y) < 1
        return f"{y:.{self._digits}f}" if small else number(y, self._digits)

    def _title_line(self, width: int) -> Line:
        """The title and how the curves are looked at, with the legend if it stands here."""
        named = self.values()[::-1] if self.names_curves else []
        return title_line(self.title, self.view.tags(self.whole), named, width)

    # The mouse

    def _x_at(self, event: events.MouseEvent) -> float | None:
        offset = event.get_content_offset(self)
        return self.plot.x_at(offset.x) if self.plot and offset is not None else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragged_from is None:
            self.post_message(self.Pointed(self._x_at(event)))
        elif self.plot is not None and event.x != self._dragged_from:
            self.post_message(self.Panned((self._dragged_from - event.x) / self.plot.width))
            self._dragged_from = event.x

    def on_leave(self) -> None:
        self.post_message(self.Pointed(None))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._dragged_from = event.x
        self.capture_mouse()

    def on_mouse_up(self) -> None:
        self._dragged_from = None
        self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        if (x := self._x_at(event)) is not None:
            self.post_message(self.Chosen(x))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._turn_wheel(event, WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._turn_wheel(event, 1 / WHEEL)

    def _turn_wheel(self, event: events.MouseEvent, factor: float) -> None:
        if self._wheel:
            event.stop()
            if (x := self._x_at(event)) is not None:
                self.post_message(self.Zoomed(x, factor))


def _centred(text: str, width: int, height: int) -> list[Line]:
    above: list[Line] = [[] for _ in range(max(0, (height - 1) // 2))]
    return [*above, [(" " * max(0, (width - len(text)) // 2) + text[:width], "$text-disabled")]]

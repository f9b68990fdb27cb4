"""A line chart of a few curves over one x axis, drawn in braille dots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tui.text import number
from tui.widgets.axis import Axis, fitted_axis, growing_axis, widened
from tui.widgets.canvas import Canvas, dot_columns
from tui.widgets.curve import Curve
from tui.widgets.lines import Line, Lines, line_length

TITLE_ROWS = 1
SCALE_ROWS = 2
SMALLEST_PLOT = (8, 2)
"""Cells below which a chart shows its figures only."""

_AXIS = "$border-blurred"
_LABEL = "$text-muted"


class Chart(Lines):
    """Curves with axes, a legend that gives the newest figures, and a mark at the best x.

    The axes widen when a point no longer fits and otherwise stay, so that a new point changes a
    few cells only.

    Args:
        title: Shown first.
        curves: Name and style of each; later ones are drawn over earlier ones.
        x_name: What x counts.
        marked: Name of the curve that carries the mark at the best x.
    """

    DEFAULT_CSS = "Chart { padding: 0 1 0 0; }"

    def __init__(
        self,
        title: str,
        curves: Sequence[tuple[str, str]],
        *,
        x_name: str = "epoch",
        marked: str | None = None,
        digits: int = 4,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.title = title
        self.curves = {name: Curve(name, style) for name, style in curves}
        self._x_name = x_name
        self.waiting = "waiting for the first epoch"
        """Shown while there is no point."""
        self._marked = marked
        self._digits = digits
        self._best: float | None = None
        self._end: float | None = None
        self._x: Axis | None = None
        self._y: Axis | None = None
        self._axes_for = (0, 0)

    def clear(self) -> None:
        """Forget points, marks and axes, as for another run."""
        for curve in self.curves.values():
            curve.clear()
        self._best = self._end = self._x = self._y = None

    def add(
        self,
        points: Mapping[str, Iterable[tuple[float, float | None]]],
        *,
        best: float | None = None,
        end: float | None = None,
    ) -> None:
        """Add points to the curves by name, and show them.

        Args:
            points: (x, y) in the order of x.
            best: x to mark.
            end: The last x there will be, so that the axis needs no room for more; ``None`` while
                points are still to come.
        """
        for name, added in points.items():
            self.curves[name].extend(added)
        self._best = best
        if end != self._end:
            self._end, self._x = end, None
        self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        curves = [curve for curve in self.curves.values() if curve.xs]
        lines = [self._title_line(width)]
        scale_rows = SCALE_ROWS if height >= 7 else 1
        plot_height = height - TITLE_ROWS - scale_rows
        if not curves:
            return lines + _centred(self.waiting, width, height - TITLE_ROWS)
        y_axis = self._fit_axes(curves, width, height)
        x_axis = self._x
        labels = {tick: y_axis.label(tick) for tick in y_axis.ticks()}
        gutter = max([5, *(len(label) for label in labels.values())]) + 1
        plot_width = width - gutter - 1
        if x_axis is None or plot_width < SMALLEST_PLOT[0] or plot_height < SMALLEST_PLOT[1]:
            return lines
        canvas = self._plot(curves, x_axis, y_axis, plot_width, plot_height)
        rows = {
            round((y_axis.high - tick) / (y_axis.high - y_axis.low) * (canvas.rows - 1)) >> 2: label
            for tick, label in labels.items()
        }
        for y in range(plot_height):
            label = rows.get(y)
            scale = f"{label or '':>{gutter}}" + ("┤" if label else "│")
            lines.append([(scale, _LABEL), *canvas.line(y)])
        return lines + _x_scale(x_axis, self._x_name, gutter, plot_width, scale_rows)

    def _fit_axes(self, curves: Sequence[Curve], width: int, height: int) -> Axis:
        if self._axes_for != (width, height):
            self._x = self._y = None
            self._axes_for = width, height
        low = min(curve.low for curve in curves)
        high = max(curve.high for curve in curves)
        y_axis = self._y = widened(self._y, low, high, max(2, height // 3))
        reached = max(curve.xs[-1] for curve in curves)
        intervals = max(2, width // 12)
        if self._end is not None:
            self._x = fitted_axis(max(self._end, reached), intervals)
        else:
            self._x = growing_axis(self._x, reached, intervals)
        return y_axis

    def _plot(
        self, curves: Sequence[Curve], x_axis: Axis, y_axis: Axis, width: int, height: int
    ) -> Canvas:
        canvas = Canvas(width, height)
        columns = canvas.columns
        for curve in curves:
            points = dot_columns(curve.xs, curve.ys, x_axis.low, x_axis.high, columns)
            canvas.curve(points, y_axis.low, y_axis.high, curve.style)
            if len(curve.xs) == 1 and points:
                canvas.mark(points[0].column, _row(canvas, y_axis, curve.ys[0]), "•", curve.style)
        if self._best is not None and self._marked in self.curves:
            column = min(int((self._best - x_axis.low) / (x_axis.high - x_axis.low) * columns),
                         columns - 1)  # fmt: skip
            canvas.upright(column, "┊", _AXIS)
            best = self.curves[self._marked].at(self._best)
            if best is not None:
                canvas.mark(column, _row(canvas, y_axis, best), "◆", "$accent")
        return canvas

    def _title_line(self, width: int) -> Line:
        """The title, then as many curves as there is room for, with their newest figures: the name
        in the colour of the curve is the legend."""
        line: Line = [(self.title, "bold")]
        for curve in reversed(self.curves.values()):
            newest = number(curve.ys[-1], self._digits) if curve.ys else ""
            entry: Line = [(f"  {curve.name} ", curve.style), (newest, "")]
            if line_length(line) + line_length(entry) <= width:
                line += entry
        return line


def _row(canvas: Canvas, axis: Axis, y: float) -> int:
    return round((axis.high - y) / (axis.high - axis.low) * (canvas.rows - 1))


def _x_scale(axis: Axis, name: str, gutter: int, width: int, rows: int) -> list[Line]:
    """The x axis: a rule with a notch a tick (if there are two rows), and the ticks' figures."""
    rule = ["─"] * width
    labels = [" "] * (gutter + 1 + width)
    free = 0
    name_start = len(labels) - len(name)
    for tick in axis.ticks():
        cell = min(round((tick - axis.low) / (axis.high - axis.low) * width), width - 1)
        label = axis.label(tick)
        start = max(gutter + 1 + cell - (len(label) - 1) // 2, free)
        rule[cell] = "┬"
        if start + len(label) < name_start:
            labels[start : start + len(label)] = label
            free = start + len(label) + 1
    labels[name_start:] = name
    scale: list[Line] = [[(" " * gutter + "└" + "".join(rule), _LABEL)]] if rows > 1 else []
    return [*scale, [("".join(labels), _LABEL)]]


def _centred(text: str, width: int, height: int) -> list[Line]:
    above: list[Line] = [[] for _ in range(max(0, (height - 1) // 2))]
    return [*above, [(" " * max(0, (width - len(text)) // 2) + text[:width], "$text-disabled")]]

"""A scatter plot: one mark per run where there are few, braille dots where there are many.

Runs on the Pareto front have a filled mark, the others a hollow one, so that the picture is read
without colors too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from textual import events
from textual.binding import Binding
from textual.message import Message

from engine.analysis.scatter import Point, Scatter
from tui.charts.braille.axis import Axis, nice_axis
from tui.charts.braille.canvas import DOTS_ACROSS, DOTS_DOWN, LEFT_BITS, RIGHT_BITS
from tui.charts.braille.row_axis import RowAxis, row_axis
from tui.charts.braille.scale import MUTED, rule_and_labels
from tui.charts.marks import FILLED, HOLLOW
from tui.widgets.lines import Line, Lines

FEW = 250
"""Points up to which each has a mark of its own."""

COLORS = ("$primary", "$accent", "$success", "$error", "$secondary", "$state-lost")

_LEAST = (20, 4)
"""Cells across and down that a picture needs."""


class ScatterPlot(Lines, can_focus=True):
    """Points with a cursor on one of them."""

    DEFAULT_CSS = "ScatterPlot { height: 1fr; }"
    BINDINGS = [  # noqa: RUF012
        Binding("left", "step('x', -1)", show=False),
        Binding("right", "step('x', 1)", show=False),
        Binding("down", "step('y', -1)", show=False),
        Binding("up", "step('y', 1)", show=False),
        Binding("f", "front(1)", show=False),
        Binding("F", "front(-1)", show=False),
    ]

    @dataclass
    class CursorMoved(Message):
        """Tell that the cursor is on another point, or on none."""

        point: Point | None

    def __init__(self) -> None:
        super().__init__()
        self._content = Scatter((), 0, (0, 0), (1, 1))
        self._names = "", ""
        self._models: tuple[str, ...] = ()
        self.point: Point | None = None
        """The point under the cursor."""
        self._plot: tuple[Axis, RowAxis, int, int] | None = None

    @property
    def dots(self) -> tuple[int, int]:
        """How many dots across and down can be told apart."""
        return max(2, self.content_size.width * 2), max(2, self.content_size.height * 4)

    def show(self, content: Scatter, x: str, y: str) -> None:
        """Draw these points; the cursor stays with its run, or goes to the front's best."""
        self._content, self._names = content, (x, y)
        self._models = tuple(sorted({point.model for point in content.points}))
        run = self.point.run if self.point else None
        same = next((point for point in content.points if point.run == run), None)
        front = [point for point in content.points if point.front]
        last = (front or list(content.points))[-1:]
        self._move_to(same or (last[0] if last else None))
        self.redraw()

    def style_of(self, model: str) -> str:
        """Return the color of a model's points."""
        number = self._models.index(model)
        return COLORS[(number + number // len(HOLLOW)) % len(COLORS)]

    def mark_of(self, model: str, front: bool) -> str:
        """Return the mark of a model's points."""
        return (FILLED if front else HOLLOW)[self._models.index(model) % len(HOLLOW)]

    # The cursor

    def _move_to(self, point: Point | None) -> None:
        self.point = point
        self.post_message(self.CursorMoved(point))

    def action_step(self, axis: str, steps: int) -> None:
        """Go to the nearest point that lies further that way."""
        here = self.point
        if here is None:
            return
        scale = self._scale()

        def forward(point: Point) -> float:
            return steps * ((point.x - here.x) if axis == "x" else (point.y - here.y))

        def distance(point: Point) -> float:
            along, aside = (point.x - here.x) * scale[0], (point.y - here.y) * scale[1]
            if axis == "y":
                along, aside = aside, along
            return along * along + 4 * aside * aside

        self._go([point for point in self._content.points if forward(point) > 0], distance)

    def action_front(self, steps: int) -> None:
        """Go to the next point of the front."""
        front = sorted(
            (point for point in self._content.points if point.front),
            key=lambda point: (point.dataset, point.x, point.y),
        )
        if front:
            number = front.index(self.point) + steps if self.point in front else 0
            self._move_to(front[number % len(front)])
            self.redraw()

    def _go(self, points: Iterable[Point], distance: Callable[[Point], float]) -> None:
        nearest = min(points, key=distance, default=None)
        if nearest is not None:
            self._move_to(nearest)
            self.redraw()

    def _scale(self) -> tuple[float, float]:
        """Dots per unit of each axis, so that distances are those on the screen."""
        (x_low, y_low), (x_high, y_high) = self._content.low, self._content.high
        across, down = self.dots
        return across / ((x_high - x_low) or 1.0), down / ((y_high - y_low) or 1.0)

    def on_click(self, event: events.Click) -> None:
        """Go to the nearest point."""
        offset = event.get_content_offset(self)
        if offset is None or self._plot is None:
            return
        x_axis, y_axis, gutter, width = self._plot

        def distance(point: Point) -> float:
            column, row = _cell(point, x_axis, y_axis, width)
            return (column - (offset.x - gutter - 1)) ** 2 + (2 * (row - offset.y)) ** 2

        self._go(self._content.points, distance)

    # The picture

    def draw(self, width: int, height: int) -> list[Line]:
        self._plot = None
        if not self._content.points:
            return []
        (x_low, y_low), (x_high, y_high) = self._content.low, self._content.high
        down = height - 3
        if down < _LEAST[1]:
            return [[("Too small to draw.", MUTED)]]
        y_axis = row_axis(y_low, y_high, down)
        x_axis = nice_axis(x_low, x_high, max(2, width // 14))
        rows = y_axis.labels()
        gutter = max(5, *(len(label) for label in rows.values())) + 1
        across = width - gutter - 1
        if across < _LEAST[0]:
            return [[("Too small to draw.", MUTED)]]
        self._plot = x_axis, y_axis, gutter, across
        cells = self._cells(x_axis, y_axis, across)
        lines: list[Line] = [[(f"{self._names[1]}", "bold")]]
        for row in range(down):
            label = rows.get(row)
            scale = f"{label or '':>{gutter}}" + ("┤" if label else "│")
            spans = [cells.get((column, row), (" ", "")) for column in range(across)]
            lines.append([(scale, MUTED), *spans])
        name = self._names[0]
        rule, below = rule_and_labels(x_axis, name, gutter, across, across - 1)
        scale = "".join(below).removesuffix(name)
        return [*lines, [(rule, MUTED)], [(scale, MUTED), (name, "bold")]]

    def _cells(
        self, x_axis: Axis, y_axis: RowAxis, width: int
    ) -> dict[tuple[int, int], tuple[str, str]]:
        points = self._content.points
        cells: dict[tuple[int, int], tuple[str, str]] = {}
        if len(points) > FEW:
            cells = self._dots(points, x_axis, y_axis, width)
        for point in points:
            if len(points) <= FEW or point.front:
                style = self.style_of(point.model) + (" bold" if point.front else "")
                cell = _cell(point, x_axis, y_axis, width)
                cells[cell] = self.mark_of(point.model, point.front), style
        if self.point is not None:
            cell = _cell(self.point, x_axis, y_axis, width)
            mark, style = cells.get(cell, ("+", "$foreground"))
            cells[cell] = mark, f"{style} reverse"
        return cells

    def _dots(
        self, points: Sequence[Point], x_axis: Axis, y_axis: RowAxis, width: int
    ) -> dict[tuple[int, int], tuple[str, str]]:
        """Braille: the dots of a cell together, in the color of who has most runs there."""
        bits: dict[tuple[int, int], int] = {}
        shares: dict[tuple[int, int], dict[str, int]] = {}
        dot_row = y_axis.dot_row()
        for point in points:
            column, row = _column(point, x_axis, width * DOTS_ACROSS), dot_row(point.y)
            cell = column // DOTS_ACROSS, row // DOTS_DOWN
            bits[cell] = bits.get(cell, 0) | (RIGHT_BITS if column & 1 else LEFT_BITS)[row & 3]
            share = shares.setdefault(cell, {})
            share[point.model] = share.get(point.model, 0) + point.count
        return {
            cell: (chr(0x2800 + dots), self.style_of(_largest(shares[cell])))
            for cell, dots in bits.items()
        }


def _largest(shares: dict[str, int]) -> str:
    return max(shares, key=lambda model: (shares[model], model))


def _column(point: Point, x_axis: Axis, across: int) -> int:
    """The column of a point, counted from the left."""
    return min(max(round(x_axis.share(point.x) * (across - 1)), 0), across - 1)


def _cell(point: Point, x_axis: Axis, y_axis: RowAxis, across: int) -> tuple[int, int]:
    """Column and row of a point's cell, from the top left."""
    return _column(point, x_axis, across), y_axis.dot_row()(point.y) // DOTS_DOWN

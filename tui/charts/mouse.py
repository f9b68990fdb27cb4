"""What the mouse does to a chart: it points, turns its wheel, drags. The screen acts on it."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message

from tui.charts.axis import Axis
from tui.widgets.lines import Lines

WHEEL = 1.5
"""How much nearer one notch of the wheel brings."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Where the plot lies, for the mouse."""

    left: int
    width: int
    axis: Axis

    def x_at(self, cell: float) -> float | None:
        share = (cell - self.left + 0.5) / self.width
        return self.axis.low + share * (self.axis.high - self.axis.low) if 0 <= share <= 1 else None


class PointedLines(Lines):
    """Subclasses say with ``plot`` where their picture lies."""

    class Pointed(Message):
        """The mouse points at an x, or (``None``) no more."""

        def __init__(self, x: float | None) -> None:
            super().__init__()
            self.x = x

    class Chosen(Message):
        """An x was clicked."""

        def __init__(self, x: float) -> None:
            super().__init__()
            self.x = x

    class Zoomed(Message):
        """The wheel was turned at an x."""

        def __init__(self, x: float, factor: float) -> None:
            super().__init__()
            self.x = x
            self.factor = factor

    class Panned(Message):
        """The picture was dragged by a share of its width."""

        def __init__(self, share: float) -> None:
            super().__init__()
            self.share = share

    def __init__(self, *, wheel: bool, id: str | None, classes: str | None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.plot: Plot | None = None
        self._wheel = wheel
        self._dragged_from: int | None = None

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
        self._turn(event, WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._turn(event, 1 / WHEEL)

    def _turn(self, event: events.MouseEvent, factor: float) -> None:
        if self._wheel:
            event.stop()
            if (x := self._x_at(event)) is not None:
                self.post_message(self.Zoomed(x, factor))

"""A slider over a run's time, with what happened marked on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message

from tui.charts.braille.time_axis import clock_time
from tui.widgets.lines import Line, Lines

_SIGN_STYLES = {"◆": "$accent", "!": "$warning", "┃": "$foreground"}


class Slider(Lines):
    """From 0 to ``total`` seconds; clicking or dragging moves it."""

    DEFAULT_CSS = "Slider { height: 1; padding: 0 1; }"

    @dataclass
    class Moved(Message):
        """The user wants the moment after some seconds of running."""

        seconds: float

    total = 0.0
    """Seconds of the whole."""
    _at = 0.0
    _marks: Sequence[tuple[float, str]] = ()
    _dragged = False

    def show(self, at: float, total: float, marks: Sequence[tuple[float, str]]) -> None:
        """Stand at a second of the whole, with signs at others."""
        self._at, self.total, self._marks = at, total, marks
        self.redraw()

    @property
    def cell(self) -> float:
        """Seconds of one cell."""
        return self.total / max(self._bar[1] - 1, 1)

    @property
    def _bar(self) -> tuple[int, int]:
        """First cell and width of the bar: left of it the moment, right of it the whole."""
        width, room = self.content_size.width, len(clock_time(self.total))
        return room + 1, max(1, width - 2 * room - 2)

    def draw(self, width: int, height: int) -> list[Line]:  # noqa: ARG002
        if not width:
            return []
        _, cells = self._bar
        end = clock_time(self.total)
        at = self._cell_of(self._at, cells)
        signs: dict[int, tuple[str, str]] = {}
        for seconds, sign in self._marks:
            signs[self._cell_of(seconds, cells)] = sign, _SIGN_STYLES.get(sign, "")
        signs[at] = "●", "$primary bold"
        line: Line = [(f"{clock_time(self._at):>{len(end)}} ", "bold")]
        for cell in range(cells):
            rest = ("━", "$primary") if cell < at else ("─", "$border-blurred")
            line.append(signs.get(cell, rest))
        return [[*line, (f" {end}", "$text-muted")]]

    def _cell_of(self, seconds: float, cells: int) -> int:
        share = seconds / self.total if self.total else 0.0
        return min(max(round(share * (cells - 1)), 0), cells - 1)

    def _seconds_at(self, event: events.MouseEvent) -> float:
        first, cells = self._bar
        offset = event.get_content_offset_capture(self)
        share = (offset.x - first) / max(cells - 1, 1)
        return min(max(share, 0.0), 1.0) * self.total

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._dragged = True
        self.capture_mouse()
        self.post_message(self.Moved(self._seconds_at(event)))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragged:
            self.post_message(self.Moved(self._seconds_at(event)))

    def on_mouse_up(self) -> None:
        self._dragged = False
        self.release_mouse()

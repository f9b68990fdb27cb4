"""The end of a run's log, with its warnings and its last word below."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from textual import events

from tui.text import PARAGRAPH, plain, shorten
from tui.widgets.lines import Line, Lines

KEPT_LINES = 2_000
NOTICE_LINES = 3
"""Of warnings and the end message, so many of the newest are shown."""


class LogTail(Lines):
    """Follows the end; scrolled back it stays where it is, until told to follow again."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._log: deque[str] = deque(maxlen=KEPT_LINES)
        self._notices: list[tuple[str, str]] = []
        self._back = 0
        """Lines between the end of the log and the last one shown."""
        self._instead: list[str] = []

    @property
    def follows(self) -> bool:
        return self._back == 0

    def clear(self) -> None:
        """Forget everything, as for another run."""
        self._log.clear()
        self._notices, self._instead, self._back = [], [], 0
        self.redraw()

    def add(self, lines: Sequence[str]) -> None:
        """Add lines at the end."""
        if not lines:
            return
        self._log.extend(lines)
        if self._back:
            self._back = min(self._back + len(lines), len(self._log) - 1)
        self.redraw()

    def notice(self, notices: Sequence[tuple[str, str]]) -> None:
        """Show these (text, style) below the log, instead of those before."""
        notices = [(plain(text, PARAGRAPH), style) for text, style in notices]
        if notices != self._notices:
            self._notices = notices
            self.redraw()

    def instead(self, lines: Sequence[str]) -> None:
        """Show these as long as the log is empty."""
        lines = [plain(text, PARAGRAPH) for text in lines]
        if lines != self._instead:
            self._instead = lines
            if not self._log:
                self.redraw()

    def follow(self) -> None:
        """Go to the end and stay there."""
        self._back = 0
        self.redraw()

    def scroll(self, lines: int) -> None:
        """Move back (negative) or on, by ``lines``."""
        last = max(0, len(self._log) - self._room(self.content_size.height))
        self._back = min(max(self._back - lines, 0), last)
        self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        room = self._room(height)
        end = len(self._log) - self._back
        shown = [self._log[index] for index in range(max(0, end - room), end)]
        lines: list[Line] = [[(shorten(text, width), "")] for text in shown]
        if not self._log:
            said = self._instead[-room:] if room else []
            lines = [[(shorten(text, width), "$text-muted")] for text in said]
        notices = self._notices[-min(NOTICE_LINES, height) :] if height > 0 else []
        return lines + [[(shorten(text, width), style)] for text, style in notices]

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll(3)

    def _room(self, height: int) -> int:
        return max(0, height - min(len(self._notices), NOTICE_LINES))

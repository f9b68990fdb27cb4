"""The end of a run's log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from rich.cells import cell_len
from textual import events
from textual.message import Message

from tui.live.log.buffer import LogBuffer, LogRow, LogSearch
from tui.shell.events import WARNING
from tui.shell.run_log import LogLine
from tui.shell.text import count, plain, shorten
from tui.widgets.lines import Line, Lines

_MATCH = "$block-cursor-foreground on $block-cursor-background"
_CURRENT = "$background on $warning"
_BEFORE_MATCH = 12
"""Cells of a clipped line that are shown before a match which would be out of sight."""


class LogTail(Lines):
    """A log that follows its end; scrolled back it stays there until it is to follow again."""

    class Moved(Message):
        """`LogTail.summary` has changed."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._log = LogBuffer()
        self._open: list[LogLine] = []
        """The newest lines, whose order isn't final."""
        self._warnings = 0
        self._bottom: LogRow | None = None
        """The last row that is shown; none: follow the end."""
        self.wraps = False
        self._search: LogSearch | None = None
        self._current: int | None = None
        """The line of the match that was gone to."""

    @property
    def follows(self) -> bool:
        """Whether the end of the log is shown, and stays in sight when the log grows."""
        return self._bottom is None

    @property
    def searched(self) -> str:
        """What is searched for, if anything."""
        return self._search.text if self._search else ""

    def clear(self) -> None:
        """Forget the lines, as for another run; a search stays."""
        self._log, self._open, self._bottom, self._warnings = LogBuffer(), [], None, 0
        self.search(self.searched)

    def add(self, lines: Sequence[LogLine], open_end: Sequence[LogLine] = ()) -> None:
        """Add lines at the end.

        Args:
            open_end: lines behind these, which the next call replaces.
        """
        if not lines and list(open_end) == self._open:
            return
        first = not self._log
        self._log.drop(len(self._open))
        if self._search is not None:
            self._search.forget(self._log.numbers.stop)
        self._open = list(open_end)
        self._log.add(lines)
        self._log.add(self._open)
        if first:
            self.search(self.searched)
        before, self._warnings = self._warnings, self._log.count(WARNING)
        self._changed(searched=bool(self._search) or before != self._warnings)

    # Moving

    def follow(self) -> None:
        """Go to the end and stay there."""
        self._bottom = self._current = None
        self._changed()

    def scroll(self, rows: int) -> None:
        """Move back (negative) or on, by rows of the screen."""
        buffer = self._laid_out()
        if buffer.end is None:
            return
        bottom = buffer.kept(self._bottom or buffer.end)
        way = buffer.upward(bottom) if rows < 0 else buffer.downward(bottom)
        for row in islice(way, abs(rows) + 1):
            bottom = row
        self._rest_at(bottom)

    def wrap(self) -> None:
        """Show long lines whole in several rows, or clipped in one."""
        self.wraps = not self.wraps
        if self._bottom is not None:
            self._bottom = LogRow(self._bottom.line)
        self._changed()

    def search(self, text: str) -> None:
        """Mark a text, and go to where it last occurs; an empty one ends the search."""
        self._search = LogSearch(self._log, text) if text else None
        self._current = None
        if self._search is not None:
            self._go(self._search.next(self._from_bottom() + 1, -1))
        self._changed()

    def next_match(self, step: int) -> None:
        """Go to the next line with a match, or (-1) the one before."""
        if self._search is not None:
            start = self._current if self._current is not None else self._from_bottom()
            self._go(self._search.next(start, step))
            self._changed()

    def summary(self) -> str:
        """What the frame says of it, such as ``1 warning · /loss · 3 of 12 lines · f follows``."""
        parts = [count(self._warnings, "warning")] if self._warnings else []
        if self._search is not None:
            found = self._search.found
            at = next((i for i, line in enumerate(found, 1) if line == self._current), 0)
            said = f"{at:,} of {count(len(found), 'line')}" if found else "not found"
            parts += [f"/{plain(self.searched, 20)}", said]
        if self.wraps:
            parts.append("wrapped")
        if not self.follows:
            parts.append("f follows")
        return " · ".join(parts)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll(3)

    def _from_bottom(self) -> int:
        """The last line that is in sight."""
        return self._log.numbers.stop - 1 if self._bottom is None else self._bottom.line

    def _go(self, number: int | None) -> None:
        """Bring a line with a match to the middle, unless it is in sight."""
        if number is None:
            return
        self._current = number
        buffer = self._laid_out()
        assert buffer.end is not None
        room = max(0, self.content_size.height)
        bottom = buffer.kept(self._bottom or buffer.end)
        if any(row.line == number for row in islice(buffer.upward(bottom), room)):
            return
        for row in islice(buffer.downward(LogRow(number)), room // 2 + 1):
            bottom = row
        self._rest_at(bottom)

    def _rest_at(self, bottom: LogRow) -> None:
        """Show a row last, or the first one below it above which the room is filled."""
        buffer = self._laid_out()
        room = max(0, self.content_size.height)
        above = sum(1 for _ in islice(buffer.upward(bottom), room))
        for row in islice(buffer.downward(bottom), room - above + 1):
            bottom = row
        self._bottom = None if bottom == buffer.end else bottom
        self._changed()

    def _changed(self, searched: bool = True) -> None:
        self.redraw()
        if searched:
            self.post_message(self.Moved())

    # Drawing

    def _laid_out(self) -> LogBuffer:
        buffer = self._log
        buffer.lay_out(self.content_size.width, self.wraps)
        return buffer

    def draw(self, width: int, height: int) -> list[Line]:
        buffer = self._log
        buffer.lay_out(width, self.wraps)
        if buffer.end is None or height <= 0:
            return []
        bottom = buffer.kept(self._bottom) if self._bottom else buffer.end
        rows = list(islice(buffer.upward(bottom), height))[::-1]
        return [self._row(buffer, row, width) for row in rows]

    def _row(self, buffer: LogBuffer, at: LogRow, width: int) -> Line:
        style = buffer.style(at.line)
        rows = buffer.rows(at.line)
        text = rows[at.row]
        if self._search is None:
            return [(shorten(text, width), style)]
        start = sum(map(len, rows[: at.row]))
        matches = self._search.spans(buffer.line(at.line))
        front = ""
        if not self.wraps and matches and cell_len(text[: matches[0][1]]) >= width:
            front, start = "…", max(0, matches[0][0] - _BEFORE_MATCH)
            text = text[start:]
        text = shorten(text, width - len(front))
        here = [(first - start, last - start) for first, last in matches]
        marked = _CURRENT if at.line == self._current else _MATCH
        return [(front, style), *_marked(text, here, style, marked)]


def _marked(
    text: str, matches: Sequence[tuple[int, int]], style: str, marked: str
) -> Iterator[tuple[str, str]]:
    """Split a text into spans at its matches, which may reach beyond it."""
    end = 0
    for first, last in matches:
        yield text[end : max(first, end)], style
        end = max(end, min(last, len(text)))
        yield text[max(first, 0) : end], marked
    yield text[end:], style

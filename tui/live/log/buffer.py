"""Lines of a log in bounded memory, and ways through them: by rows of the screen, by matches."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

from tui.shell.run_log import LogLine

KEPT_LINES = 2_000


@dataclass(frozen=True, slots=True, order=True)
class LogRow:
    """A row of a line; lines are numbered from the first that ever was."""

    line: int
    row: int = 0


class LogBuffer:
    """Keeps the newest lines.

    With ``wrap`` a line takes as many rows as it needs at ``width`` cells, else one. Lines
    are wrapped when they are looked at, and kept so until the width changes.
    """

    def __init__(self, width: int = 80, wrap: bool = False) -> None:
        self._lines: deque[LogLine] = deque(maxlen=KEPT_LINES)
        self._first = 0
        self._width, self._wrap = max(width, 2), wrap
        self._rows: dict[int, list[str]] = {}

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def numbers(self) -> range:
        """Numbers of the lines that are kept."""
        return range(self._first, self._first + len(self._lines))

    def lay_out(self, width: int, wrap: bool) -> None:
        """Set the width in cells, and whether lines are wrapped."""
        if (max(width, 2), wrap) != (self._width, self._wrap):
            self._width, self._wrap = max(width, 2), wrap
            self._rows.clear()

    def drop(self, count: int) -> None:
        """Remove the newest lines, at most so many."""
        for _ in range(min(count, len(self._lines))):
            self._lines.pop()
            self._rows.pop(self._first + len(self._lines), None)

    def add(self, lines: Iterable[LogLine]) -> None:
        """Add lines at the end; the oldest give way."""
        for line in lines:
            if len(self._lines) == KEPT_LINES:
                self._rows.pop(self._first, None)
                self._first += 1
            self._lines.append(line)

    def line(self, number: int) -> str:
        """The line with one of `numbers`."""
        return self._lines[number - self._first].text

    def style(self, number: int) -> str:
        """The style of the line with one of `numbers`."""
        return self._lines[number - self._first].style

    def count(self, style: str) -> int:
        """Count the lines of a style."""
        return sum(line.style == style for line in self._lines)

    def rows(self, number: int) -> list[str]:
        """The rows of a line; unwrapped it is one, which may be too wide."""
        if not self._wrap:
            return [self.line(number)]
        rows = self._rows.get(number)
        if rows is None:
            rows = self._rows[number] = _wrapped(self.line(number), self._width)
        return rows

    @property
    def end(self) -> LogRow | None:
        """The last row; none without lines."""
        return LogRow(self.numbers[-1], len(self.rows(self.numbers[-1])) - 1) if self else None

    def kept(self, at: LogRow) -> LogRow:
        """The row, or the nearest that is still kept."""
        number = min(max(at.line, self.numbers[0]), self.numbers[-1])
        row = at.row if number == at.line else 0
        return LogRow(number, min(row, len(self.rows(number)) - 1))

    def upward(self, at: LogRow) -> Iterator[LogRow]:
        """Go through a row and all above it."""
        for number in range(at.line, self._first - 1, -1):
            last = at.row if number == at.line else len(self.rows(number)) - 1
            yield from (LogRow(number, row) for row in range(last, -1, -1))

    def downward(self, at: LogRow) -> Iterator[LogRow]:
        """Go through a row and all below it."""
        for number in range(at.line, self.numbers.stop):
            first = at.row if number == at.line else 0
            yield from (LogRow(number, row) for row in range(first, len(self.rows(number))))


class LogSearch:
    """The lines of a buffer in which some text occurs; in any case unless it has a capital."""

    def __init__(self, buffer: LogBuffer, text: str) -> None:
        self._buffer = buffer
        self.text = text
        any_case = re.IGNORECASE if text == text.lower() else 0
        self.pattern = re.compile(re.escape(text), any_case)
        self._found: deque[int] = deque()
        self._looked = buffer.numbers.start

    @property
    def found(self) -> deque[int]:
        """Numbers of the lines with a match, up to the newest line."""
        numbers = self._buffer.numbers
        while self._found and self._found[0] < numbers.start:
            self._found.popleft()
        for number in range(max(self._looked, numbers.start), numbers.stop):
            if self.pattern.search(self._buffer.line(number)):
                self._found.append(number)
        self._looked = numbers.stop
        return self._found

    def spans(self, line: str) -> list[tuple[int, int]]:
        """First character, and the one after the last, of each match in a line."""
        return [match.span() for match in self.pattern.finditer(line)]

    def forget(self, start: int) -> None:
        """Forget the lines from this number on: others may have their numbers now."""
        while self._found and self._found[-1] >= start:
            self._found.pop()
        self._looked = min(self._looked, start)

    def next(self, number: int, step: int) -> int | None:
        """The line with a match after (``step`` 1) or before (-1) a line; around the ends."""
        found = self.found
        if not found:
            return None
        if step > 0:
            return next((line for line in found if line > number), found[0])
        return next((line for line in reversed(found) if line < number), found[-1])


def _wrapped(text: str, width: int) -> list[str]:
    if text.isascii():
        return [text[at : at + width] for at in range(0, len(text), width)] or [""]
    return chop_cells(text, width) if cell_len(text) > width else [text]

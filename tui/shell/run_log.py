"""A run's log: what its workers wrote and its journal in words, in one order.

What workers write has no times. But the journal says at starts, checkpoints and ends how long the
log was, so what is written between two of them stands between them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tui.shell.events import JournalLine
from tui.shell.log_follower import Written

MOST_OPEN = 2_000
"""Lines of workers that may wait for the journal to say where they belong."""


class LogLine(NamedTuple):
    """A line of the log, with its style."""

    text: str
    style: str = ""


def log_sizes(journal: Sequence[JournalLine]) -> list[float | None]:
    """Return how long the log was at each line of a journal, if that is known.

    An end of an earlier version doesn't say so: all that was written until the next attempt's
    start counts as written before it, or if there is none, everything (infinity).
    """
    sizes: list[float | None] = []
    following: float | None = math.inf
    for line in reversed(journal):
        if line.log_bytes is not None or line.kind == "start":
            following = line.log_bytes
        sizes.append(following if line.log_bytes is not None or line.kind == "end" else None)
    return sizes[::-1]


def in_order(
    written: Iterable[Written], journal: Sequence[JournalLine]
) -> Iterator[tuple[Written | None, JournalLine | None]]:
    """Go through what workers wrote and through the journal's lines in the order of time.

    Args:
        written: in order; read only as far as needed.

    Yields:
        A line of the journal alone; or a line of a worker, with the line of the journal by which it
        was written at the latest, if that is known.
    """
    lines = iter(written)
    line = next(lines, None)
    for entry, size in zip(journal, log_sizes(journal), strict=True):
        while line is not None and size is not None and line.end <= size:
            yield line, entry if size < math.inf else None
            line = next(lines, None)
        yield None, entry
    while line is not None:
        yield line, None
        line = next(lines, None)


def log_lines(written: Iterable[Written], journal: Sequence[JournalLine]) -> Iterator[LogLine]:
    """Merge what workers wrote with the journal, without checkpoints."""
    for line, entry in in_order(written, journal):
        if line is not None:
            yield LogLine(line.text)
        elif entry is not None and entry.kind != "checkpoint":
            yield LogLine(entry.text, entry.style)


class RunLog:
    """A log that grows. The order of its newest lines is open until the journal says where they
    belong."""

    def __init__(self) -> None:
        self.place = (0, -1)
        """That of the newest line of the journal."""
        self._journal: list[JournalLine] = []
        self._written: list[Written] = []
        self._read = 0

    def write(self, lines: Sequence[Written], read: int) -> None:
        """Add what workers wrote; ``read`` is how many bytes of the log were read."""
        self._written += lines
        self._read = read

    def tell(self, journal: Sequence[JournalLine]) -> None:
        """Add lines of the journal, which stand after `place`."""
        if journal:
            self._journal += journal
            self.place = journal[-1].place

    def settle(self) -> list[LogLine]:
        """Take out the lines whose order is final."""
        known = [
            at
            for at, line in enumerate(self._journal, 1)
            if line.log_bytes is not None and line.log_bytes <= self._read
        ]
        settled = self._journal[: max(known, default=0)]
        upto = settled[-1].log_bytes if settled else 0
        assert upto is not None
        count = sum(line.end <= upto for line in self._written)
        lines = list(log_lines(self._written[:count], settled))
        del self._journal[: len(settled)], self._written[:count]
        if (surplus := len(self._written) - MOST_OPEN) > 0:
            lines += [LogLine(line.text) for line in self._written[:surplus]]
            del self._written[:surplus]
        return lines

    def open_end(self) -> list[LogLine]:
        """List the lines after those that `settle` took out, in the likeliest order."""
        return list(log_lines(self._written, self._journal))

"""Reading the end of a growing log, a piece at a time and in bounded memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from engine.files.regular import open_regular
from tui.shell.text import plain

FIRST_BYTES = 64 * 1024
"""How much of an existing log is read at first, from its end."""

PIECE_BYTES = 256 * 1024
"""Bytes read at most at once; the log says how many beyond that were skipped."""

LINE_CHARACTERS = 2_000
"""Longer lines are clipped."""


class Written(NamedTuple):
    """A line that workers wrote, harmless and clipped."""

    end: int
    """The byte after it."""
    text: str


class LogFollower:
    """Hands out what a log gained since it was last asked. For one thread at a time.

    Attributes:
        read_bytes: how far whole lines were read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._partial = b""
        self.read_bytes = 0

    def read(self) -> list[Written]:
        """Read the whole lines that are new; none while there is no file.

        A line that is not ended yet is kept back. Of a progress bar (carriage returns in a line)
        only its newest state is kept. A log that was replaced or truncated is read from its start.
        """
        try:
            with open_regular(self.path) as file:
                status = os.fstat(file.fileno())
                identity = status.st_dev, status.st_ino
                said: list[Written] = []
                if identity != self._identity or status.st_size < self._offset:
                    self._identity, self._partial = identity, b""
                    self._offset = max(0, status.st_size - FIRST_BYTES)
                    cut = self._offset > 0
                elif status.st_size - self._offset > PIECE_BYTES:
                    passed = status.st_size - self._offset - PIECE_BYTES
                    said.append(Written(self._offset + passed, f"… {passed:,} bytes not shown …"))
                    self._offset, self._partial, cut = self._offset + passed, b"", True
                else:
                    cut = False
                file.seek(self._offset)
                data = file.read(PIECE_BYTES)
        except OSError:
            return []
        self._offset += len(data)
        whole, newline, rest = (self._partial + data).rpartition(b"\n")
        self._partial = rest[-4 * LINE_CHARACTERS :]
        if not newline:
            return said
        self.read_bytes = end = self._offset - len(rest)
        lines = []
        for raw in reversed(whole.split(b"\n")):
            lines.append(Written(end, line_text(raw)))
            end -= len(raw) + 1
        if cut:
            lines.pop()  # begins in the middle
        return said + lines[::-1]


def line_text(raw: bytes) -> str:
    """A line of a log, harmless and clipped; of a progress bar its newest state."""
    newest = raw.rstrip(b"\r").rpartition(b"\r")[2][: 4 * LINE_CHARACTERS]
    return plain(newest.decode(errors="replace"))[:LINE_CHARACTERS]

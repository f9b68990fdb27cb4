"""How a command ends: where stdout or stderr can't be written no work stops, and the end tells;
ended by a signal, it leaves nothing half written."""

from __future__ import annotations

import errno
import io
import os
import select
import shutil
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Output(io.FileIO):
    """A stream of the process that takes whatever is written, so that a command does what it was
    asked to do though nobody can read its words.

    Attributes:
        problem: the first failure to write; what comes after it is dropped.
    """

    def __init__(self, descriptor: int, closed: bool) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self.problem: OSError | None = None
        self._was_closed = closed

    def write(self, data: ReadableBuffer, /) -> int:
        """Write to the stream, unless that failed before."""
        if self.problem is None:
            try:
                return self._written(data)
            except OSError as error:
                self.problem = error
        return memoryview(data).nbytes

    def _written(self, data: ReadableBuffer) -> int:
        if self._was_closed:
            raise OSError(errno.EBADF, "it is closed")
        while (written := super().write(data)) is None:  # it is set not to wait, by who shares it
            select.select((), (self,), ())
        return written


def take_streams() -> None:
    """Take stdout and stderr over, for the process's life. Open those of the three streams that are
    closed on nothing, so that no file of ours, such as the store, gets the number of one."""
    closed = [stream is None for stream in (sys.stdin, sys.stdout, sys.stderr)]
    for number in range(3):
        with suppress(OSError):
            os.fstat(number)
            continue
        os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    if closed[0]:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for the process's life
    sys.stdout = _stream(1, closed[1], sys.stdout, "replace")
    sys.stderr = _stream(2, closed[2], sys.stderr, "backslashreplace")


def _stream(number: int, closed: bool, before: TextIO | None, errors: str) -> TextIO:
    raw = Output(number, closed)
    encoding = before.encoding if before is not None else "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding, errors, line_buffering=number == 2 or raw.isatty()
    )


def end_in_order() -> None:
    """Let SIGTERM, and SIGHUP of a terminal that is closed, end this process as Ctrl+C does, so
    that a file of which a part is written is removed. A second one ends it at once."""

    def end(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup ignores one
            signal.signal(number, end)


def stdout_problem() -> OSError | None:
    """Return why something that was written to stdout got lost."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.problem if isinstance(raw, Output) else None


def terminal_width() -> int | None:
    """Return the cells of the terminal's width; None where stdout is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def on_terminal() -> bool:
    """Tell whether a person watches stderr, so that a line may be redrawn."""
    return sys.stderr.isatty()

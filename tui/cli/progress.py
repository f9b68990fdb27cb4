"""How far a command has come, on a terminal's stderr: nothing of it gets into a pipe or a file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.progress import OnProgress, untold
from tui.cli.output import on_terminal
from tui.shell.text import PARAGRAPH, plain

if TYPE_CHECKING:
    from rich.progress import Progress

SOON = 2.0
"""Seconds that something may take before its progress is shown."""

_alone = threading.Lock()
"""Held while something is shown, or may soon be."""


@contextmanager
def progress(what: str, *, of_bytes: bool = False, soon: float = SOON) -> Iterator[OnProgress]:
    """Show how far a piece of work has come, if it takes long and a person watches.

    Print nothing to stderr within it, which is redrawn. One within another shows nothing.

    Args:
        what: what is done, such as ``Importing``.
        of_bytes: whether what is counted are bytes.
        soon: seconds until it is shown.

    Yields:
        What to call as it goes on; without any call the time is shown.
    """
    if not on_terminal() or not _alone.acquire(blocking=False):
        yield untold
        return
    bar = _Bar(what, of_bytes)
    timer = threading.Timer(soon, bar.show)
    timer.daemon = True
    timer.start()
    try:
        yield bar.told
    finally:
        timer.cancel()
        timer.join()
        bar.end()
        _alone.release()


class _Bar:
    """A line with a bar, drawn from when it is shown."""

    def __init__(self, what: str, of_bytes: bool) -> None:
        self._what, self._of_bytes = plain(what, PARAGRAPH), of_bytes
        self._state: tuple[int, int | None] = 0, None
        self._drawn: Progress | None = None

    def told(self, done: int, total: int | None) -> None:
        """Take how much is done, and of how much."""
        self._state = done, total
        if self._drawn is not None:
            self._drawn.update(self._drawn.task_ids[0], completed=done, total=total)

    def show(self) -> None:
        """Begin to draw, in the thread of a timer."""
        from rich.console import Console
        from rich.progress import (  # a tenth of a second, which what is quick needn't wait for
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        counts = (
            (DownloadColumn(), TransferSpeedColumn()) if self._of_bytes else (MofNCompleteColumn(),)
        )
        drawn = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            *(counts if self._of_bytes or self._state != (0, None) else ()),
            TimeElapsedColumn(),
            *((TimeRemainingColumn(),) if self._state[1] else ()),
            console=Console(stderr=True),
            transient=True,
        )
        done, total = self._state
        drawn.add_task(self._what, completed=done, total=total)
        drawn.start()
        self._drawn = drawn

    def end(self) -> None:
        """Take the line away."""
        if self._drawn is not None:
            self._drawn.stop()

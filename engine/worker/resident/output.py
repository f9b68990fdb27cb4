"""Where a resident worker's output goes: to the log of the run that writes it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def all_output_to(log: Path) -> Iterator[None]:
    """Let all that this process writes to stdout and stderr, C libraries included, go to a log. For
    a process that trains one run at a time.

    Raises:
        OSError: the log can't be opened.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    _flush()
    own = [os.dup(1), os.dup(2)]
    try:
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        yield
    finally:
        _flush()
        for number, kept in enumerate(own, 1):
            os.dup2(kept, number)
            os.close(kept)
        os.close(descriptor)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()

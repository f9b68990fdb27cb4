"""Where a resident worker's output goes: to the log of the run that writes it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, chdir, contextmanager
from io import TextIOBase
from typing import Any, TextIO

from engine.runfolder import RunFolder

Output = Callable[[RunFolder], AbstractContextManager[None]]
"""Lets what a thread writes go to the log of a run. Raises `OSError` if that can't be opened."""


@contextmanager
def all_output(run: RunFolder) -> Iterator[None]:
    """Let all that this process writes, C libraries included, go to a run's log, and its folder be
    the working folder. For a process that trains one run at a time."""
    descriptor = os.open(run.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    _flush()
    own = [os.dup(1), os.dup(2)]
    try:
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        with chdir(run.path):
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


class ByThread(TextIOBase):
    """A stream that writes what a thread writes to that thread's log, and what other threads write
    to the process's own."""

    def __init__(self, own: TextIO) -> None:
        self._own = own
        self._logs = threading.local()

    def write(self, text: str) -> int:
        log = getattr(self._logs, "log", None)
        try:
            return (log or self._own).write(text)
        except ValueError:  # a thread that outlives its run
            return self._own.write(text)

    def flush(self) -> None:
        log = getattr(self._logs, "log", None)
        stream = self._own if log is None or log.closed else log
        stream.flush()

    def fileno(self) -> int:
        return self._own.fileno()

    def log(self) -> TextIO | None:
        """Return the log of the thread that calls."""
        return getattr(self._logs, "log", None)

    def use(self, log: TextIO | None) -> None:
        """Set the log of the thread that calls."""
        self._logs.log = log


def output_by_thread() -> Output:
    """Let each run's thread, and the threads that it starts, write to the log of its run, from now
    on. For a process that trains several runs at once; C libraries write to the process's own."""
    routed = ByThread(sys.stdout), ByThread(sys.stderr)
    sys.stdout, sys.stderr = routed
    begin = threading.Thread.start

    def start(self: threading.Thread) -> None:
        logs, run = [stream.log() for stream in routed], self.run

        def run_with_logs() -> None:
            for stream, log in zip(routed, logs, strict=True):
                stream.use(log)
            run()

        self.run = run_with_logs  # type: ignore[method-assign]
        begin(self)

    threading.Thread.start = start  # type: ignore[method-assign]

    @contextmanager
    def to_log(run: RunFolder) -> Iterator[None]:
        before: list[Any] = [stream.log() for stream in routed]
        with run.log.open("a", encoding="utf-8", errors="backslashreplace", buffering=1) as log:
            for stream in routed:
                stream.use(log)
            try:
                yield
            finally:
                for stream, kept in zip(routed, before, strict=True):
                    stream.use(kept)

    return to_log

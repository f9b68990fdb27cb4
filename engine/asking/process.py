"""Asking a process a question: JSON to its standard input, a JSON object a line from its output."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any

from engine.limits import process_limits
from engine.machine.environment import background_environment, thread_environment
from engine.machine.priority import lower_priority

MOST_WORDS = 10_000
"""Bytes of its errors that are looked at."""


@dataclass(frozen=True)
class Answers:
    """What a process says."""

    output: IO[bytes]
    errors: IO[bytes]

    def __iter__(self) -> Iterator[Any]:
        return map(json.loads, self.output)

    def last_words(self) -> str:
        """Return why it may have ended early, to be put behind a sentence that says so."""
        self.errors.seek(0)
        words = self.errors.read()[-MOST_WORDS:].decode("utf-8", "replace").strip().splitlines()
        return f": {words[-1]}" if words else ": is there enough memory?"


@contextmanager
def asked(command: Sequence[str], question: object, niceness: int = 0) -> Iterator[Answers]:
    """Start a process and ask it; it is ended when the context is left.

    Raises:
        OSError: it can't be started.
    """
    environment = {**background_environment(), **thread_environment(process_limits().cores)}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            cwd=os.sep,
        )
        if niceness:
            lower_priority(process.pid, niceness)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with suppress(BrokenPipeError), process.stdin as given:  # it has ended already
                given.write(json.dumps(question).encode())
            yield Answers(process.stdout, errors)
        finally:
            process.kill()
            process.stdout.close()
            process.wait()

"""Logs of processes that serve several runs."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

MOST_WORDS = 4_000
"""Bytes of a worker's log that go into the log of a run that it didn't begin."""


def copy_end(log: Path, run_log: Path) -> None:
    """Copy the end of a worker's log, which may say why it began nothing, into a run's."""
    with suppress(OSError):
        with log.open("rb") as words:
            words.seek(-min(MOST_WORDS, log.stat().st_size), os.SEEK_END)
            said = words.read(MOST_WORDS)
        with run_log.open("ab") as own:
            own.write(said)

"""How a side talks with the benchmark: JSON lines over its stdin and stdout.

Imported by both environments, so it needs the standard library only.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ready:
    """A side has read its data and built what it needs."""

    library: str
    torch: str
    dtype: str
    parameters: int
    updates_per_epoch: int
    most_epochs: int
    split: int
    """`split_digest` of the validation items."""


@dataclass(frozen=True)
class Measured:
    """What an epoch and its evaluation took."""

    updates: int
    train_seconds: float
    peak_mib: float
    """Largest resident memory of the process so far."""
    evaluation_seconds: float
    valid_recall: float
    """Recall@10 over all items."""


class Closed(Exception):  # noqa: N818 -- not an error: the benchmark has what it needs
    """Nothing more is asked for."""


class Pipe:
    """A side's end."""

    def __init__(self) -> None:
        self._answers = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)  # what libraries print must not get among the answers

    def settings(self) -> dict[str, Any]:
        return dict(self._line())

    def wait(self) -> None:
        """Until another epoch is asked for."""
        self._line()

    def send(self, message: Ready | Measured) -> None:
        self._answers.write(json.dumps(asdict(message)) + "\n")

    def _line(self) -> Any:
        if line := sys.stdin.readline():
            return json.loads(line)
        raise Closed


def peak_mib() -> float:
    """Largest resident memory of this process so far. Not getrusage's, which begins at its
    parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def split_digest(held_out: Iterable[tuple[int, int]]) -> int:
    """Equal for equal (user, validation item) pairs, in whatever order."""
    return zlib.crc32(json.dumps(sorted(held_out)).encode())

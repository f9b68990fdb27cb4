"""Whether a process that has trained runs may train another, whose figures and memory must be those
of a process of its own."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from engine.errors import StoreError
from engine.inbox import Assignment
from engine.machine.telemetry import MIB
from engine.specfile import load_spec

MOST_LEFT_MIB = 256.0
"""Memory that a process may keep of the runs before, beyond what it began with: it would be counted
as the next run's. Half of it are libraries that the first run loads."""

_PACKAGE = str(Path(__file__).parents[2]) + os.sep

Stamp = dict[str, tuple[int, int]]
"""Of each of our modules' files: time of change in nanoseconds, and size."""


@dataclass
class Fitness:
    """What a process must still be to train another run; made before its first."""

    threads: int
    visible: str | None = field(default_factory=lambda: os.environ.get("CUDA_VISIBLE_DEVICES"))
    _code: list[str | None] = field(default_factory=list)
    """Of the runs that it has trained: the hash of their model's file, ``None`` for models that
    come with seqbench."""
    _memory_mib: float = field(default_factory=lambda: resident_mib())
    _stamp: Stamp = field(default_factory=lambda: loaded_files())

    def fits(self, assignment: Assignment) -> bool:
        """Whether the run may be trained beside those that this process trains now. Threads and
        devices of a process are set at its start, and the file of a user's model may change what
        other models compute."""
        return (
            self.threads == assignment.threads
            and assignment.visible in (None, self.visible)
            and self._code in ([], [code_of(assignment)])
        )

    def is_worn(self) -> bool:
        """Whether a process without runs should be replaced: it has kept too much memory, or our
        own code has changed since it was loaded."""
        if not self._code:
            return False
        give_back()
        if resident_mib() > self._memory_mib + MOST_LEFT_MIB:
            return True
        now = loaded_files()
        return any(now.get(file) != stamp for file, stamp in self._stamp.items())

    def trains(self, assignment: Assignment) -> None:
        """Note a run that this process begins to train."""
        self._code = [code_of(assignment)]


def code_of(assignment: Assignment) -> str | None:
    """Return the hash of the file of a run's model; ``None`` for one that comes with seqbench, and
    for a run whose configuration can't be read."""
    try:
        code = load_spec(assignment.run).code
    except (StoreError, OSError, ValueError):
        return None
    return code.sha256 if code else None


def loaded_files() -> Stamp:
    """Return the stamp of seqbench's modules that this process has loaded."""
    found: Stamp = {}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.startswith(_PACKAGE):
            with suppress(OSError):
                stat = Path(file).stat()
                found[file] = (stat.st_mtime_ns, stat.st_size)
    return found


def give_back() -> None:
    """Give memory that nothing uses back to the kernel."""
    gc.collect()
    with suppress(OSError, AttributeError):  # other C libraries have no such function
        ctypes.CDLL(None).malloc_trim(0)


def resident_mib() -> float:
    """Return the memory of this process in MiB."""
    return float(psutil.Process().memory_info().rss / MIB)

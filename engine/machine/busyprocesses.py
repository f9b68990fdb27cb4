"""Processes that keep the CPU busy.

Clock ticks are read from ``/proc`` directly, which takes about 22 µs a process, where psutil takes
65 µs; the few busiest processes are then looked up by psutil.
"""

from __future__ import annotations

import os
import time
from collections.abc import Container, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath

import psutil

LEAST_PERCENT = 5.0
"""Least share of one core, in per cent, from which a process counts as busy."""

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class ForeignProcess:
    """A process that seqbench didn't start; ``None`` where the machine doesn't report a value."""

    pid: int
    name: str | None = None
    """The command, or the script or module that an interpreter runs."""
    user: str | None = None
    cpu_percent: float | None = None
    """Of one core: 200 is two busy cores."""
    memory_mib: float | None = None
    """Memory on the GPU."""


class BusyProcesses:
    """Finds busy processes by the clock ticks of each, which it remembers from look to look.

    To be used by one thread at a time.
    """

    def __init__(self) -> None:
        self._ticks: dict[int, int] = {}
        self._looked = time.monotonic()

    def look(self, ours: Container[int], at_most: int = 3) -> list[ForeignProcess]:
        """Return the processes that were busiest since the last look, the busiest first.

        Args:
            ours: pids that are left out, together with their descendants.
            at_most: the most processes to return.
        """
        now = time.monotonic()
        seconds, self._looked = max(now - self._looked, 1e-3), now
        before, self._ticks = self._ticks, dict(_ticks())
        percent = 100 / _TICKS_PER_SECOND / seconds
        shares = [
            ((ticks - before[pid]) * percent, pid)
            for pid, ticks in self._ticks.items()
            if pid in before
        ]
        busy = (
            describe(pid, cpu_percent=share)
            for share, pid in sorted(shares, reverse=True)
            if share >= LEAST_PERCENT and not _descends(pid, ours)
        )
        return list(islice(busy, at_most))


def describe(
    pid: int, cpu_percent: float | None = None, memory_mib: float | None = None
) -> ForeignProcess:
    """Describe a process by its name and owner, as far as these can be seen."""
    name = user = None
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        user = process.username()
        name = _program(process.cmdline()) or process.name()
    return ForeignProcess(pid, name, user, cpu_percent, memory_mib)


def _program(command: list[str]) -> str:
    """Return what a command line runs: ``train.py`` rather than ``python3``; empty for none."""
    program = PurePath(command[0]).name if command else ""
    if not program.startswith(("python", "pypy")):
        return program
    arguments = iter(command[1:])
    for word in arguments:
        if word in ("-X", "-W"):
            next(arguments, None)
        elif word == "-c":
            break
        elif word and not word.startswith("-"):
            return PurePath(word).name
    return program


def _ticks() -> Iterator[tuple[int, int]]:
    """Yield the pid of every process with the clock ticks that it has used."""
    for entry in os.scandir("/proc"):
        if not entry.name.isdecimal():
            continue
        with suppress(OSError), open(f"{entry.path}/stat", "rb") as file:  # noqa: PTH123 - quicker
            fields = file.read().rpartition(b")")[2].split()
            yield int(entry.name), int(fields[11]) + int(fields[12])


def _descends(pid: int, ours: Container[int]) -> bool:
    """Whether a process or one of its ancestors is among ours."""
    if pid in ours:
        return True
    with suppress(psutil.Error):
        return any(parent.pid in ours for parent in psutil.Process(pid).parents())
    return False

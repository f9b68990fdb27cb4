"""Whose processes keep the CPU busy. Reads ``/proc`` directly, in a third of psutil's time."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

LEAST_PERCENT = 5.0
"""Of one core; less is the machine's own business."""

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Foreign:
    """A process that isn't ours. ``None`` where the machine doesn't tell."""

    pid: int
    name: str | None = None
    """Command, or the script that an interpreter runs."""
    user: str | None = None
    cpu_percent: float | None = None
    """100 is one core."""
    memory_mib: float | None = None
    """On the GPU."""


class BusyProcesses:
    """Remembers how much each process had worked. For one thread at a time."""

    def __init__(self) -> None:
        self._worked: dict[int, int] = {}
        self._looked = time.monotonic()

    def look(self, ours: Container[int], at_most: int = 3) -> list[Foreign]:
        """The busiest processes since the last look, other than ours and what these started."""
        now = time.monotonic()
        seconds, self._looked = max(now - self._looked, 1e-3), now
        before, parents = self._worked, {}
        self._worked = {}
        for entry in os.scandir("/proc"):
            if entry.name.isdecimal() and (found := _stat(int(entry.name))):
                parents[int(entry.name)], self._worked[int(entry.name)] = found
        shares = [
            (100 * (ticks - before[pid]) / _TICKS / seconds, pid)
            for pid, ticks in self._worked.items()
            if pid in before
        ]
        return [
            describe(pid, cpu_percent=share)
            for share, pid in sorted(shares, reverse=True)
            if share >= LEAST_PERCENT and not _belongs(pid, ours, parents)
        ][:at_most]


def describe(
    pid: int, cpu_percent: float | None = None, memory_mib: float | None = None
) -> Foreign:
    """A process by name and owner, where these can be seen."""
    folder = Path("/proc") / str(pid)
    name = user = None
    with suppress(OSError):
        words = folder.joinpath("cmdline").read_bytes().decode(errors="replace").split("\0")
        name = _name(words) or folder.joinpath("comm").read_text(errors="replace").strip()
    with suppress(OSError, KeyError):
        user = pwd.getpwuid(folder.stat().st_uid).pw_name
    return Foreign(pid, name, user, cpu_percent, memory_mib)


def _name(words: list[str]) -> str:
    """``train.py`` rather than ``python3``: the script or module that an interpreter runs."""
    command = PurePath(words[0]).name
    if not command.startswith(("python", "pypy")):
        return command
    arguments = iter(words[1:])
    for word in arguments:
        if word in ("-X", "-W"):
            next(arguments, None)
        elif word == "-c":
            break
        elif word and not word.startswith("-"):
            return PurePath(word).name
    return command


def _stat(pid: int) -> tuple[int, int] | None:
    """Parent, and the clock ticks that it has worked."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - hundreds of them a look
            text = file.read()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()
    return int(fields[1]), int(fields[11]) + int(fields[12])


def _belongs(pid: int, ours: Container[int], parents: dict[int, int]) -> bool:
    """Whether it, or what it was started by, is ours."""
    for _ in range(len(parents)):
        if pid in ours:
            return True
        parent = parents.get(pid)
        if not parent:
            return False
        pid = parent
    return False

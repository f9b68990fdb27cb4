"""What this process may use of the machine: its cores, their time, and memory.

A container, a cluster's job or a unit of systemd is a control group (cgroup, of version 1 or 2, or
both at once). A group's limits hold together with those of every group above it. What can't be
read, or makes no sense, limits nothing.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

MICROSECONDS = 1e-6
NANOSECONDS = 1e-9

_MOST_DIGITS = 20
"""Of a number in a control group's file."""


@dataclass(frozen=True, slots=True)
class CpuQuota:
    """The CPU time that a control group may use."""

    cores: float
    """Seconds of CPU time in a second, such as 0.5."""
    file: Path
    """The file that says so."""
    usage: Path | None
    """The file that counts what the group has used; ``None`` if there is none."""

    def used_seconds(self) -> float | None:
        """Return the CPU time that the group has used, in seconds; ``None`` if it isn't known."""
        if self.usage is None:
            return None
        if self.usage.name == "cpuacct.usage":
            return _scaled(_whole(_text(self.usage)), NANOSECONDS)
        return _scaled(_counter(self.usage, "usage_usec"), MICROSECONDS)


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """The memory that a control group may use."""

    bytes: int
    file: Path
    """The file that says so."""

    def used_bytes(self) -> int | None:
        """Return what the group uses, without files' pages that can be dropped; ``None`` if it
        isn't known."""
        group = self.file.parent
        for counter, idle in (
            ("memory.current", "inactive_file"),
            ("memory.usage_in_bytes", "total_inactive_file"),
        ):
            used = _whole(_text(group / counter))
            if used is not None:
                return max(0, used - (_counter(group / "memory.stat", idle) or 0))
        return None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may use."""

    cores: int
    """Cores that it can keep busy: those that it may run on, or fewer by its quota, rounded up."""
    memory: int
    """Bytes."""
    allowed: frozenset[int]
    """Numbers of the cores that it may run on."""
    quota: CpuQuota | None = None
    """What limits its CPU time to less than that of these cores."""
    memory_limit: MemoryLimit | None = None
    """What limits its memory to less than the machine's."""


def process_limits(
    root: Path = Path("/"), allowed: frozenset[int] | None = None, memory: int | None = None
) -> Limits:
    """Return what this process may use.

    Args:
        root: the folder that has ``proc`` and, as ``proc`` says, the control groups.
        allowed: numbers of the cores that it may run on; by default its affinity.
        memory: the machine's bytes; by default as the kernel says.
    """
    allowed = allowed or frozenset(os.sched_getaffinity(0))
    memory = memory or psutil.virtual_memory().total
    mounts, own = list(_mounts(root)), _own_groups(root)
    quotas = [each for each in _quotas(mounts, own) if each.cores < len(allowed)]
    quota = min(quotas, key=lambda each: each.cores, default=None)
    limits = [each for each in _memory_limits(mounts, own) if each.bytes < memory]
    limit = min(limits, key=lambda each: each.bytes, default=None)
    return Limits(
        cores=len(allowed) if quota is None else math.ceil(quota.cores),
        memory=memory if limit is None else limit.bytes,
        allowed=allowed,
        quota=quota,
        memory_limit=limit,
    )


def memory_used(limits: Limits) -> float:
    """Return the bytes in use of the memory that this process may use."""
    used = limits.memory_limit.used_bytes() if limits.memory_limit else None
    if used is None:
        machine = psutil.virtual_memory()
        used = machine.total - machine.available
    return min(used, limits.memory)


@dataclass(frozen=True, slots=True)
class _Mount:
    """A hierarchy of control groups, as it is mounted."""

    point: Path
    top: str
    """The group at the mount point."""
    controllers: frozenset[str] | None
    """Of version 1; ``None`` for version 2."""


def _quotas(mounts: list[_Mount], own: Mapping[str, str]) -> Iterator[CpuQuota]:
    counting = [mount.point for mount in mounts if "cpuacct" in (mount.controllers or ())]
    for mount, group in _groups(mounts, own, "cpu"):
        if mount.controllers is None:
            file, usage = group / "cpu.max", [group / "cpu.stat"]
            quota, _, period = _text(file).partition(" ")
        else:
            file, inside = group / "cpu.cfs_quota_us", group.relative_to(mount.point)
            quota, period = _text(file), _text(group / "cpu.cfs_period_us")
            usage = [point / inside / "cpuacct.usage" for point in (mount.point, *counting)]
        share, whole = _whole(quota), _whole(period)
        if share and whole:
            counted = next((each for each in usage if each.is_file()), None)
            yield CpuQuota(share / whole, file, counted)


def _memory_limits(mounts: list[_Mount], own: Mapping[str, str]) -> Iterator[MemoryLimit]:
    for mount, group in _groups(mounts, own, "memory"):
        # From memory.high on the kernel slows a group down until it hardly moves.
        two = mount.controllers is None
        for name in ("memory.max", "memory.high") if two else ("memory.limit_in_bytes",):
            if limit := _whole(_text(group / name)):
                yield MemoryLimit(limit, group / name)


def _groups(
    mounts: list[_Mount], own: Mapping[str, str], controller: str
) -> Iterator[tuple[_Mount, Path]]:
    """Yield the folder of each group that this process is in, from the top down, with its mount.

    Args:
        own: see `_own_groups`.
    """
    for mount in mounts:
        if mount.controllers is not None and controller not in mount.controllers:
            continue
        name = own.get("" if mount.controllers is None else controller)
        if name is None:
            continue
        group = mount.point
        yield mount, group
        for part in _below(name, mount.top):
            group /= part
            # A container may see only its own group, and be told its name from outside.
            if not group.is_dir():
                break
            yield mount, group


def _below(group: str, top: str) -> tuple[str, ...]:
    """Return the parts of a group's path below another; none if it isn't below that one, as where
    either lies outside of the process's namespace."""
    path, above = PurePosixPath(group), PurePosixPath(top)
    if ".." in (*path.parts, *above.parts) or not path.is_relative_to(above):
        return ()
    return path.relative_to(above).parts


def _own_groups(root: Path) -> dict[str, str]:
    """Return the group that this process is in, by controller; that of version 2 by ``""``."""
    own: dict[str, str] = {}
    for line in _text(root / "proc/self/cgroup").splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3:
            own |= dict.fromkeys(parts[1].split(","), parts[2])
    return own


def _mounts(root: Path) -> Iterator[_Mount]:
    for line in _text(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        place, about = before.split(), after.split()
        if len(place) < 5 or len(about) < 3 or about[0] not in ("cgroup", "cgroup2"):
            continue
        controllers = None if about[0] == "cgroup2" else frozenset(about[2].split(","))
        yield _Mount(root / _unquoted(place[4]).lstrip("/"), _unquoted(place[3]), controllers)


def _unquoted(text: str) -> str:
    """Replace the kernel's octal escapes, such as ``\\040`` for a space."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _text(path: Path) -> str:
    """Return a file's text; none if it can't be read."""
    try:
        return path.read_text(errors="replace").strip()
    except (OSError, ValueError):  # the latter for a null character in a name
        return ""


def _whole(text: str) -> int | None:
    """Return a whole number; ``None`` for ``max``, ``-1`` and anything else."""
    plain = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if plain else None


def _counter(path: Path, name: str) -> int | None:
    """Return a counter of a file with lines of a name and a number."""
    for line in _text(path).splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return _whole(value)
    return None


def _scaled(value: int | None, unit: float) -> float | None:
    return None if value is None else value * unit

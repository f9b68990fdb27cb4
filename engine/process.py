"""Tell processes apart for all time: a pid alone is reused, with boot and start time it is not."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psutil

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class ProcessIdentity:
    """One process on one host, for all time."""

    pid: int
    boot_id: str
    start_ticks: int
    """Clock ticks between boot and the process's start."""


def boot_id() -> str:
    """Return the kernel's name for the time since the last boot. psutil only knows when that was,
    which moves whenever the clock is set."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def identify(pid: int) -> ProcessIdentity | None:
    """The process that has this pid now; ``None`` if there is none, or only its zombie."""
    try:
        identity = ProcessIdentity(pid, boot_id(), _start_ticks(pid))
        dead = psutil.Process(pid).status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return None
    return None if dead else identity


def _start_ticks(pid: int) -> int:
    """Take the boot's time, which psutil adds, off again. Where the clock is set meanwhile the two
    readings of it differ: read until they agree."""
    while True:
        boot = psutil.boot_time()
        created = psutil.Process(pid).create_time()
        if psutil.boot_time() == boot:
            return round((created - boot) * _TICKS_A_SECOND)


def own_identity() -> ProcessIdentity:
    """Identify the process that calls."""
    identity = identify(os.getpid())
    assert identity is not None
    return identity


def parent_identity() -> ProcessIdentity:
    """Identify the process that started the one that calls; it must live."""
    identity = identify(os.getppid())
    assert identity is not None
    return identity


def parent_of(pid: int) -> int | None:
    """The pid of the process that started it; ``None`` if it is gone."""
    try:
        return psutil.Process(pid).ppid()
    except psutil.NoSuchProcess:
        return None


def is_alive(identity: ProcessIdentity) -> bool:
    """Whether that very process still runs."""
    return identify(identity.pid) == identity

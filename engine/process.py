"""Which process is meant (the pid alone is reused; with boot id and start time it is not), and what
holds for all of ours."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

OWNER_ONLY = 0o077
"""The umask of every process of ours: what it writes is the user's alone (0600, folders 0700)."""


@dataclass(frozen=True)
class ProcessIdentity:
    """One process on one host, for all time."""

    pid: int
    boot_id: str
    start_ticks: int
    """Field 22 of ``/proc/PID/stat``: clock ticks between boot and the process's start."""


def boot_id() -> str:
    """Changes with every boot of the host."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def identify(pid: int) -> ProcessIdentity | None:
    """The process that has this pid now; ``None`` if there is none, or only its zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command, in parentheses, may hold anything: spaces, parentheses, bytes that are no text.
    fields = stat[stat.rindex(")") + 2 :].split()
    state, start_ticks = fields[0], int(fields[19])
    return None if state in "ZX" else ProcessIdentity(pid, boot_id(), start_ticks)


def own_identity() -> ProcessIdentity:
    identity = identify(os.getpid())
    assert identity is not None
    return identity


def parent_identity() -> ProcessIdentity:
    """Of the process that started this one, which must live."""
    identity = identify(os.getppid())
    assert identity is not None
    return identity


def parent_of(pid: int) -> int | None:
    """The process that started it; ``None`` if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat[stat.rindex(")") + 2 :].split()[1])


def exists(pid: int) -> bool:
    """Whether any process has this pid here."""
    return Path(f"/proc/{pid}").exists()


def is_alive(identity: ProcessIdentity) -> bool:
    """Whether that very process still runs."""
    return identify(identity.pid) == identity

"""The priority of training, which waits for whatever else the user does on the machine."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path


def lower_priority(pid: int, niceness: int) -> None:
    """Give a process that was just started this niceness, and so all that it will start. It stays
    as it is where that isn't allowed, or where it is nicer already."""
    with suppress(OSError):
        if os.getpriority(os.PRIO_PROCESS, pid) < niceness:
            os.setpriority(os.PRIO_PROCESS, pid, niceness)


def lower_priority_of_session(leader: int, niceness: int) -> bool:
    """Give a process that leads a session, and all that it will start, this niceness.

    Many kernels share the processor among sessions first (``sched_autogroup_enabled``): there a
    process's niceness counts only beside those of its own session, and the session has one too.

    Returns:
        False if the session's has to be asked for again: the kernel takes one of each user in
        100 ms.
    """
    lower_priority(leader, niceness)
    if niceness == 0:
        return True
    try:
        Path(f"/proc/{leader}/autogroup").write_text(str(niceness))
    except OSError as error:
        return error.errno != errno.EAGAIN
    return True

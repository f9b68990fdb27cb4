"""The priority of training, which waits for whatever else the user does on the machine."""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from pathlib import Path

TRIES = 5
"""How often a session is given its niceness: the kernel takes one of each user in 100 ms."""


def lower_priority(pid: int, niceness: int) -> None:
    """Give a process that was just started this niceness, and so all that it will start. It stays
    as it is where that isn't allowed, or where it is nicer already."""
    with suppress(OSError):
        if os.getpriority(os.PRIO_PROCESS, pid) < niceness:
            os.setpriority(os.PRIO_PROCESS, pid, niceness)


def lower_priority_of_session(leader: int, niceness: int) -> None:
    """Give a process that leads a session, and all that it will start, this niceness.

    Many kernels share the processor among sessions first (``sched_autogroup_enabled``): there a
    process's niceness counts only beside those of its own session, and the session has one too.
    """
    lower_priority(leader, niceness)
    if niceness == 0:
        return
    for _ in range(TRIES):
        try:
            Path(f"/proc/{leader}/autogroup").write_text(str(niceness))
        except OSError as error:
            if error.errno != errno.EAGAIN:
                return
            time.sleep(0.03)
        else:
            return

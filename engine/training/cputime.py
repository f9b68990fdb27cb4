"""The processor time of this process: what its threads had, and what they waited for.

Linux counts for each thread how long it ran and how long it was ready to run while other threads,
of whatever process, had the cores or its control group had used up its quota (``run_delay``,
Documentation/scheduler/sched-stats). What a hypervisor takes, and that other programs slow down a
core that one has, is in neither.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NANOSECONDS = 1e-9

TASKS = Path("/proc/self/task")
"""A folder for each thread of this process."""


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Processor time of one process or several, summed over threads, in seconds."""

    had: float
    """Two threads that ran for a second have two seconds."""
    waited: float | None
    """Time in which threads were ready to run, and didn't; ``None`` where the kernel doesn't
    tell."""

    @property
    def share(self) -> float | None:
        """What it had of what it asked for, 0 to 1; ``None`` if that isn't known."""
        if self.waited is None or self.had + self.waited <= 0:
            return None
        return self.had / (self.had + self.waited)


def total(times: Iterable[CpuTime]) -> CpuTime:
    """Add up the times of several processes; what one of them doesn't know isn't known."""
    found = list(times)
    waits = [each.waited for each in found if each.waited is not None]
    return CpuTime(
        sum(each.had for each in found), sum(waits) if len(waits) == len(found) else None
    )


class CpuClock:
    """Measures the processor time between two looks.

    A thread that ends between two looks keeps what it waited up to the first of them, and one that
    also begins between them isn't seen to wait: libraries keep the threads that compute.

    Args:
        tasks: the kernel's folder of the threads.
    """

    def __init__(self, tasks: Path = TASKS) -> None:
        self._tasks = tasks
        self._had = time.process_time()
        self._waits = _waits(tasks)

    def lap(self) -> CpuTime:
        """Return the processor time since the last call, or since the clock was made."""
        had, waits = time.process_time(), _waits(self._tasks)
        waited = None
        if waits is not None and self._waits is not None:
            # An ended thread's number may be given to a new one, which has waited for less.
            before = {thread: self._waits.get(thread, 0) for thread in waits}
            waited = NANOSECONDS * sum(
                now - before[thread] if now >= before[thread] else now
                for thread, now in waits.items()
            )
        found = CpuTime(had - self._had, waited)
        self._had, self._waits = had, waits
        return found


def _waits(tasks: Path) -> dict[str, int] | None:
    """Read the nanoseconds that each thread has waited; ``None`` where the kernel doesn't count
    them: no file tells, or all of them say that nothing ever ran."""
    waits: dict[str, int] = {}
    ran = 0
    try:
        for thread in tasks.iterdir():
            try:
                had, waited, *_ = (thread / "schedstat").read_text().split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended, or no thread has such a file
            ran += int(had)
            waits[thread.name] = int(waited)
    except (OSError, ValueError):
        return None
    return waits if ran else None

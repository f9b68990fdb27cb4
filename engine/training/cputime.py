"""The processor time of this process, or of one of its threads: what they had, and what they had to
wait for.

Linux counts for each thread how long it ran, and how long it was ready to run while others had the
core that it was given or its control group had used up its quota (``run_delay``,
Documentation/scheduler/sched-stats). Threads that wake each other up wait like this for each other,
on one core, though others are free. So a wait counts only as far as no core was free meanwhile.

What a hypervisor takes, and that other programs slow down a core that one has, is in neither.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.limits import Limits, process_limits

NANOSECONDS = 1e-9

TASKS = Path("/proc/self/task")
"""A folder for each thread of this process."""


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Processor time of one process or several, summed over threads, in seconds."""

    had: float
    """Two threads that ran for a second have two seconds."""
    waited: float | None
    """Time in which threads were ready to run, and no core was free; ``None`` where the kernel
    doesn't say."""

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


@dataclass(frozen=True, slots=True)
class Free:
    """Processor time that was free to this process, in seconds since some moment."""

    idle: float
    """Of the cores that it may run on, summed."""
    spare: float | None = None
    """What is left of its group's quota; ``None`` without one."""

    def since(self, before: Free) -> float:
        """Return what was free between two moments."""
        free = self.idle - before.idle
        if self.spare is not None and before.spare is not None:
            free = min(free, self.spare - before.spare)
        return max(0.0, free)


def free_time(limits: Limits) -> Free:
    """Look at what is free now."""
    cores = psutil.cpu_times(percpu=True)
    allowed = [cores[number] for number in limits.allowed if number < len(cores)]
    used = limits.quota.used_seconds() if limits.quota else None
    return Free(
        sum(core.idle + core.iowait for core in allowed),
        limits.quota.cores * time.monotonic() - used if limits.quota and used is not None else None,
    )


class CpuClock:
    """Measures the processor time between two laps.

    A thread that ends between two looks keeps what it waited up to the first of them, and one that
    also begins between them isn't seen to wait: libraries keep the threads that compute.

    Args:
        tasks: the kernel's folder of the threads.
        free: looks at what is free to this process.
        of_thread: whether to measure the calling thread only, which is whose clock it is then.
    """

    def __init__(
        self,
        tasks: Path = TASKS,
        free: Callable[[], Free] | None = None,
        *,
        of_thread: bool = False,
    ) -> None:
        limits = process_limits()
        self._tasks = tasks
        self._thread = tasks / str(threading.get_native_id()) if of_thread else None
        self._look_at_free = free or (lambda: free_time(limits))
        self._time = time.thread_time if of_thread else time.process_time
        self._had = self._time()
        self._waits, self._free = self._look_at_waits(), self._look_at_free()
        self._waited: float | None = 0.0

    def look(self) -> None:
        """Count what was waited for since the last look. The more often, the better: a core that
        is free at one time is no help at another."""
        waits, free = self._look_at_waits(), self._look_at_free()
        if waits is None or self._waits is None:
            self._waited = None
        elif self._waited is not None:
            # An ended thread's number may be given to a new one, which has waited for less.
            before = {thread: self._waits.get(thread, 0) for thread in waits}
            waited = NANOSECONDS * sum(
                now - before[thread] if now >= before[thread] else now
                for thread, now in waits.items()
            )
            self._waited += max(0.0, waited - free.since(self._free))
        self._waits, self._free = waits, free

    def lap(self) -> CpuTime:
        """Return the processor time since the last lap, or since the clock was made."""
        self.look()
        had = self._time()
        found = CpuTime(had - self._had, self._waited)
        self._had, self._waited = had, 0.0
        return found

    def _look_at_waits(self) -> dict[str, int] | None:
        return _waits(self._tasks, self._thread)


def _waits(tasks: Path, only: Path | None) -> dict[str, int] | None:
    """Read the nanoseconds that each thread has waited; ``None`` where the kernel doesn't count
    them: no file tells, or all of them say that nothing ever ran."""
    waits: dict[str, int] = {}
    ran = 0
    try:
        for thread in tasks.iterdir() if only is None else (only,):
            try:
                had, waited, *_ = (thread / "schedstat").read_text().split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended, or no thread has such a file
            ran += int(had)
            waits[thread.name] = int(waited)
    except (OSError, ValueError):
        return None
    return waits if ran else None

"""How long runs take that share devices. Where several train on one GPU, all of them together are
faster than one alone, but by far not as many times as they are."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from engine.machine.slots import Slot

SPEEDS = ((1, 1.0), (4, 1_606 / 964), (8, 1_829 / 964))
"""Numbers of runs at once on a GPU, and how many times as fast all of them are as one alone: their
updates per second on an H200, with evaluation (docs/performance.md)."""


def speed(runs: float) -> float:
    """Return how many times as fast runs at once on one GPU are, together, as one alone."""
    for (fewer, slower), (more, faster) in pairwise(SPEEDS):
        if runs <= more:
            return slower + max(runs - fewer, 0.0) / (more - fewer) * (faster - slower)
    return SPEEDS[-1][1]


@lru_cache(64)
def slowdown(runs: float) -> float:
    """Return how many times as long one of several runs at once on one GPU takes as it does
    alone."""
    return max(runs, 1.0) / speed(runs)


def shares(slots: Iterable[Slot]) -> list[int]:
    """Return the number of slots on each device, in the order of the slots. A slot of the CPU has
    cores of its own, and is a device."""
    return list(Counter(slot.visible or slot.name for slot in slots).values())


@dataclass
class _Device:
    slots: int
    now: float = 0.0
    """The time up to which its work is known."""
    done: float = 0.0
    """What each run inside since the beginning would have done by now, in seconds of one alone."""
    ends: list[float] = field(default_factory=list)
    """A heap: when each run inside ends, in ``done``."""

    @property
    def next_end(self) -> float:
        return self.now + (self.ends[0] - self.done) * slowdown(len(self.ends))

    def begin(self, seconds: float, now: float) -> None:
        if self.ends:
            self.done += (now - self.now) / slowdown(len(self.ends))
        self.now = now
        heapq.heappush(self.ends, self.done + seconds)

    def end(self) -> float:
        """Let the run inside that is the first to end do so; return when that is."""
        self.now = self.next_end
        self.done = heapq.heappop(self.ends)
        return self.now


def makespan(seconds: Iterable[float], devices: Sequence[int]) -> float:
    """Return how long runs take, each of which begins in the first free slot, on the device that
    has the fewest runs then.

    Args:
        seconds: the time of each run alone, in the order of the queue.
        devices: the number of slots of each device.
    """
    all_of = [_Device(max(1, slots)) for slots in devices] or [_Device(1)]
    free = sum(device.slots for device in all_of)
    now = 0.0
    for each in seconds:
        if free:
            free -= 1
            open_ones = (device for device in all_of if len(device.ends) < device.slots)
            device = min(open_ones, key=lambda device: len(device.ends))
        else:
            device = min(all_of, key=lambda device: device.next_end)
            now = device.end()
        device.begin(each, now)
    last = now
    for device in all_of:
        while device.ends:
            last = max(last, device.end())
    return last

"""What the runs share that a resident worker trains, and how many of them meet."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from engine.machine.telemetry import MIB
from engine.training.lanes import Lane, Lanes


@dataclass
class Shared:
    """What the runs of a resident worker share."""

    worker: str
    """Its name."""
    lanes: Lanes | None = None
    """``None`` if the worker trains one run at a time."""
    timed: set[str] = field(default_factory=set)
    """Fingerprints, without the seed, of the runs whose inference speed was measured beside others:
    once is enough, because everything else waits meanwhile."""
    broken: bool = False
    """Whether the device can't be used by this process any more."""

    def room_mib(self) -> float | None:
        """Return the GPU's memory in MiB that this process's runs can have together: what they
        have, and what is free; ``None`` before a GPU is used."""
        if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            return None
        try:
            free, _ = torch.cuda.mem_get_info()
            return (free + torch.cuda.memory_reserved()) / MIB
        except RuntimeError:
            return None


MEMORY_SECONDS = 1.0
"""Time between two looks at the memory of a run: each takes milliseconds."""


class Company:
    """Who is beside a run in its process: the most others since the last epoch, and since the last
    sample.

    Args:
        others: counts the other runs now.
        memory: returns the GPU's memory in MiB that the run itself has, if that is known; ``None``
            if all that the process has is the run's.

    Attributes:
        own_mib: the most memory that the run itself was seen to have.
        was_alone: whether the process has trained nothing else since the run began.
    """

    def __init__(
        self, others: Callable[[], int], memory: Callable[[], float | None] | None = None
    ) -> None:
        self._others, self._memory = others, memory
        self._epoch = self._sample = others()
        self._looked = -math.inf
        self.own_mib: float | None = None
        self.was_alone = not self._epoch

    @property
    def is_shared(self) -> bool:
        """Whether the process is made for several runs, so that it may have memory of others."""
        return self._memory is not None

    @property
    def now(self) -> int:
        """The number of others now."""
        return self._others()

    def look(self) -> None:
        """Count the others now. Cheap enough for every update."""
        now = self._others()
        self._epoch, self._sample = max(self._epoch, now), max(self._sample, now)
        self.was_alone = self.was_alone and not now

    def in_epoch(self) -> int:
        """Return the most since the last call; look at the run's memory, too, which it has in full
        at the end of an epoch."""
        self.look()
        if self._memory is not None and time.monotonic() - self._looked >= MEMORY_SECONDS:
            own = self._memory()
            self.own_mib = max(filter(None, (self.own_mib, own)), default=None)
            self._looked = time.monotonic()
        most, self._epoch = self._epoch, self._others()
        return most

    @property
    def is_unsampled(self) -> bool:
        """Whether there were others since the last call of `in_sample`."""
        return self._sample > 0

    def in_sample(self) -> int:
        """Return the most since the last call; for the thread that samples the machine."""
        self.look()
        most, self._sample = self._sample, self._others()
        return most


def company_of(lane: Lane, device: torch.device) -> Company:
    """Return who is beside the run of a lane; to be called in the lane's thread."""
    if not lane.shares_process:
        return Company(lambda: 0)
    if device.type != "cuda":
        return Company(lambda: lane.others, lambda: None)
    stream = torch.cuda.current_stream(device).cuda_stream
    return Company(lambda: lane.others, lambda: stream_mib(stream))


def stream_mib(stream: int) -> float:
    """Return the memory in MiB that this process has from the driver for what is computed on a
    stream, which torch's allocator keeps apart for each: graphs and what they may use included."""
    segments = torch.cuda.memory_snapshot()  # type: ignore[no-untyped-call]
    return float(sum(each["total_size"] for each in segments if each["stream"] == stream) / MIB)


def is_broken(device: torch.device) -> bool:
    """Whether a process has lost the use of a GPU, as after an illegal access to its memory: every
    further call fails."""
    if device.type != "cuda":
        return False
    try:
        torch.cuda.synchronize(device)
    except RuntimeError:
        return True
    return False

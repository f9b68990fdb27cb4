"""What the runs share that a resident worker trains, and how many of them meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from engine.machine.telemetry import MIB
from engine.training.lanes import Lanes


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


class Company:
    """The most runs that a run had beside it, since the last epoch and since the last sample."""

    def __init__(self, others: Callable[[], int]) -> None:
        self._others = others
        self._epoch = self._sample = others()

    @property
    def now(self) -> int:
        """The number of others now."""
        return self._others()

    def look(self) -> None:
        """Count the others now. Cheap enough for every update."""
        now = self._others()
        self._epoch, self._sample = max(self._epoch, now), max(self._sample, now)

    def in_epoch(self) -> int:
        """Return the most since the last call."""
        self.look()
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

"""What a run will cost here: from past runs, else measured in a process of its own."""

from __future__ import annotations

import heapq
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.errors import TrainingError
from engine.machine.environment import background_environment, thread_environment
from engine.machine.slots import Slot
from engine.store.pastcosts import Place, cost_settings, past_cost

if TYPE_CHECKING:
    from engine.spec import RunSpec

MEASURE = (sys.executable, "-P", "-m", "engine.worker.measure")

PATIENCE_SECONDS = 120.0
"""For one measurement; loading the data takes most of it."""

Source = Literal["past", "nearest", "measured"]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run; ``None`` is not known."""

    source: Source
    """Runs of this cell, runs of another length, or a measurement."""
    epoch_seconds: float
    run_seconds: float | None
    """Of whole runs like it, early stopping included."""
    memory_mib: float | None


def cost_key(spec: RunSpec) -> str:
    """Equal for runs that must cost the same an epoch."""
    settings = cost_settings(spec.model_dump(mode="json"))
    return json.dumps([spec.dataset, spec.length, settings], sort_keys=True)


def cost_from_past(con: sqlite3.Connection, spec: RunSpec, slot: Slot) -> Cost | None:
    """What the store knows; ``None`` if nothing like it ran here."""
    found = past_cost(con, spec, Place(slot.device, slot.title, slot.threads, slot.processes))
    if found is None:
        return None
    source: Source = "past" if found.length == spec.length else "nearest"
    return Cost(source, found.epoch_seconds, found.run_seconds, found.memory_mib)


class Measuring:
    """A measurement under way, in a process that ends with it."""

    def __init__(self, spec: RunSpec, slot: Slot) -> None:
        """Raises `OSError` if no process can be started."""
        environment = {**background_environment(), **thread_environment(slot.threads)}
        if slot.visible is not None:
            environment["CUDA_VISIBLE_DEVICES"] = slot.visible
        self._spec = spec
        self._process = subprocess.Popen(
            [*MEASURE, "--device", slot.device, "--threads", str(slot.threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=os.sep,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def result(self) -> Cost:
        """Wait for it. Raises `TrainingError` if there is none."""
        try:
            text, _ = self._process.communicate(
                self._spec.model_dump_json(), timeout=PATIENCE_SECONDS
            )
            told = json.loads(text)
        except subprocess.TimeoutExpired:
            self.stop()
            self._process.communicate()
            raise TrainingError("measure", "Measuring took too long.") from None
        except (OSError, ValueError):
            raise TrainingError("measure", "Measuring was broken off.") from None
        if "problem" in told:
            raise TrainingError("measure", str(told["problem"]))
        return Cost("measured", told["epoch_seconds"], None, told["memory_mib"])

    def stop(self) -> None:
        """End it at once; whoever waits for the result is told."""
        self._process.kill()


def makespan(seconds: Iterable[float], slots: int) -> float:
    """How long runs take in so many slots, each taking the first that is free."""
    ends = [0.0] * max(1, slots)
    for each in seconds:
        heapq.heapreplace(ends, ends[0] + each)
    return max(ends)


def peak_memory(memories: Sequence[float], at_once: int) -> float:
    """Of the largest runs that may meet on one device."""
    return sum(heapq.nlargest(at_once, memories))

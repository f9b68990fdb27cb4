"""Estimates of what runs will cost here: from past runs, or measured in a process of its own."""

from __future__ import annotations

import heapq
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.errors import TrainingError
from engine.machine.environment import background_environment, thread_environment
from engine.machine.priority import lower_priority
from engine.machine.slots import Slot
from engine.machine.together import shares, slowdown
from engine.store.costs.past import Hardware, cost_settings, past_cost

if TYPE_CHECKING:  # pydantic is kept from the app's first paint
    from engine.spec import RunSpec

MEASURE = (sys.executable, "-P", "-m", "engine.worker.measure")

MEASURE_SECONDS = 120.0
"""Most time of one measurement; loading the data takes most of it."""

MEASURE_NICENESS = 10
"""Niceness of what measures, so that the app that waits for it still answers at once."""

Source = Literal["past", "nearest", "measured"]
"""What an estimate is from: runs of the same cell, runs of another length, or a measurement."""


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What one run is expected to cost on a device that it has for itself; ``None`` is not
    known."""

    source: Source
    epoch_seconds: float
    """Time of one epoch, with its evaluation."""
    run_seconds: float | None
    """Time of a whole run, early stopping included."""
    memory_mib: float | None
    """Peak memory on the run's device."""


def cost_key(spec: RunSpec) -> str:
    """Return a key that is equal for runs whose epochs must cost the same."""
    settings = cost_settings(spec.model_dump(mode="json"))
    tests = spec.trial is None
    return json.dumps([spec.dataset, spec.length, tests, settings], sort_keys=True)


def estimate_from_past(
    con: sqlite3.Connection, spec: RunSpec, slots: Sequence[Slot]
) -> CostEstimate | None:
    """Estimate from the store's runs on this hardware; ``None`` if none was like this one.

    Args:
        slots: those that runs take; where some share a device, runs that did so tell most.
    """
    slot = slots[0]
    hardware = Hardware(slot.device, slot.title, slot.threads, slot.processes)
    found = past_cost(con, spec, hardware, packed=max(shares(slots)) > 1)
    if found is None:
        return None
    source: Source = "past" if found.length == spec.length else "nearest"
    factor = slowdown(found.at_once)
    return CostEstimate(
        source,
        found.epoch_seconds / factor,
        found.run_seconds and found.run_seconds / factor,
        found.memory_mib,
    )


class MeasuringProcess:
    """A measurement of one run's cost that is under way, in a process of its own."""

    def __init__(self, spec: RunSpec, slot: Slot) -> None:
        """Start measuring.

        Raises:
            OSError: the process can't be started.
        """
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
        lower_priority(self._process.pid, MEASURE_NICENESS)

    @property
    def pid(self) -> int:
        """The pid of the measuring process."""
        return self._process.pid

    def result(self) -> CostEstimate:
        """Wait for the process and return what it measured.

        Raises:
            TrainingError: it failed, was stopped, or took longer than `MEASURE_SECONDS`.
        """
        try:
            text, _ = self._process.communicate(
                self._spec.model_dump_json(), timeout=MEASURE_SECONDS
            )
            answer = json.loads(text)
        except subprocess.TimeoutExpired:
            self.stop()
            self._process.communicate()
            raise TrainingError("measure", "Measuring took too long.") from None
        except (OSError, ValueError):
            raise TrainingError("measure", "Measuring was interrupted.") from None
        if "problem" in answer:
            raise TrainingError("measure", str(answer["problem"]))
        return CostEstimate("measured", answer["epoch_seconds"], None, answer["memory_mib"])

    def stop(self) -> None:
        """Kill the process; a thread that waits in `result` gets a `TrainingError`."""
        self._process.kill()


def peak_memory(memories: Sequence[float], at_once: int) -> float:
    """Return the memory of the largest runs that may meet on one device, ``at_once`` of them."""
    return sum(heapq.nlargest(at_once, memories))

"""The driver's figures as the app reads them, beside what ``nvidia-smi`` says at the same time;
the supervisor's slots; a worker's view of its GPU; a foreign process that is seen.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.gpu.report import Part
from engine.config import Slots
from engine.scheduling.slots import detect_slots
from engine.telemetry import GpuSample, Sampler

SAMPLES = 12
SECONDS = 0.5
"""Between samples; the driver's own period is a sixth of a second or more."""

FIELDS = {
    "utilization.gpu": "utilization",
    "memory.used": "memory_used_mib",
    "memory.total": "memory_total_mib",
    "power.draw": "power_w",
    "temperature.gpu": "temperature_c",
}
"""What ``nvidia-smi`` calls the fields of `GpuSample`."""

LOAD = """
import torch
a = torch.randn(4096, 4096, device="cuda", dtype=torch.bfloat16)
print("ready", flush=True)
while True:
    for _ in range(50):
        b = a @ a
    torch.cuda.synchronize()
"""
"""A foreign process: it is none of seqbench's, and keeps the GPU busy."""

SEES = "import torch; d = torch.cuda; print(d.device_count(), d.get_device_properties(0).uuid)"


def telemetry() -> Part:
    part = Part("Telemetry", ["figure", "seqbench, median", "nvidia-smi, median", "apart at most"])
    sampler = Sampler()
    try:
        with foreign_process() as pid:
            pairs = [_at_once(sampler) for _ in range(SAMPLES)]
            seen = dict(pairs[-1][0].processes)
    finally:
        sampler.close()
    for name, attribute in FIELDS.items():
        ours = [getattr(sample, attribute) for sample, _ in pairs]
        theirs = [told[name] for _, told in pairs]
        part.rows.append(_compared(name, ours, theirs))
    foreign = (
        "seen" if pid in seen else "not seen by its number (a container has numbers of its own)"
    )
    memory = seen.get(pid) if pid in seen else next(iter(seen.values()), None)
    told = "memory n/a" if memory is None else f"{memory:,.0f} MiB"
    part.notes.append(f"{len(seen)} process on the GPU: the foreign one is {foreign}, {told}.")
    part.notes.append(_slots())
    return part


@contextmanager
def foreign_process() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", LOAD], stdout=subprocess.PIPE, text=True) as load:
        try:
            assert load.stdout is not None
            load.stdout.readline()
            time.sleep(1.0)
            yield load.pid
        finally:
            load.kill()


def _at_once(sampler: Sampler) -> tuple[GpuSample, dict[str, float | None]]:
    """The first GPU as both see it, one straight after the other."""
    time.sleep(SECONDS)
    command = ["nvidia-smi", f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader,nounits"]
    ours = sampler.sample().gpus[0]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    words = told.splitlines()[0].split(", ")
    return ours, {name: _number(word) for name, word in zip(FIELDS, words, strict=True)}


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _compared(name: str, ours: list[Any], theirs: list[Any]) -> dict[str, Any]:
    both = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None]
    apart = max((abs(a - b) for a, b in both), default=None)
    return {"figure": name, "seqbench": _median(ours), "smi": _median(theirs), "apart": apart}


def _median(values: list[Any]) -> float | None:
    told = sorted(float(value) for value in values if value is not None)
    return told[len(told) // 2] if told else None


def _slots() -> str:
    """The supervisor's slots, and what a worker in the first of them sees."""
    slots = detect_slots(Slots(gpu=2))
    first = slots[0]
    if first.visible is None:
        return f"Slots: {', '.join(slot.name for slot in slots)}: none is on a GPU."
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": first.visible}
    command = [sys.executable, "-c", SEES]
    seen = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    count, uuid = seen.stdout.split()
    right = count == "1" and first.visible.removeprefix("GPU-") == uuid.removeprefix("GPU-")
    return (
        f"Slots: {', '.join(slot.name for slot in slots)}. A worker in the first sees {count} GPU, "
        f"{'the right one' if right else f'another one ({uuid})'}."
    )

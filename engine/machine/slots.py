"""Slots: what one run at a time trains on, a share of the GPUs or of the CPU's cores."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.config import Slots
from engine.limits import Limits, process_limits
from engine.machine.gpus import Gpu, usable_gpus

MOST_GPU_RUNS = 8
"""Slots of each GPU where the settings say ``gpu: auto``: the most runs at once."""

CORES_PER_CPU_RUN = 4
"""Cores for each slot where the settings say ``cpu: auto``."""

LEAST_CPU_RUN = 512 * 2**20
"""Bytes that a process which trains on the CPU needs at least: torch and a small data set."""

log = logging.getLogger("seqbench")


@dataclass(frozen=True, slots=True)
class Slot:
    """What one run at a time trains on."""

    name: str
    """``cpu/0`` or ``GPU-…/0``: the same for every supervisor on one machine."""
    device: str
    """``cpu`` or ``cuda``, as the worker's option has it."""
    title: str
    """``CPU`` or the GPU's name, to be shown."""
    threads: int
    """Threads of each process."""
    visible: str | None = None
    """``CUDA_VISIBLE_DEVICES`` of the slot's worker; ``None`` leaves it unset."""
    processes: int = 1
    """Processes that train one run together; on ``cuda`` each has a GPU of its own."""


def detect_slots(
    settings: Slots,
    environment: Mapping[str, str] = os.environ,
    limits: Limits | None = None,
) -> list[Slot]:
    """Return the slots of this machine, at least one. GPUs that stay unused are logged.

    Args:
        limits: what the runs may use together; by default what this process may.
    """
    limits = limits or process_limits()
    usable = usable_gpus(environment)
    for note in (usable.note, unused_gpus_note(settings, len(usable.gpus))):
        if note:
            log.warning("%s", note)
    return divide(settings, usable.gpus, limits.cores, limits.memory)


def unused_gpus_note(settings: Slots, gpus: int) -> str | None:
    """Return a sentence on GPUs that don't suffice for ``gpus_per_run``; ``None`` if all are used.

    Args:
        gpus: the number of GPUs.
    """
    each = settings.gpus_per_run
    if 0 < gpus < each:
        return f"gpus_per_run is {each}, but there are {gpus} GPUs: a run uses those."
    if gpus % each:
        return f"{gpus % each} of {gpus} GPUs are unused, because gpus_per_run is {each}."
    return None


def divide(
    settings: Slots, gpus: Sequence[Gpu], cores: int, memory: int | None = None
) -> list[Slot]:
    """Divide the GPUs into slots, or the CPU if there are none.

    Each group of ``gpus_per_run`` GPUs has ``settings.gpu`` slots; with ``auto``, a GPU has
    `MOST_GPU_RUNS`, and a group of several one. A last group that is smaller is left out; if it is
    the only one, a run trains on that.

    Args:
        memory: bytes that the runs on the CPU may use together; ``None`` is no limit.
    """
    if gpus:
        processes = min(settings.gpus_per_run, len(gpus))
        groups = [gpus[first : first + processes] for first in range(0, len(gpus), processes)]
        groups = [group for group in groups if len(group) == processes]
        if settings.gpu == "auto":  # the runs of one GPU are one process, which the GPU keeps busy
            count, sharing = MOST_GPU_RUNS if processes == 1 else 1, 1
        else:
            count = sharing = settings.gpu
        threads = max(1, cores // (len(groups) * processes * sharing))
        return [_gpu_slot(group, number, threads) for number in range(count) for group in groups]
    processes = settings.processes_per_run
    count = settings.cpu if settings.cpu != "auto" else _cpu_runs(cores, memory, processes)
    threads = max(1, cores // (count * processes))
    return [
        Slot(f"cpu/{number}", "cpu", "CPU", threads, processes=processes) for number in range(count)
    ]


def _cpu_runs(cores: int, memory: int | None, processes: int) -> int:
    """Return how many runs, each of ``processes``, fit the cores and the memory at once."""
    by_cores = cores // (CORES_PER_CPU_RUN * processes)
    by_memory = by_cores if memory is None else int(memory // (LEAST_CPU_RUN * processes))
    return max(1, min(by_cores, by_memory))


def _gpu_slot(gpus: Sequence[Gpu], number: int, threads: int) -> Slot:
    visible = ",".join(gpu.visible for gpu in gpus)
    title = gpus_title(gpus[0].title, len(gpus))
    return Slot(f"{visible}/{number}", "cuda", title, threads, visible, len(gpus))


def gpus_title(title: str, gpus: int) -> str:
    """Return the name of one GPU, or of several alike: ``2 × NVIDIA H100``."""
    return title if gpus == 1 else f"{gpus} × {title}"

"""Slots: what one run at a time trains on, a share of the GPUs or of the CPU's cores."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.config import Slots
from engine.machine.telemetry import gpu_names

CORES_PER_CPU_RUN = 4
"""Cores for each slot where the settings say ``cpu: auto``."""

log = logging.getLogger("seqbench")

_VISIBLE = "CUDA_VISIBLE_DEVICES"


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


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU that runs may train on."""

    visible: str
    """Its entry in ``CUDA_VISIBLE_DEVICES``: the UUID, or the entry that was inherited."""
    title: str


def detect_slots(
    settings: Slots, environment: Mapping[str, str] = os.environ, cores: int | None = None
) -> list[Slot]:
    """Return the slots of this machine, at least one. GPUs that stay unused are logged.

    Args:
        cores: the cores to divide; by default those that this process may use.
    """
    cores = cores or len(os.sched_getaffinity(0))
    gpus = allowed_gpus([Gpu(uuid, name) for uuid, name in gpu_names().items()], environment)
    if note := unused_gpus_note(settings, len(gpus)):
        log.warning("%s", note)
    return divide(settings, gpus, cores)


def unused_gpus_note(settings: Slots, gpus: int) -> str | None:
    """Return a sentence on GPUs that don't suffice for ``gpus_per_run``; ``None`` if all are used.

    Args:
        gpus: the number of GPUs.
    """
    each = settings.gpus_per_run
    if 0 < gpus < each:
        return f"gpus_per_run is {each}, and there are {gpus} GPUs: a run takes those."
    if gpus % each:
        return f"{gpus % each} of {gpus} GPUs stay unused, because gpus_per_run is {each}."
    return None


def divide(settings: Slots, gpus: Sequence[Gpu], cores: int) -> list[Slot]:
    """Divide the GPUs into slots, or the CPU if there are none.

    Each group of ``gpus_per_run`` GPUs has ``settings.gpu`` slots. A last group that is smaller is
    left out; if it is the only one, a run trains on that.
    """
    if gpus:
        processes = min(settings.gpus_per_run, len(gpus))
        groups = [gpus[first : first + processes] for first in range(0, len(gpus), processes)]
        groups = [group for group in groups if len(group) == processes]
        threads = max(1, cores // (len(groups) * processes * settings.gpu))
        return [
            _gpu_slot(group, number, threads) for number in range(settings.gpu) for group in groups
        ]
    processes = settings.processes_per_run
    auto = max(1, cores // (CORES_PER_CPU_RUN * processes))
    count = auto if settings.cpu == "auto" else settings.cpu
    threads = max(1, cores // (count * processes))
    return [
        Slot(f"cpu/{number}", "cpu", "CPU", threads, processes=processes) for number in range(count)
    ]


def _gpu_slot(gpus: Sequence[Gpu], number: int, threads: int) -> Slot:
    visible = ",".join(gpu.visible for gpu in gpus)
    title = gpus_title(gpus[0].title, len(gpus))
    return Slot(f"{visible}/{number}", "cuda", title, threads, visible, len(gpus))


def gpus_title(title: str, gpus: int) -> str:
    """Return the name of one GPU, or of several alike: ``2 × NVIDIA H100``."""
    return title if gpus == 1 else f"{gpus} × {title}"


def allowed_gpus(gpus: Sequence[Gpu], environment: Mapping[str, str]) -> list[Gpu]:
    """Return the GPUs that this environment lets us use.

    An inherited ``CUDA_VISIBLE_DEVICES`` is the whole list, and its entries are kept as they are:
    an index there counts in CUDA's order, which isn't the driver's. Inside a Slurm job without
    it no GPU was allocated, whatever the driver shows.
    """
    if not gpus:
        return []
    inherited = environment.get(_VISIBLE)
    if inherited is None:
        return [] if "SLURM_JOB_ID" in environment else list(gpus)
    allowed: list[Gpu] = []
    for entry in inherited.split(","):
        name = entry.strip()
        if not _names_device(name):
            break  # CUDA too stops at the first entry that is none
        known = [gpu.title for gpu in gpus if name.startswith("GPU-") and name in gpu.visible]
        allowed.append(Gpu(name, known[0] if known else gpus[0].title))
    return allowed


def _names_device(name: str) -> bool:
    return name.isdecimal() or name.startswith(("GPU-", "MIG-"))

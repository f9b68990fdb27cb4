"""Places to run in: so many on each GPU, or so many on the CPU, with its cores divided."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from engine.config import Slots

CORES_PER_CPU_RUN = 4
"""``cpu: auto`` gives one slot for so many cores."""

log = logging.getLogger("seqbench")

_VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class Slot:
    """One run at a time."""

    name: str
    """Stays the same from supervisor to supervisor on one machine: ``cpu/0``, ``GPU-…/0``."""
    device: str
    """``cpu`` or ``cuda``, as the worker takes it."""
    title: str
    """For people: ``CPU`` or the GPU's name."""
    threads: int
    visible: str | None = None
    """``CUDA_VISIBLE_DEVICES`` of a worker here."""
    processes: int = 1
    """So many train one run together, each with ``threads`` threads, and a GPU on ``cuda``."""


@dataclass(frozen=True, slots=True)
class Gpu:
    visible: str
    """What ``CUDA_VISIBLE_DEVICES`` calls it: its UUID, or as it was called there already."""
    title: str


def detect_slots(
    settings: Slots, environment: Mapping[str, str] = os.environ, cores: int | None = None
) -> list[Slot]:
    """The slots of this machine; there is always one at least. GPUs left over are logged."""
    cores = cores or len(os.sched_getaffinity(0))
    gpus = allowed_gpus(_gpus(), environment)
    if said := left_over(settings, len(gpus)):
        log.warning("%s", said)
    return divide(settings, gpus, cores)


def left_over(settings: Slots, gpus: int) -> str | None:
    """What to say where ``gpus_per_run`` doesn't divide the GPUs."""
    each = settings.gpus_per_run
    if 0 < gpus < each:
        return f"gpus_per_run is {each}, and there are {gpus} GPUs: a run takes those."
    if gpus % each:
        return f"{gpus % each} of {gpus} GPUs stay unused, because gpus_per_run is {each}."
    return None


def divide(settings: Slots, gpus: Sequence[Gpu], cores: int) -> list[Slot]:
    """Slots on every GPU, or on every group of GPUs that one run spans; on the CPU where there is
    no GPU. GPUs that are too few for a run are left out, and where all are, a run takes those."""
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
    title = several(gpus[0].title, len(gpus))
    return Slot(f"{visible}/{number}", "cuda", title, threads, visible, len(gpus))


def several(title: str, gpus: int) -> str:
    """Of several GPUs that one run spans."""
    return title if gpus == 1 else f"{gpus} × {title}"


def allowed_gpus(gpus: Sequence[Gpu], environment: Mapping[str, str]) -> list[Gpu]:
    """The GPUs that this environment lets us use.

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


def _gpus() -> list[Gpu]:
    import pynvml

    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError, OSError):
        return []
    found = []
    try:
        for index in range(pynvml.nvmlDeviceGetCount()):
            with suppress(pynvml.NVMLError):  # this one is lost; the others work
                handle = pynvml.nvmlDeviceGetHandleByIndex(index)
                uuid, name = pynvml.nvmlDeviceGetUUID(handle), pynvml.nvmlDeviceGetName(handle)
                found.append(Gpu(_text(uuid), _text(name)))
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()
    return found


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value

"""What each device does: its load, the runs in its slots, and the processes that aren't ours."""

from __future__ import annotations

import os
import socket
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from psutil import pid_exists

from engine.machine.busyprocesses import Foreign, describe
from engine.machine.slots import Slot
from engine.machine.telemetry import GpuSample, Sample
from engine.process import parent_of
from engine.store.occupants import Occupant
from engine.store.queries import Run, Supervisor


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """A GPU, or the CPU, at one moment. A figure that isn't known is ``None``."""

    label: str
    """``GPU 0``, or ``GPU`` where the driver's number isn't known, or ``CPU``."""
    title: str
    slots: tuple[Run | None, ...]
    """What is in each; ``None``: it is free."""
    utilization: float | None
    """Per cent."""
    memory_used_mib: float | None
    memory_total_mib: float | None
    load: float | None = None
    """Of the CPU: runnable processes, mean over a minute."""
    cores: int | None = None
    foreign: tuple[Foreign, ...] = ()
    names: tuple[str, ...] = ()
    """Of the slots."""


def slots_of(supervisor: Supervisor) -> list[Slot]:
    """The slots that a supervisor works with."""
    return [
        Slot(
            name=slot["name"],
            device=slot["device"],
            title=slot["title"],
            threads=slot["threads"],
            visible=slot["name"].rpartition("/")[0] if slot["device"] == "cuda" else None,
            processes=slot.get("processes", 1),
        )
        for slot in supervisor.slots
    ]


def device_uses(
    slots: Sequence[Slot],
    sample: Sample,
    occupants: Sequence[Occupant],
    busy: Sequence[Foreign] = (),
    environment: Mapping[str, str] = os.environ,
) -> list[DeviceUse]:
    """Every device that has slots, in the order of the slots; a slot of several GPUs is in each.

    Args:
        busy: processes that keep the CPU busy and aren't ours.
    """
    host = socket.gethostname()
    here = [one for one in occupants if one.host in (None, host)]
    placed = _place(slots, here)
    devices: dict[str, list[Slot]] = {}
    for slot in slots:
        for visible in (slot.visible or slot.device).split(","):
            devices.setdefault(visible, []).append(slot)
    uses = []
    for visible, its in devices.items():
        inside = tuple(placed.get(slot.name) for slot in its)
        runs = tuple(one.run if one else None for one in inside)
        if its[0].device == "cpu":
            use = _cpu(sample, runs, tuple(busy))
        else:
            gpu = gpu_of(visible, sample.gpus, environment)
            spread = [slot.processes > 1 for slot in its]
            started = {
                one.pid
                for one, many in zip(inside, spread, strict=True)
                if one and one.pid and many
            }
            use = _gpu(gpu, its[0].title, runs, inside, here, started)
        uses.append(replace(use, names=tuple(slot.name for slot in its)))
    return uses


def gpu_of(
    visible: str, gpus: Sequence[GpuSample], environment: Mapping[str, str] = os.environ
) -> GpuSample | None:
    """The driver's GPU that ``CUDA_VISIBLE_DEVICES`` calls so; ``None`` where that isn't certain.

    CUDA counts the fastest first unless told otherwise, the driver by bus: with GPUs of one kind
    that is the same.
    """
    if visible.isdecimal():
        alike = len({gpu.name for gpu in gpus}) == 1
        by_bus = environment.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
        index = int(visible)
        return gpus[index] if index < len(gpus) and (alike or by_bus) else None
    found = [gpu for gpu in gpus if gpu.uuid.startswith(visible)]
    return found[0] if len(found) == 1 else None


def _place(slots: Sequence[Slot], occupants: Iterable[Occupant]) -> dict[str, Occupant]:
    """Every run in its slot; one without takes a free one, as the supervisor has it."""
    placed: dict[str, Occupant] = {}
    homeless = []
    names = {slot.name for slot in slots}
    for one in occupants:
        if one.slot in names and one.slot not in placed:
            placed[one.slot] = one
        else:
            homeless.append(one)
    free = [slot.name for slot in slots if slot.name not in placed]
    return placed | dict(zip(free, homeless, strict=False))


def _cpu(sample: Sample, runs: tuple[Run | None, ...], busy: tuple[Foreign, ...]) -> DeviceUse:
    host = sample.host
    return DeviceUse(
        label="CPU",
        title="",
        slots=runs,
        utilization=host.cpu_percent,
        memory_used_mib=host.memory_used_mib,
        memory_total_mib=host.memory_total_mib,
        load=host.load,
        cores=host.cores,
        foreign=busy,
    )


def _gpu(
    gpu: GpuSample | None,
    title: str,
    runs: tuple[Run | None, ...],
    inside: Iterable[Occupant | None],
    occupants: Iterable[Occupant],
    started: Container[int | None],
) -> DeviceUse:
    """``started``: processes whose children train, rather than themselves."""
    if gpu is None:
        return DeviceUse("GPU", title, runs, None, None, None)
    ours = {one.pid for one in occupants}
    foreign = [
        process
        for process in gpu.processes
        if process[0] not in ours and parent_of(process[0]) not in started
    ]
    # In a container the driver tells the host's process ids: ours are among those unknown here.
    seen = {pid for pid, _ in gpu.processes}
    hidden = sum(one is not None and one.pid not in seen for one in inside)
    for process in [process for process in foreign if not pid_exists(process[0])][:hidden]:
        foreign.remove(process)
    return DeviceUse(
        label=f"GPU {gpu.index}",
        title=gpu.name,
        slots=runs,
        utilization=gpu.utilization,
        memory_used_mib=gpu.memory_used_mib,
        memory_total_mib=gpu.memory_total_mib,
        foreign=tuple(describe(pid, memory_mib=memory) for pid, memory in foreign),
    )

"""How each device is used: its load, the runs in its slots, and foreign processes."""

from __future__ import annotations

import os
import socket
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from psutil import pid_exists

from engine.machine.busyprocesses import ForeignProcess, describe
from engine.machine.gpus import uuid_of
from engine.machine.slots import Slot
from engine.machine.telemetry import GpuSample, Sample
from engine.process import parent_of
from engine.store.queries import Occupant, Run, Supervisor


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """The use of a GPU or of the CPU at one moment; ``None`` is not known."""

    label: str
    """``GPU 0``, or ``GPU`` where the driver's number isn't known, or ``CPU``."""
    title: str
    slots: tuple[Run | None, ...]
    """The run in each slot; ``None`` for a free slot."""
    utilization: float | None
    """Per cent of the device."""
    memory_used_mib: float | None
    memory_total_mib: float | None
    load: float | None = None
    """The CPU's load average of the last minute."""
    cores: int | None = None
    """The CPU's cores."""
    foreign: tuple[ForeignProcess, ...] = ()
    names: tuple[str, ...] = ()
    """The names of the slots."""


def slots_of(supervisor: Supervisor) -> list[Slot]:
    """Return the slots of a running supervisor."""
    return [
        Slot(
            **slot,
            visible=slot["name"].rpartition("/")[0] if slot["device"] == "cuda" else None,
        )
        for slot in supervisor.slots
    ]


def companions(occupants: Sequence[Occupant], run: str) -> list[Run]:
    """Return the runs that the process of a run trains, this one included; none if it isn't in
    training, or its process isn't known."""
    processes = {one.run.id: (one.host, one.pid) for one in occupants if one.pid is not None}
    own = processes.get(run)
    return [one.run for one in occupants if own and processes.get(one.run.id) == own]


def part_of(run: Run, together: Iterable[Run]) -> float | None:
    """Return which part of the updates of runs that share a device one of them makes; ``None``
    unless that is known of all."""
    paces = [each.pace for each in together]
    known = [pace for pace in paces if pace is not None]
    if run.pace is None or len(known) < max(len(paces), 2):
        return None
    return run.pace / sum(known)


def device_uses(
    slots: Sequence[Slot],
    sample: Sample,
    occupants: Sequence[Occupant],
    busy: Sequence[ForeignProcess] = (),
    environment: Mapping[str, str] = os.environ,
) -> list[DeviceUse]:
    """Return the use of every device that has slots, in the order of the slots.

    Args:
        occupants: the runs in training; those on another host are left out.
        busy: foreign processes that keep the CPU busy.
    """
    host = socket.gethostname()
    here = [one for one in occupants if one.host in (None, host)]
    placed = _assign(slots, here)
    devices: dict[str, list[Slot]] = {}
    for slot in slots:
        for visible in (slot.visible or slot.device).split(","):
            devices.setdefault(visible, []).append(slot)
    names = {gpu.uuid: gpu.name for gpu in sample.gpus}
    uses = []
    for visible, its in devices.items():
        inside = tuple(placed.get(slot.name) for slot in its)
        runs = tuple(one.run if one else None for one in inside)
        if its[0].device == "cpu":
            use = _cpu(sample, runs, tuple(busy))
        else:
            uuid = uuid_of(visible, names, environment)
            gpu = next((each for each in sample.gpus if each.uuid == uuid), None)
            spread = [slot.processes > 1 for slot in its]
            started = {
                one.pid
                for one, many in zip(inside, spread, strict=True)
                if one and one.pid and many
            }
            use = _gpu(gpu, its[0].title, runs, inside, here, started)
        uses.append(replace(use, names=tuple(slot.name for slot in its)))
    return uses


def _assign(slots: Sequence[Slot], occupants: Iterable[Occupant]) -> dict[str, Occupant]:
    """Return the run in each slot, by the slot's name.

    A run whose slot isn't known, or is taken, gets a free one, as the supervisor does it.
    """
    placed: dict[str, Occupant] = {}
    unplaced = []
    names = {slot.name for slot in slots}
    for one in occupants:
        if one.slot in names and one.slot not in placed:
            placed[one.slot] = one
        else:
            unplaced.append(one)
    free = [slot.name for slot in slots if slot.name not in placed]
    return placed | dict(zip(free, unplaced, strict=False))


def _cpu(
    sample: Sample, runs: tuple[Run | None, ...], busy: tuple[ForeignProcess, ...]
) -> DeviceUse:
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
    """Return the use of a GPU, on which a process is foreign if no run is known for it.

    Args:
        started: pids of the processes, ``torchrun``, whose children train.
    """
    if gpu is None:
        return DeviceUse("GPU", title, runs, None, None, None)
    ours = {one.pid for one in occupants}
    foreign = [
        process
        for process in gpu.processes
        if process.pid not in ours and parent_of(process.pid) not in started
    ]
    # In a container the driver shows the host's pids: ours are among those unknown here.
    seen = {process.pid for process in gpu.processes}
    hidden = len({one.pid for one in inside if one is not None} - seen)
    for process in [process for process in foreign if not pid_exists(process.pid)][:hidden]:
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

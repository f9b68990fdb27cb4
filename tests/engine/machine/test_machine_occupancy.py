"""Which run is in which slot, and whose processes are on the device besides."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.config import Slots
from engine.machine.busyprocesses import BusyProcesses, describe
from engine.machine.gpus import Gpu
from engine.machine.occupancy import device_uses
from engine.machine.slots import divide
from engine.machine.telemetry import GpuProcess, GpuSample, HostSample, Sample
from engine.store.queries import Occupant, Run

HOST = HostSample(43.0, 6_144.0, 24_576.0, 1.5, 8)
NOWHERE = 2**22 + 17
"""No process has this id: it is beyond the kernel's largest."""


def run(name: str) -> Run:
    return Run(
        name, "sasrec", "synthetic", 50, 1, "reference", None, "f" * 12, "running", 1, 0.0, 0.0,
        None, 1, 0, None, 3, 10, 30, 10, 1.0, 79_113, 3, 0.1, None, None, "",
    )  # fmt: skip


def gpu(index: int, *processes: tuple[int, float | None], name: str = "NVIDIA H100") -> GpuSample:
    shown = tuple(GpuProcess(*process) for process in processes)
    return GpuSample(
        index, f"GPU-{index}{index}-aa", name, 80.0, 12_288.0, 81_920.0, None, None, None, shown
    )


def inside(
    name: str, slot: str | None, pid: int | None = None, host: str | None = None
) -> Occupant:
    return Occupant(run(name), slot, pid, host)


GPUS = [Gpu("GPU-00-aa", "NVIDIA H100"), Gpu("GPU-11-aa", "NVIDIA H100")]


def test_each_gpu_has_its_own_load_and_runs() -> None:
    slots = divide(Slots(gpu=2), GPUS, 16)
    sample = Sample(0.0, HOST, (gpu(0), replace(gpu(1), utilization=None)), None)
    uses = device_uses(slots, sample, [inside("b", "GPU-11-aa/1"), inside("a", "GPU-00-aa/0")])
    assert [use.label for use in uses] == ["GPU 0", "GPU 1"]
    assert [[r and r.id for r in use.slots] for use in uses] == [["a", None], [None, "b"]]
    assert [use.utilization for use in uses] == [80.0, None]
    assert uses[0].memory_total_mib == 81_920.0


def test_a_run_without_a_known_slot_takes_a_free_one() -> None:
    slots = divide(Slots(cpu=2), [], 8)
    [use] = device_uses(
        slots, Sample(0.0, HOST, (), None), [inside("x", "gone/7"), inside("y", "cpu/0")]
    )
    assert [r and r.id for r in use.slots] == ["y", "x"]
    assert (use.label, use.utilization, use.load, use.cores) == ("CPU", 43.0, 1.5, 8)


def test_runs_of_another_host_are_in_none_of_our_slots() -> None:
    slots = divide(Slots(cpu=1), [], 8)
    sample = Sample(0.0, HOST, (), None)
    [use] = device_uses(slots, sample, [inside("x", "cpu/0", host="elsewhere")])
    assert use.slots == (None,)
    [use] = device_uses(slots, sample, [inside("x", "cpu/0", host=socket.gethostname())])
    assert use.slots != (None,)


def test_a_run_that_spans_gpus_is_in_each_and_its_processes_are_ours(spinning: int) -> None:
    slots = divide(Slots(gpus_per_run=2), GPUS[:2], 16)
    both = tuple(gpu(number, (spinning, 900.0)) for number in range(2))
    run = inside("a", slots[0].name, os.getpid())  # which started the other
    uses = device_uses(slots, Sample(0.0, HOST, both, None), [run])
    assert [use.label for use in uses] == ["GPU 0", "GPU 1"]
    assert [use.slots for use in uses] == [(run.run,)] * 2
    assert [use.foreign for use in uses] == [()] * 2


def test_processes_that_are_not_ours_are_named(spinning: int) -> None:
    slots = divide(Slots(), GPUS[:1], 16)
    sample = Sample(0.0, HOST, (gpu(0, (os.getpid(), 900.0), (spinning, 31_744.0)),), None)
    [use] = device_uses(slots, sample, [inside("a", "GPU-00-aa/0", os.getpid())])
    [process] = use.foreign
    assert (process.pid, process.memory_mib) == (spinning, 31_744.0)
    assert process.name == "spin.py"


def test_in_a_container_our_own_process_is_not_taken_for_another() -> None:
    """The driver then tells ids of the host: ours is one of those that aren't known here."""
    slots = divide(Slots(), GPUS[:1], 16)
    sample = Sample(0.0, HOST, (gpu(0, (NOWHERE, 900.0), (NOWHERE + 1, None)),), None)
    [use] = device_uses(slots, sample, [inside("a", "GPU-00-aa/0", 4242)])
    assert len(use.foreign) == 1
    assert use.foreign[0].name is None
    [use] = device_uses(slots, sample, [])
    assert len(use.foreign) == 2


def test_what_the_driver_does_not_tell_is_unknown() -> None:
    slots = divide(Slots(), [Gpu("3", "NVIDIA A100")], 16)
    [use] = device_uses(slots, Sample(0.0, HOST, (gpu(0),), None), [], environment={})
    assert (use.label, use.title, use.utilization, use.memory_used_mib) == (
        "GPU", "NVIDIA A100", None, None,
    )  # fmt: skip


@pytest.fixture
def spinning(tmp_path: Path) -> Iterator[int]:
    """A process that uses the CPU as much as it gets."""
    script = tmp_path / "spin.py"
    script.write_text("print(flush=True)\nwhile True: pass\n")
    with subprocess.Popen([sys.executable, "-X", "utf8", script], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        yield child.pid
        child.kill()


def test_a_busy_process_is_found_and_ours_are_not(spinning: int) -> None:
    processes = BusyProcesses()
    processes.look(())
    end = time.monotonic() + 120
    found: dict[int, float | None] = {}
    while spinning not in found:
        assert time.monotonic() < end, "it is never seen"
        time.sleep(0.05)
        found = {one.pid: one.cpu_percent for one in processes.look((), at_most=1000)}
    assert (found[spinning] or 0) >= 5
    assert describe(spinning).name == "spin.py"
    for _ in range(5):
        time.sleep(0.05)
        # Ours, and so is what we started.
        assert spinning not in {one.pid for one in processes.look({os.getpid()}, at_most=1000)}


def test_a_process_that_is_gone_has_no_name() -> None:
    assert describe(NOWHERE) == describe(NOWHERE, None, None)
    assert describe(NOWHERE).name is None

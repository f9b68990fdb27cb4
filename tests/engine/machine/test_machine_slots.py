from __future__ import annotations

import subprocess
import sys

import pytest

from engine.config import Slots
from engine.limits import Limits
from engine.machine.gpus import Gpu
from engine.machine.slots import MOST_GPU_RUNS, detect_slots, divide, unused_gpus_note

A = Gpu("GPU-aaaa", "NVIDIA A")
B = Gpu("GPU-bbbb", "NVIDIA B")


@pytest.mark.parametrize(
    ("settings", "cores", "count", "threads"),
    [
        (Slots(), 1, 1, 1),
        (Slots(), 4, 1, 4),
        (Slots(), 16, 4, 4),
        (Slots(), 18, 4, 4),
        (Slots(cpu=2), 2, 2, 1),
        (Slots(cpu=8), 2, 8, 1),
        (Slots(cpu=3, gpu=9), 12, 3, 4),
    ],
)
def test_without_a_gpu_the_cores_are_divided(
    settings: Slots, cores: int, count: int, threads: int
) -> None:
    slots = divide(settings, [], cores)
    assert [slot.name for slot in slots] == [f"cpu/{number}" for number in range(count)]
    assert {(slot.device, slot.threads, slot.visible) for slot in slots} == {("cpu", threads, None)}


def test_a_run_may_span_several_gpus() -> None:
    slots = divide(Slots(gpu=2, gpus_per_run=2), [A, B, Gpu("GPU-cccc", "NVIDIA A")], 16)
    assert [slot.name for slot in slots] == ["GPU-aaaa,GPU-bbbb/0", "GPU-aaaa,GPU-bbbb/1"]
    assert {(slot.visible, slot.processes) for slot in slots} == {("GPU-aaaa,GPU-bbbb", 2)}
    assert {(slot.title, slot.threads) for slot in slots} == {("2 × NVIDIA A", 4)}


def test_a_run_takes_the_gpus_that_there_are() -> None:
    (slot,) = divide(Slots(gpus_per_run=4), [A, B], 8)
    assert (slot.visible, slot.processes, slot.threads) == ("GPU-aaaa,GPU-bbbb", 2, 4)


@pytest.mark.parametrize(
    ("each", "gpus", "said"),
    [
        (1, 3, None),
        (2, 4, None),
        (2, 0, None),
        (2, 5, "1 of 5 GPUs are unused, because gpus_per_run is 2."),
        (4, 2, "gpus_per_run is 4, but there are 2 GPUs: a run uses those."),
    ],
)
def test_gpus_that_are_left_over_are_said(each: int, gpus: int, said: str | None) -> None:
    assert unused_gpus_note(Slots(gpus_per_run=each), gpus) == said


def test_a_run_may_span_several_processes_of_a_cpu() -> None:
    slots = divide(Slots(processes_per_run=2), [], 16)
    assert {(slot.processes, slot.threads) for slot in slots} == {(2, 4)}
    assert len(slots) == 2


def test_gpus_take_turns_before_any_is_shared() -> None:
    slots = divide(Slots(gpu=2, cpu=5), [A, B], 16)
    assert [slot.name for slot in slots] == [
        "GPU-aaaa/0",
        "GPU-bbbb/0",
        "GPU-aaaa/1",
        "GPU-bbbb/1",
    ]
    assert [slot.visible for slot in slots] == ["GPU-aaaa", "GPU-bbbb"] * 2
    assert {(slot.device, slot.threads) for slot in slots} == {("cuda", 4)}


GIB = 2**30


@pytest.mark.parametrize(
    ("settings", "memory", "count", "threads"),
    [
        (Slots(), 256 * GIB, 16, 4),
        (Slots(), 2 * GIB, 4, 16),
        (Slots(), 700 * 2**20, 1, 64),
        (Slots(), 1, 1, 64),
        (Slots(processes_per_run=2), 2 * GIB, 2, 16),
        (Slots(cpu=8), 2 * GIB, 8, 8),
    ],
)
def test_memory_bounds_how_many_runs_go_at_once_unless_their_number_is_said(
    settings: Slots, memory: int, count: int, threads: int
) -> None:
    slots = divide(settings, [], 64, memory)
    assert len(slots) == count
    assert {slot.threads for slot in slots} == {threads}


def test_a_container_s_slots_are_by_its_own_limits() -> None:
    limits = Limits(cores=1, memory=700 * 2**20, allowed=frozenset(range(64)))
    (slot,) = detect_slots(Slots(), {"CUDA_VISIBLE_DEVICES": ""}, limits)
    assert (slot.name, slot.threads) == ("cpu/0", 1)


def test_this_machine_has_a_slot_and_torch_is_not_asked() -> None:
    assert detect_slots(Slots())
    program = (
        "import sys; from engine.config import Slots; from engine.machine.slots import "
        "detect_slots; detect_slots(Slots()); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_a_gpu_has_more_slots_than_runs_may_be_worth_while_on_it() -> None:
    """Of one process each, which has all of the GPU's share of the cores."""
    slots = divide(Slots(), [A, B], 16)
    assert [slot.name for slot in slots[:3]] == ["GPU-aaaa/0", "GPU-bbbb/0", "GPU-aaaa/1"]
    assert len(slots) == 2 * MOST_GPU_RUNS
    assert {slot.threads for slot in slots} == {8}
    assert [slot.processes for slot in divide(Slots(gpus_per_run=2), [A, B], 16)] == [2]

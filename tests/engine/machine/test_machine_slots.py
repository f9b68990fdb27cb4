from __future__ import annotations

import subprocess
import sys

import pytest

from engine.config import Slots
from engine.machine.slots import Gpu, allowed_gpus, detect_slots, divide, unused_gpus_note

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
        (2, 5, "1 of 5 GPUs stay unused, because gpus_per_run is 2."),
        (4, 2, "gpus_per_run is 4, and there are 2 GPUs: a run takes those."),
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


@pytest.mark.parametrize(
    ("environment", "visible"),
    [
        ({}, ["GPU-aaaa", "GPU-bbbb"]),
        ({"CUDA_VISIBLE_DEVICES": "1"}, ["1"]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-bbbb, 0"}, ["GPU-bbbb", "0"]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-bb"}, ["GPU-bb"]),
        ({"CUDA_VISIBLE_DEVICES": "0,-1,1"}, ["0"]),
        ({"CUDA_VISIBLE_DEVICES": "MIG-1234"}, ["MIG-1234"]),
        ({"CUDA_VISIBLE_DEVICES": ""}, []),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, []),
        ({"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, []),
        ({"SLURM_JOB_ID": "7"}, []),
        ({"SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": "0"}, ["0"]),
    ],
)
def test_an_inherited_list_of_gpus_is_the_whole_list(
    environment: dict[str, str], visible: list[str]
) -> None:
    allowed = allowed_gpus([A, B], environment)
    assert [gpu.visible for gpu in allowed] == visible
    assert allowed_gpus([], environment) == []


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

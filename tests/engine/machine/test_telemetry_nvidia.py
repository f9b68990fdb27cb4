"""What NVIDIA's driver tells, through the real `pynvml`: figures, what it doesn't support, a GPU
that is lost in mid-run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from nvidia import Gpu, Machine

A = Gpu("GPU-aaaa", processes=((12, 300), (34, None)))
B = Gpu("GPU-bbbb", "NVIDIA A100-SXM4-40GB", util=0, used=0, total=40_960)

SAMPLING = """
import json, sys
from dataclasses import asdict
from engine.machine.telemetry import Sampler
sampler = Sampler()
for _ in sys.stdin:
    print(json.dumps(asdict(sampler.sample())), flush=True)
sampler.close()
"""


class Sampling:
    """A program that keeps one sampler, as app and worker do."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def sample(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        sample: dict[str, Any] = json.loads(self._process.stdout.readline())
        return sample


@contextmanager
def sampling(machine: Machine) -> Iterator[Sampling]:
    with subprocess.Popen(
        [sys.executable, "-c", SAMPLING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=machine.environment,
    ) as process:
        yield Sampling(process)
    assert process.returncode == 0


def test_every_figure_is_told(nvidia: Machine) -> None:
    nvidia.has(A, B)
    with sampling(nvidia) as program:
        sample = program.sample()
    first, second = sample["gpus"]
    assert sample["gpu_note"] is None
    assert first == {
        "index": 0,
        "uuid": "GPU-aaaa",
        "name": "NVIDIA H100 80GB HBM3",
        "utilization": 45.0,
        "memory_used_mib": 1_024.0,
        "memory_total_mib": 81_559.0,
        "power_w": 350.0,
        "power_limit_w": 700.0,
        "temperature_c": 61,
        "processes": [[12, 300.0], [34, None]],
        "throttle": 0,
    }
    assert (second["utilization"], second["memory_used_mib"]) == (0.0, 0.0), "a true zero is one"
    assert second["processes"] == []


def test_what_is_not_supported_is_none_and_no_zero(nvidia: Machine) -> None:
    """As on a GPU that is divided (MIG), or one of a laptop."""
    nvidia.has(Gpu("GPU-aaaa", util=None, used=None, watts=None, limit_watts=None, temp=None))
    with sampling(nvidia) as program:
        (gpu,) = program.sample()["gpus"]
    told = {key for key, value in gpu.items() if value is not None}
    assert told == {"index", "uuid", "name", "processes", "throttle"}


def test_memory_in_use_is_told_by_an_old_driver_too(nvidia: Machine) -> None:
    nvidia.has(replace(A, old_driver=True))
    with sampling(nvidia) as program:
        (gpu,) = program.sample()["gpus"]
    assert gpu["memory_used_mib"] == 1_024.0


def test_a_gpu_that_is_lost_in_mid_run_goes_quiet_and_the_others_stay(nvidia: Machine) -> None:
    nvidia.has(A, B)
    with sampling(nvidia) as program:
        assert program.sample()["gpus"][0]["utilization"] == 45.0
        nvidia.has(A.gone(), B)
        lost, other = program.sample()["gpus"]
        assert (lost["utilization"], lost["memory_used_mib"], lost["processes"]) == (None, None, [])
        assert (lost["uuid"], lost["name"]) == ("GPU-aaaa", A.name), "it is still known by name"
        assert other["utilization"] == 0.0
        nvidia.has(A, B)
        assert program.sample()["gpus"][0]["utilization"] == 45.0


@pytest.mark.parametrize(
    ("init", "note"),
    [
        (9, "No GPU found; showing CPU and RAM"),
        (
            18,
            "The NVIDIA driver doesn't respond (RM has detected an NVML/RM version mismatch); "
            "showing CPU and RAM",
        ),
        (0, "The NVIDIA driver reports no GPU; showing CPU and RAM"),
    ],
    ids=["absent", "mismatch", "no GPU"],
)
def test_without_gpus_it_says_why(nvidia: Machine, init: int, note: str) -> None:
    nvidia.has(init=init)
    with sampling(nvidia) as program:
        sample = program.sample()
    assert (sample["gpus"], sample["gpu_note"]) == ([], note)
    assert sample["host"]["cores"] >= 1


SLOTS = """
import json
from dataclasses import asdict
from engine.config import Slots
from engine.limits import Limits
from engine.machine.slots import detect_slots
limits = Limits(cores=8, memory=2**40, allowed=frozenset(range(8)))
print(json.dumps([asdict(slot) for slot in detect_slots(Slots(gpu=2), limits=limits)]))
"""


def slots(machine: Machine, **variables: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", SLOTS],
        env=machine.environment | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_slots_are_named_by_uuid(nvidia: Machine) -> None:
    nvidia.has(A, B)
    found = slots(nvidia)
    assert [slot["name"] for slot in found] == [
        "GPU-aaaa/0",
        "GPU-bbbb/0",
        "GPU-aaaa/1",
        "GPU-bbbb/1",
    ]
    assert {(slot["title"], slot["visible"], slot["device"]) for slot in found} == {
        (A.name, "GPU-aaaa", "cuda"),
        (B.name, "GPU-bbbb", "cuda"),
    }


def test_a_lost_gpu_takes_only_its_own_slots_along(nvidia: Machine) -> None:
    nvidia.has(A.gone(), B)
    assert [slot["name"] for slot in slots(nvidia)] == ["GPU-bbbb/0", "GPU-bbbb/1"]


@pytest.mark.parametrize("init", [9, 18])
def test_without_a_driver_runs_train_on_the_cpu(nvidia: Machine, init: int) -> None:
    nvidia.has(A, init=init)
    assert {slot["device"] for slot in slots(nvidia)} == {"cpu"}


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        ("2", ["cpu/0", "cpu/1"]),
        ("0,0", ["0/0", "0/1"]),
        ("GPU-bb", ["GPU-bb/0", "GPU-bb/1"]),
    ],
)
def test_a_list_never_makes_a_slot_of_a_gpu_that_is_not_there_nor_two_of_one(
    nvidia: Machine, listed: str, names: list[str]
) -> None:
    nvidia.has(A, B)
    assert [slot["name"] for slot in slots(nvidia, CUDA_VISIBLE_DEVICES=listed)] == names

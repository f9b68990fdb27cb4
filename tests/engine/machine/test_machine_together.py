"""How long runs take in slots of their own, and in slots that share a GPU."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import Slots
from engine.machine.gpus import Gpu
from engine.machine.slots import divide
from engine.machine.together import SPEEDS, makespan, shares, slowdown, speed

times = st.lists(st.floats(0, 1e6), max_size=50)


def test_runs_go_one_after_the_other_in_each_slot() -> None:
    assert makespan([5, 3, 4], [1]) == 12
    assert makespan([5, 3, 4], [1, 1]) == 7
    assert makespan([5, 3, 4], [1] * 9) == 5
    assert makespan([], [1, 1]) == 0
    assert makespan([5, 3], []) == 8, "one slot at least"


def test_a_gpu_is_shared_by_its_slots() -> None:
    gpus = [Gpu("GPU-a", "NVIDIA H200"), Gpu("GPU-b", "NVIDIA H200")]
    assert shares(divide(Slots(gpu="auto"), gpus, cores=16)) == [8, 8]
    assert shares(divide(Slots(gpu=1), gpus, cores=16)) == [1, 1]
    assert shares(divide(Slots(gpu=2, gpus_per_run=2), gpus, cores=16)) == [2]
    assert shares(divide(Slots(cpu=3), [], cores=16)) == [1, 1, 1]


def test_runs_on_one_gpu_go_as_fast_as_was_measured() -> None:
    for runs, times_as_fast in SPEEDS:
        one_by_one, together = makespan([1.0] * 24, [1]), makespan([1.0] * 24, [runs])
        assert one_by_one / together == pytest.approx(times_as_fast)


def test_a_run_that_is_left_alone_has_the_gpu_for_itself() -> None:
    both = 2 * slowdown(2)
    assert makespan([2.0, 5.0], [8]) == pytest.approx(both + 3)
    assert makespan([2.0, 5.0, 3.0], [2]) == pytest.approx(3 * slowdown(2) + both)


@given(st.floats(1, 20), st.floats(0, 5))
def test_more_at_once_are_faster_together_and_slower_each(runs: float, more: float) -> None:
    assert speed(runs) <= speed(runs + more) <= SPEEDS[-1][1]
    assert slowdown(runs) <= slowdown(runs + more) * (1 + 1e-9)


@given(times, st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_no_device_is_faster_than_it_can_be_and_none_is_idle_meanwhile(
    seconds: list[float], devices: list[int]
) -> None:
    took = makespan(seconds, devices)
    fastest = sum(speed(slots) for slots in devices)
    assert took <= sum(seconds) * (1 + 1e-9)
    assert took >= max([sum(seconds) / fastest, *seconds]) * (1 - 1e-9)

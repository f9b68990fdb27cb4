"""Processor time, of real threads and of files as a kernel has them."""

from __future__ import annotations

import math
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.training.cputime import CpuClock, CpuTime, Free, total

COUNTS = st.integers(0, 10**12)


def tasks(folder: Path, threads: Mapping[int, tuple[int, int] | None]) -> Path:
    """The kernel's folder of threads that ran and waited so many nanoseconds; of None it has no
    file."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        (old / "schedstat").unlink(missing_ok=True)
        old.rmdir()
    for thread, counts in threads.items():
        (folder / str(thread)).mkdir()
        if counts is not None:
            (folder / str(thread) / "schedstat").write_text(f"{counts[0]} {counts[1]} 7\n")
    return folder


def test_waits_are_summed_over_the_threads_that_there_are(tmp_path: Path) -> None:
    second = 10**9
    clock = CpuClock(
        tasks(tmp_path, {1: (5, second), 2: (5, 2 * second), 3: (5, second)}), lambda: Free(0)
    )
    # 2 has ended, 3's number went to a younger one, and 4 began.
    tasks(tmp_path, {1: (6, 3 * second), 3: (1, second // 2), 4: (1, second)})
    assert clock.lap().waited == pytest.approx(2 + 0.5 + 1)
    assert clock.lap().waited == 0


@given(
    looks=st.lists(
        st.tuples(st.floats(0, 9), st.floats(0, 9), st.none() | st.floats(0, 9)), max_size=9
    )
)
def test_a_wait_counts_as_far_as_no_core_was_free_and_the_quota_used_up(
    looks: list[tuple[float, float, float | None]],
) -> None:
    """Between two looks, what was waited, was idle and was left of a quota."""
    with tempfile.TemporaryDirectory() as name:
        waited = idle = spare = wanted = 0.0
        has_quota = all(left is not None for *_, left in looks)

        def free() -> Free:
            return Free(idle, spare if has_quota else None)

        clock = CpuClock(tasks(Path(name), {1: (1, 0)}), free)
        for more, rest, left in looks:
            waited, idle, spare = waited + more, idle + rest, spare + (left or 0.0)
            tasks(Path(name), {1: (1, round(waited * 1e9))})
            clock.look()
            wanted += max(0.0, more - (min(rest, left or 0.0) if has_quota else rest))
        assert clock.lap().waited == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    "threads",
    [{}, {1: None, 2: None}, {1: (0, 0), 2: (0, 0)}],
    ids=["no threads", "no file", "counts nothing"],
)
def test_where_the_kernel_does_not_tell_nothing_is_claimed(
    tmp_path: Path, threads: Mapping[int, tuple[int, int] | None]
) -> None:
    clock = CpuClock(tasks(tmp_path, threads))
    found = clock.lap()
    assert (found.waited, found.share) == (None, None)
    assert found.had >= 0
    assert CpuClock(tmp_path / "absent").lap().waited is None


@given(st.lists(st.tuples(st.floats(0, 1e6), st.none() | st.floats(0, 1e6)), min_size=1))
def test_the_share_of_several_processes_is_that_of_their_sums(
    parts: list[tuple[float, float | None]],
) -> None:
    whole = total(CpuTime(had, waited) for had, waited in parts)
    waits = [waited for _, waited in parts]
    assert whole.had == pytest.approx(math.fsum(had for had, _ in parts))
    if None in waits:
        assert (whole.waited, whole.share) == (None, None)
    elif whole.share is not None:
        assert 0 <= whole.share <= 1
        assert whole.share * (whole.had + sum(filter(None, waits))) == pytest.approx(whole.had)


def work(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_the_clock_of_a_thread_counts_no_other() -> None:
    clock, mine = CpuClock(), CpuClock(of_thread=True)
    other = threading.Thread(target=work, args=(0.2,))
    other.start()
    work(0.01)
    other.join()
    of_all, of_thread = clock.lap(), mine.lap()
    assert 0.01 <= of_thread.had <= of_all.had - 0.2
    assert (of_thread.waited is None) == (of_all.waited is None)


def test_a_thread_waits_by_its_own_file(tmp_path: Path) -> None:
    own = threading.get_native_id()
    tasks(tmp_path, {own: (1, 10**9), own + 1: (1, 10**9)})
    clock = CpuClock(tmp_path, lambda: Free(0.0), of_thread=True)
    tasks(tmp_path, {own: (1, 3 * 10**9), own + 1: (1, 9 * 10**9)})
    assert clock.lap().waited == pytest.approx(2.0)


def test_all_threads_count_and_ended_ones_too() -> None:
    clock = CpuClock()
    work(0.01)
    assert clock.lap().had >= 0.01
    threads = [threading.Thread(target=work, args=(0.05,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.lap().had >= 0.15

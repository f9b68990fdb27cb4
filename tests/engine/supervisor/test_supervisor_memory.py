"""Runs on the CPU that are known not to fit into memory together go one after the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rehearsal import Look

from engine.machine.slots import Slot
from engine.store.database import StoreConnection, insert, write
from engine.supervisor.memory import MemoryRoom
from engine.supervisor.queue import Queue

Add = Callable[..., list[str]]
Work = Callable[..., None]

CPU = Slot("cpu/0", "cpu", "CPU", 1)


def seen(writer: StoreConnection, run: str, mib: float, attempt: int = 0) -> None:
    """An attempt at the run was seen with so much memory."""
    row = {"run": run, "attempt": attempt, "seq": 10**6, "t": 0.0, "process_memory_mib": mib}
    with write(writer):
        insert(writer, "telemetry", [row])


def test_a_run_waits_for_memory_and_starts_when_there_is_enough(
    add: Add,
    queue: Queue,
    work: Work,
    writer: StoreConnection,
    look: Look,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ids = add("hold", "quick")
    seen(writer, ids[0], 700)
    seen(writer, ids[1], 400)
    queue.memory = MemoryRoom(lambda: 1_000)
    work(lambda: look.holds(ids[0]), "the first")
    assert look.states() == ["running", "queued"]
    said = [record.message for record in caplog.records if "memory" in record.message]
    assert said == [
        f"{ids[1]} waits: with those in training it needs more than 1,000 MiB of memory."
    ]
    queue.memory = MemoryRoom(lambda: 1_100)
    work(lambda: look.states() == ["running", "done"], "the second")


def test_a_run_that_is_larger_than_memory_is_tried_alone(
    add: Add, work: Work, queue: Queue, writer: StoreConnection, look: Look
) -> None:
    (run,) = add("quick")
    seen(writer, run, 5_000)
    queue.memory = MemoryRoom(lambda: 1_000)
    work(lambda: look.states() == ["done"], "its end")


def test_a_need_is_that_of_runs_alike_and_of_each_process(
    add: Add, queue: Queue, work: Work, writer: StoreConnection, look: Look
) -> None:
    first, second, third = add("quick", "hold", "hold")
    work(lambda: look.run(first).state == "done", "a run whose cost is known then")
    seen(writer, first, 600, attempt=1)
    room = MemoryRoom(lambda: 1_000)
    assert room.shortage(writer, second, CPU, ()) is None
    assert room.shortage(writer, second, CPU, [third]) is not None
    assert MemoryRoom(lambda: 1_200).shortage(writer, second, CPU, [third]) is None
    for run in (second, third):
        seen(writer, run, 600)
    two = Slot("cpu/0", "cpu", "CPU", 1, processes=2)
    assert MemoryRoom(lambda: 2_399).shortage(writer, second, two, [third]) is not None
    assert MemoryRoom(lambda: 2_400).shortage(writer, second, two, [third]) is None


def test_a_run_of_unknown_need_counts_as_none(add: Add, writer: StoreConnection) -> None:
    first, second = add("quick", "quick")
    assert MemoryRoom(lambda: 1.0).shortage(writer, first, CPU, [second]) is None


def test_a_configuration_that_can_t_be_read_is_left_to_its_worker(
    add: Add, writer: StoreConnection
) -> None:
    first, second = add("quick", "quick")
    with write(writer):
        writer.execute("UPDATE specs SET spec = '{}' WHERE run = ?", (first,))
    assert MemoryRoom(lambda: 1.0).shortage(writer, first, CPU, [second]) is None

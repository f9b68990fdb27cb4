"""Which runs are trained beside each other in one process, and how many."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from engine.inbox import WorkerState
from engine.journal import CROWDED
from engine.machine.slots import Slot
from engine.process import own_identity
from engine.store import transitions
from engine.store.database import StoreConnection, write
from engine.supervisor.memory import MemoryRoom
from engine.supervisor.sharing import BEFORE_STATE, MOST_SHARED_LOSSES, Company, Sharing

Add = Callable[..., list[str]]
SLOTS = [
    Slot(f"GPU-{name}/{n}", "cuda", "NVIDIA", 2, f"GPU-{name}") for n in range(8) for name in "ab"
]


@dataclass
class Known(MemoryRoom):
    """Every run needs as much."""

    mib: float = 100.0

    def need(self, connection: StoreConnection, run: str, slot: Slot) -> float:
        return self.mib


def begun(
    sharing: Sharing,
    writer: StoreConnection,
    runs: list[str],
    state: WorkerState | None,
    of_b: WorkerState | None = None,
    title_of_b: str = "NVIDIA",
) -> dict[str, list[str]]:
    """The runs that each of two GPUs gets, if each worker says the same, unless told otherwise."""
    free = list(SLOTS)
    company = Company(
        {slot.name: slot.visible for slot in SLOTS},
        {"GPU-a": "NVIDIA", "GPU-b": title_of_b},
        lambda worker: of_b if of_b is not None and worker == "GPU-b" else state,
    )
    for run in runs:
        slot = sharing.slot(writer, run, free, company)
        if slot is None:
            break
        free.remove(slot)
        company.inside[slot.visible or ""].append(run)
    return dict(company.inside)


def counts(found: dict[str, list[str]]) -> list[int]:
    return [len(found.get(f"GPU-{name}", [])) for name in "ab"]


@pytest.mark.parametrize(
    ("wants", "room", "age", "each"),
    [
        (3, None, 0.0, 3),
        (1, None, 0.0, 1),
        (8, 10_000.0, 0.0, 8),
        (8, 500.0, 0.0, 4),
        (8, 50.0, 0.0, 1),
        (1, None, 60.0, BEFORE_STATE),
        (8, None, -60.0, BEFORE_STATE),
    ],
)
def test_as_many_runs_are_begun_as_are_worth_while_and_fit(
    add: Add, writer: StoreConnection, wants: int, room: float | None, age: float, each: int
) -> None:
    """By what the workers say of themselves, unless that is too long ago; all GPUs alike."""
    runs = add(*["quick"] * 20)
    state = WorkerState(time.time() - age, 1, 100.0, wants, room)
    found = begun(Sharing(measured=True, memory=Known()), writer, runs, state)
    assert counts(found) == [each, each]
    assert found["GPU-a"] == runs[0 : 2 * each : 2]


@pytest.mark.parametrize(("title", "each"), [("NVIDIA", [6, 6]), ("another", [2, 6])])
def test_what_one_gpu_has_found_holds_for_others_like_it(
    add: Add, writer: StoreConnection, title: str, each: list[int]
) -> None:
    """Or the last runs of a queue would all be trained on the one that happened to find more."""
    few, many = (WorkerState(time.time(), 1, 100.0, wants, None) for wants in (2, 6))
    runs = add(*["quick"] * 20)
    sharing = Sharing(measured=True, memory=Known())
    assert counts(begun(sharing, writer, runs, few, many, title)) == each


@pytest.mark.parametrize("measured", [True, False])
def test_a_run_is_trained_beside_the_fewest_others(
    add: Add, writer: StoreConnection, measured: bool
) -> None:
    runs = add(*["quick"] * 4)
    state = WorkerState(time.time(), 1, 100.0, 8, None)
    company = Company(
        {slot.name: slot.visible for slot in SLOTS},
        dict.fromkeys(["GPU-a", "GPU-b"], "NVIDIA"),
        lambda _: state,
    )
    company.inside["GPU-a"] += runs[:2]
    company.inside["GPU-b"] += runs[2:3]
    free = [slot for slot in SLOTS if slot.name not in {"GPU-a/0", "GPU-a/1", "GPU-b/7"}]
    sharing = Sharing(measured=measured, memory=Known())
    assert sharing.slot(writer, runs[3], free, company) == SLOTS[1], "GPU-b/0"


def test_a_number_that_is_set_is_not_measured(add: Add, writer: StoreConnection) -> None:
    runs = add(*["quick"] * 20)
    state = WorkerState(time.time(), 1, 100.0, 1, 1.0)
    assert counts(begun(Sharing(measured=False), writer, runs, state)) == [8, 8]


def test_a_run_that_was_lost_beside_others_twice_is_trained_alone(
    add: Add, writer: StoreConnection
) -> None:
    """The runs after it in the queue wait for it, and none joins it."""
    runs = add(*["quick"] * 4)
    lost = runs[2]
    for _ in range(MOST_SHARED_LOSSES):
        with write(writer):
            number = transitions.begin_attempt(writer, lost, "GPU-a/0", "here", "GPU-a")
            transitions.mark_exited(writer, lost, number)
            transitions.end_attempt(writer, lost, number, "lost", transitions.SHARED, "")
            transitions.requeue(writer, lost, counts=False)
    sharing = Sharing(measured=False)
    assert counts(begun(sharing, writer, runs, None)) == [1, 1]
    assert begun(sharing, writer, [lost, *runs[:2]], None) == {
        "GPU-a": [lost],
        "GPU-b": runs[:2],
    }


def test_a_loss_counts_those_that_were_lost_with_it_whatever_was_seen_first(
    add: Add, writer: StoreConnection
) -> None:
    """Though the last lines of its journal are read after the others' ends."""
    lost, *others = add(*["quick"] * 4)
    with write(writer):
        for run in (lost, *others):
            number = transitions.begin_attempt(writer, run, "GPU-a/0", "here", "GPU-a")
            transitions.record_process(writer, run, number, own_identity())
        for run, status, cause in zip(
            others, ("lost", "lost", "done"), (transitions.SHARED, "hung", "completed"), strict=True
        ):
            transitions.mark_exited(writer, run, 1)
            transitions.end_attempt(writer, run, 1, status, cause, "")
        sql = "UPDATE attempts SET last_growth = ? WHERE run = ?"
        writer.execute(sql, (time.time() + 10, lost))
    assert transitions.lost_with(writer, lost, 1) == 2


def test_a_run_without_memory_beside_others_is_trained_alone(
    add: Add, writer: StoreConnection
) -> None:
    runs = add(*["quick"] * 4)
    with write(writer):
        number = transitions.begin_attempt(writer, runs[0], "GPU-a/0", "here", "GPU-a")
        transitions.mark_exited(writer, runs[0], number)
        transitions.end_attempt(writer, runs[0], number, "preempted", CROWDED, "")
        transitions.requeue(writer, runs[0], counts=False)
    found = begun(Sharing(measured=False), writer, runs, None)
    assert found == {"GPU-a": runs[:1], "GPU-b": runs[1:]}


def test_a_slot_whose_runs_have_processes_of_their_own_is_taken_at_once(
    add: Add, writer: StoreConnection
) -> None:
    (run,) = add("quick")
    company = Company({"slurm/0": None}, {}, lambda _: None)
    slot = Slot("slurm/0", "cuda", "Slurm", 2)
    assert Sharing(measured=True).slot(writer, run, [slot], company) == slot

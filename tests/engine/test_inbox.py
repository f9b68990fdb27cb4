"""The inbox of a resident worker, as both sides use it."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from engine.files.lock import take_lock, write_holder
from engine.inbox import Assignment, Bell, WorkerFolder, ring, safe_name, worker_folder
from engine.process import own_identity


@pytest.fixture
def worker(tmp_path: Path) -> WorkerFolder:
    return worker_folder(tmp_path, "MIG-GPU-1/2/0")


def assignment(tmp_path: Path, run: str, attempt: int = 1) -> Assignment:
    return Assignment(str(tmp_path / run), attempt, "cuda", 2, "GPU-1")


def test_assignments_are_there_from_the_hand_over_to_their_removal(
    tmp_path: Path, worker: WorkerFolder
) -> None:
    assert worker.path == tmp_path / ".workers" / "MIG-GPU-1-2-0"
    first, second = assignment(tmp_path, "b.run", 12), assignment(tmp_path, "a-run")
    assert worker.hand_over(first), "nobody serves it yet"
    assert not worker.hand_over(second)
    assert worker.assignments() == [first, second]
    assert worker.has("b.run", 12)
    assert not worker.has("b.run", 1)
    assert worker.assignment("b.run", 12) == first
    assert not worker.close()
    worker.take_back("b.run", 12)
    worker.take_back("b.run", 12)
    assert worker.assignments() == [second]
    worker.end_without_room("a-run", 1)
    assert worker.assignments() == []
    assert worker.close()
    assert worker.close()
    with pytest.raises(FileNotFoundError):
        worker.assignments()
    assert worker.ended_without_room("a-run", 1)
    assert not worker.ended_without_room("a-run", 1)
    assert worker.hand_over(first), "whoever closed it is ending"


def test_a_hand_over_that_cannot_be_done_leaves_nothing(
    tmp_path: Path, worker: WorkerFolder
) -> None:
    worker.path.mkdir(parents=True)
    worker.inbox.write_text("in its place")
    with pytest.raises(OSError, match="Not a directory"):
        worker.hand_over(assignment(tmp_path, "a-run"))
    assert [path.name for path in worker.path.iterdir()] == ["inbox"]


def test_who_serves_it_is_known_by_the_lock(worker: WorkerFolder) -> None:
    worker.path.mkdir(parents=True)
    assert worker.worker() is None
    assert not worker.is_served()
    lock = take_lock(worker.lock)
    assert lock is not None
    write_holder(lock, asdict(own_identity()))
    assert worker.is_served()
    assert worker.worker() == own_identity()
    os.close(lock)
    assert not worker.is_served()


def test_a_ring_ends_a_wait_and_is_heard_by_nobody_without_one(
    tmp_path: Path, worker: WorkerFolder
) -> None:
    ring(worker)
    bell = Bell(tmp_path)
    ring(worker)
    started = time.monotonic()
    bell.wait(600, pytest.fail)  # it rang before
    waiting = threading.Thread(target=bell.wait, args=(600, pytest.fail))
    waiting.start()
    ring(worker)
    waiting.join()
    assert time.monotonic() - started < 300
    bell.wait(0, pytest.fail)
    bell.close()
    ring(worker)


def test_without_a_pipe_there_is_another_way_to_wait(tmp_path: Path, worker: WorkerFolder) -> None:
    worker.path.mkdir(parents=True)
    (worker.path.parent / "bell").write_text("in its place")
    waited: list[float] = []
    bell = Bell(tmp_path)
    bell.wait(0.5, waited.append)
    assert waited == [0.5]
    bell.close()


@pytest.mark.parametrize(("text", "name"), [("cpu/0", "cpu-0"), ("../x", "..-x"), ("0,1", "0-1")])
def test_a_folder_name_has_no_separators(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_a_pilot_is_handed_assignments_while_it_has_an_inbox(
    tmp_path: Path, worker: WorkerFolder
) -> None:
    one = assignment(tmp_path, "a-run")
    worker.path.mkdir(parents=True)
    assert not worker.offer(one), "it isn't ready"
    assert worker.open()
    assert not worker.open(), "another process of that name"
    assert worker.is_open
    assert worker.offer(one)
    assert worker.assignments() == [one]
    worker.closing.touch()
    assert not worker.is_open
    worker.take_back("a-run", 1)
    assert worker.close()
    assert not worker.offer(one)
    assert sorted(path.name for path in worker.path.iterdir()) == ["closing"]

"""An attempt whose worker or supervisor is gone: it is resumed, taken over, or started again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest
from rehearsal import Look, go, kill

from engine.process import own_identity
from engine.store import series, transitions
from engine.store.database import StoreConnection, write
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.requests import (
    request_cancel,
    request_retry,
)
from engine.supervisor.launcher import LocalLauncher
from engine.supervisor.queue import Queue

Add = Callable[..., list[str]]


Work = Callable[..., None]


MakeQueue = Callable[[], Queue]


@pytest.fixture(params=["resident", "own"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_killed_worker_is_resumed_from_its_checkpoint(
    location: StoreLocation, add: Add, work: Work, look: Look, writer: StoreConnection
) -> None:
    (run,) = add("hold")
    work(lambda: look.holds(run), "it to hold")
    kill(look, run)
    go(location, run)
    work(lambda: look.run(run).state == "done", "the end")
    first, second = series.attempts(writer, run)
    assert (first["status"], second["status"]) == ("lost", "done")
    assert "SIGKILL" in first["message"]
    assert second["resumed_epoch"] == 2
    assert look.epochs(run) == [1, 2, 3, 4]
    assert look.steps(run) == list(range(1, 17))


def test_automatic_retries_end_and_a_manual_one_starts_them_anew(
    location: StoreLocation, add: Add, work: Work, look: Look, writer: StoreConnection
) -> None:
    (run,) = add("crash")
    work(lambda: look.run(run).state == "lost", "it to be given up")
    assert look.run(run).attempt == 3
    assert "exited with 3" in (look.run(run).message or "")
    request_retry(location, [run])
    work(lambda: look.run(run).state == "lost" and look.run(run).attempt > 3, "it again")
    assert look.run(run).attempt == 6
    statuses = [attempt["status"] for attempt in series.attempts(writer, run)]
    assert statuses == ["lost"] * 6


def test_a_failed_run_is_not_retried_by_itself(
    add: Add, work: Work, look: Look, queue: Queue, writer: StoreConnection
) -> None:
    (run,) = add("fail")
    work(lambda: look.run(run).state == "failed", "its end")
    work(lambda: not transitions.live_attempts(writer), "its process to go")
    queue.tick(writer)
    assert (look.run(run).attempt, look.run(run).message) == (1, "It failed.")


def test_a_preempted_run_goes_on_and_that_costs_no_retry(add: Add, work: Work, look: Look) -> None:
    (run,) = add("yield")
    work(lambda: look.holds(run), "it to hold")
    os.kill(look.live(run).identity.pid, signal.SIGTERM)
    work(lambda: look.run(run).state == "done", "its end")
    assert (look.run(run).attempt, look.run(run).losses) == (2, 0)
    assert look.steps(run) == list(range(1, 17))


def test_another_queue_takes_over_a_living_worker(
    location: StoreLocation,
    add: Add,
    work: Work,
    look: Look,
    make_queue: MakeQueue,
    writer: StoreConnection,
) -> None:
    (run,) = add("hold")
    work(lambda: look.holds(run), "it to hold")
    live = look.live(run)
    successor = make_queue()
    successor.adopt(writer)
    successor.tick(writer)
    assert look.live(run).identity == live.identity
    assert look.alive(live)
    request_cancel(location, [run])
    work(lambda: look.run(run).state == "cancelled", "it", successor)
    assert look.run(run).message == "It cancelled."


def test_a_worker_is_found_after_the_store_was_deleted(
    location: StoreLocation, add: Add, work: Work, look: Look, queue: Queue
) -> None:
    (run,) = add("hold")
    work(lambda: look.holds(run), "it to hold")
    live = look.live(run)
    location.db.unlink()
    rebuild(location)
    assert look.live(run).identity == live.identity
    assert look.live(run).slot == live.slot
    assert look.run(run).state == "running"


def test_killed_before_the_process_started_the_attempt_is_started_again(
    location: StoreLocation, add: Add, work: Work, look: Look, queue: Queue, writer: StoreConnection
) -> None:
    (run,) = add("quick")
    with write(writer):
        worker = queue.pools[None].launcher.worker(queue.pools[None].slots[0])
        transitions.begin_attempt(writer, run, "cpu/0", queue.host, worker)
    queue.adopt(writer)
    assert look.run(run).state == "queued"
    work(lambda: look.run(run).state == "done", "its end")
    assert (look.run(run).attempt, look.run(run).losses) == (1, 0)


def test_killed_before_the_pid_was_recorded_the_attempt_runs_once(
    location: StoreLocation,
    add: Add,
    work: Work,
    look: Look,
    queue: Queue,
    make_queue: MakeQueue,
    writer: StoreConnection,
) -> None:
    (run,) = add("hold")
    queue.tick(writer)
    first = look.live(run)
    # As if the supervisor had died between starting the process and writing down which it was.
    columns = "pid = NULL, boot_id = NULL, start_ticks = NULL, status = 'starting'"
    writer.execute(f"UPDATE attempts SET {columns}")
    successor = make_queue()
    successor.adopt(writer)
    work(lambda: look.holds(run), "it", successor)
    assert look.holds(run)
    assert [path.name for path in location.folder(run).path.glob("journal-*")] == [
        "journal-1.jsonl"
    ]
    go(location, run)
    work(lambda: look.run(run).state == "done", "it", successor)
    assert look.steps(run) == list(range(1, 17))
    assert look.run(run).losses == 0
    assert first.identity is not None


def test_a_process_that_has_the_number_of_a_dead_worker_is_left_alone(
    location: StoreLocation, add: Add, work: Work, look: Look, writer: StoreConnection
) -> None:
    (run,) = add("hold")
    work(lambda: look.holds(run), "it to hold")
    live = look.live(run)
    mine = own_identity()
    for boot_id, start_ticks in (
        (mine.boot_id, mine.start_ticks - 1),
        ("an earlier boot", mine.start_ticks),
    ):
        other = replace(live, pid=mine.pid, boot_id=boot_id, start_ticks=start_ticks)
        launcher = LocalLauncher()
        assert not launcher.stop(location.folder(run), other, "kill")
    assert look.alive(live)


def test_after_a_reboot_the_run_is_resumed(
    location: StoreLocation,
    add: Add,
    work: Work,
    look: Look,
    make_queue: MakeQueue,
    writer: StoreConnection,
) -> None:
    (run,) = add("hold")
    work(lambda: look.holds(run), "it to hold")
    kill(look, run)
    writer.execute("UPDATE attempts SET boot_id = 'an earlier boot'")
    go(location, run)
    successor = make_queue()
    successor.adopt(writer)
    work(lambda: look.run(run).state == "done", "it", successor)
    assert (look.run(run).state, look.run(run).attempt) == ("done", 2)

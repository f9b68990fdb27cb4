"""Resident workers as the queue uses them: killed, taken over, each attempt begun at most once."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rehearsal import Look, end_processes, go, kill, wait_for
from rehearsal_supervisor import WORKER, resident_launcher

from engine.files.lock import is_locked
from engine.inbox import Assignment, WorkerFolder, worker_folder
from engine.journal import read_journal
from engine.machine.slots import Slot
from engine.process import is_alive
from engine.store import queries, series, transitions
from engine.store.database import StoreConnection, write
from engine.store.intake.folders import save_folder
from engine.store.location import StoreLocation
from engine.store.requests import request_cancel
from engine.supervisor.launcher import LocalLauncher, Pool
from engine.supervisor.queue import Queue
from engine.supervisor.resident import ResidentLauncher

Add = Callable[..., list[str]]
Work = Callable[..., None]
MakeQueue = Callable[[], Queue]


def only_slot(queue: Queue) -> None:
    """Leave the queue one slot, and so one worker."""
    pool = queue.pools[None]
    queue.pools = {None: Pool(pool.launcher, pool.slots[:1])}


def worker_of(location: StoreLocation, run: str) -> WorkerFolder:
    return worker_folder(location.runs, "cpu-0")


def pids(writer: StoreConnection, runs: list[str]) -> list[int]:
    return [attempt["pid"] for run in runs for attempt in series.attempts(writer, run)]


def test_runs_of_one_slot_share_a_process_one_after_another(
    add: Add, work: Work, queue: Queue, look: Look, location: StoreLocation, writer: StoreConnection
) -> None:
    only_slot(queue)
    runs = add("quick", "fail", "quick")
    work(lambda: look.states() == ["done", "failed", "done"], "the ends")
    work(lambda: not transitions.live_attempts(writer), "the last one to be over")
    (pid,) = set(pids(writer, runs))
    for run in runs:
        (line,) = location.folder(run).log.read_text().splitlines()
        assert line.startswith("attempt 1 on cpu")
    worker = worker_of(location, runs[0])
    identity = worker.worker()
    assert identity is not None
    assert identity.pid == pid
    wait_for(lambda: not is_alive(identity), "the worker to end by itself")
    assert not worker.inbox.exists()
    (again,) = add("quick")
    work(lambda: look.run(again).state == "done", "its end")
    assert pids(writer, [again]) != [pid]


def test_a_worker_that_is_killed_before_it_begins_is_replaced(
    add: Add, work: Work, queue: Queue, look: Look, location: StoreLocation, writer: StoreConnection
) -> None:
    """That costs the run nothing: its attempt hasn't begun."""
    only_slot(queue)
    (run,) = add("hold")
    queue.tick(writer)
    identity = look.live(run).identity
    assert identity is not None
    os.kill(identity.pid, signal.SIGKILL)
    work(lambda: look.holds(run), "it to hold")
    go(location, run)
    work(lambda: look.run(run).state == "done", "its end")
    assert (look.run(run).attempt, look.run(run).losses) == (1, 0)
    assert look.steps(run) == list(range(1, 17))


def test_a_supervisor_that_is_killed_at_any_moment_of_a_start_leaves_one_attempt(
    add: Add,
    work: Work,
    look: Look,
    location: StoreLocation,
    make_queue: MakeQueue,
    writer: StoreConnection,
) -> None:
    """After the commit; after the assignment; after the start of the worker, whose pid isn't in the
    store."""
    launcher = resident_launcher()
    slot = Slot("cpu/0", "cpu", "CPU", 1)
    for moment in ("committed", "handed over", "started"):
        (run,) = add("hold")
        with write(writer):
            number = transitions.begin_attempt(writer, run, slot.name, os.uname().nodename, "cpu-0")
        folder = save_folder(writer, location, run)
        if moment == "handed over":
            worker_of(location, run).hand_over(Assignment(str(folder.path), number, "cpu", 1))
        if moment == "started":
            launcher.start(folder, number, slot)
        successor = make_queue()
        successor.adopt(writer)
        work(lambda run=run: look.holds(run), f"it to hold, {moment}", successor)
        go(location, run)
        work(lambda run=run: look.run(run).state == "done", "its end", successor)
        assert (look.run(run).attempt, look.run(run).losses) == (1, 0)
        assert look.steps(run) == list(range(1, 17))
        assert [path.name for _, path in folder.journals()] == ["journal-1.jsonl"]
    end_processes(location)
    for child in launcher._workers.values():
        child.wait()


def test_a_run_that_no_worker_begins_is_lost_and_says_why(
    add: Add, work: Work, queue: Queue, look: Look, location: StoreLocation, writer: StoreConnection
) -> None:
    broken = [sys.executable, "-c", "import sys; sys.exit('no torch here')"]
    queue.pools = {None: Pool(ResidentLauncher(command=broken), queue.pools[None].slots[:1])}
    (run,) = add("quick")
    work(lambda: look.run(run).state == "lost", "it to be given up", queue)
    assert look.run(run).losses == queue.settings.retries
    assert "exited with 1" in (look.run(run).message or "")
    assert "no torch here" in location.folder(run).log.read_text()
    assert not worker_of(location, run).assignments()


def test_a_run_that_waits_for_its_worker_is_cancelled_at_once(
    add: Add, work: Work, queue: Queue, look: Look, location: StoreLocation, writer: StoreConnection
) -> None:
    """Its worker, which stands still, never begins it."""
    only_slot(queue)
    first, second = add("hold", "quick")
    work(lambda: look.holds(first), "it to hold")
    holder = look.live(first)
    assert holder.identity is not None
    os.kill(holder.identity.pid, signal.SIGSTOP)
    queue.pools = {None: Pool(queue.pools[None].launcher, [Slot("cpu/0", "cpu", "CPU", 1)] * 1)}
    with write(writer):
        transitions.begin_attempt(writer, second, "cpu/1", queue.host, "cpu-0")
    folder = save_folder(writer, location, second)
    queue.pools[None].launcher.start(folder, 1, Slot("cpu/0", "cpu", "CPU", 1))
    assert worker_of(location, second).has(second, 1)
    request_cancel(location, [second])
    work(lambda: look.run(second).state == "cancelled", "its end")
    os.kill(holder.identity.pid, signal.SIGCONT)
    go(location, first)
    work(lambda: look.run(first).state == "done", "the end of the other")
    assert not folder.journals()


def test_a_process_of_its_own_that_an_earlier_version_started_is_taken_over(
    add: Add,
    work: Work,
    look: Look,
    location: StoreLocation,
    make_queue: MakeQueue,
    writer: StoreConnection,
) -> None:
    before = make_queue()
    before.pools = {None: Pool(LocalLauncher(WORKER), before.pools[None].slots)}
    (run,) = add("hold")
    work(lambda: look.holds(run), "it to hold", before)
    live = look.live(run)
    assert live.worker is None
    successor = make_queue()
    successor.adopt(writer)
    successor.tick(writer)
    assert look.live(run).identity == live.identity
    assert look.alive(live)
    kill(look, run)
    go(location, run)
    work(lambda: look.run(run).state == "done", "its end", successor)
    first, second = series.attempts(writer, run)
    assert (first["worker"], second["worker"]) == (None, "cpu-0")
    assert look.steps(run) == list(range(1, 17))
    for child in before.pools[None].launcher._children.values():
        child.wait()


def test_an_inbox_that_is_closed_makes_the_next_hand_over_start_a_worker(
    tmp_path: Path, location: StoreLocation
) -> None:
    """A worker that found its inbox empty is ending, though it has its lock still."""
    launcher = resident_launcher()
    run = location.folder("some-run")
    run.path.mkdir(parents=True)
    worker = worker_folder(location.runs, "cpu-0")
    slot = Slot("cpu/0", "cpu", "CPU", 1)
    first = launcher.start(run, 1, slot)
    worker.take_back("some-run", 1)
    assert worker.close()
    second = launcher.start(run, 2, slot)
    worker.take_back("some-run", 2)
    assert first is not None
    assert second is not None
    assert first != second
    end_processes(location)
    for child in (*launcher._workers.values(), *launcher._children.values()):
        child.wait()


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"folder": 1})])
def test_an_assignment_that_cannot_be_read_is_of_no_worker(
    add: Add,
    work: Work,
    queue: Queue,
    look: Look,
    location: StoreLocation,
    writer: StoreConnection,
    content: str,
) -> None:
    """The run is tried again by another attempt."""
    only_slot(queue)
    (run,) = add("quick")
    with write(writer):
        transitions.begin_attempt(writer, run, "cpu/0", queue.host, "cpu-0")
    folder = save_folder(writer, location, run)
    worker = worker_of(location, run)
    worker.inbox.mkdir(parents=True)
    (worker.inbox / f"{run}.1.json").write_text(content)
    writer.execute("UPDATE attempts SET pid = 1, boot_id = 'b', start_ticks = 1")
    work(lambda: look.run(run).state == "done", "its end")
    assert look.run(run).attempt == 2
    assert not is_locked(folder.lock)


def shared_slots(count: int) -> list[Slot]:
    """Slots whose runs are trained by one process, as those of a GPU, but on the CPU."""
    return [Slot(f"shared/{n}", "cpu", "CPU", 1, visible="shared") for n in range(count)]


def test_a_process_that_dies_under_several_runs_is_the_fault_of_one_at_most(
    add: Add, work: Work, queue: Queue, look: Look, location: StoreLocation, writer: StoreConnection
) -> None:
    """Losses beside others don't count; a run that was lost so twice is trained alone from then on,
    and its losses count. The others are done."""
    queue.pools = {None: Pool(queue.pools[None].launcher, shared_slots(4))}
    doomed, *others = add("doomed", "hold", "hold", "hold")

    def hold(runs: list[str]) -> bool:
        """Whether the newest attempts of these runs wait in epoch 3."""
        return all(
            any(line.fields.get("step") == 9 for line in read_journal(journal).lines)
            for run in runs
            for journal in [location.folder(run).journal(look.run(run).attempt)]
        )

    for _ in range(2):
        work(lambda: hold([doomed, *others]), "all of them")
        attempt = look.run(doomed).attempt
        go(location, doomed)
        work(lambda attempt=attempt: look.run(doomed).attempt > attempt, "its loss")
    for attempt in (3, 4, 5):
        work(lambda attempt=attempt: look.run(doomed).attempt == attempt, "the next attempt")
        work(lambda: hold([doomed]), "it to hold")
        assert [each.run for each in transitions.live_attempts(writer)] == [doomed]
        go(location, doomed)
    work(lambda: look.run(doomed).state == "lost", "it to be given up")
    for run in others:
        go(location, run)
    work(lambda: look.states() == ["lost", "done", "done", "done"], "the others")
    work(lambda: not transitions.live_attempts(writer), "the last one to be over")
    attempts = series.attempts(writer, doomed)
    assert [each["cause"] for each in attempts] == ["shared", "shared", "lost", "lost", "lost"]
    assert look.run(doomed).losses == queue.settings.retries == 2
    assert "It trained 3 other runs too." in attempts[0]["message"]
    for run in others:
        assert look.run(run).losses == 0
        assert look.steps(run) == list(range(1, 17))
        *lost, last = series.attempts(writer, run)
        assert [each["cause"] for each in lost] == ["shared"] * 2
        assert last["status"] == "done"
    assert queries.queue_hold(writer) is None


def test_what_is_handed_to_a_process_that_dies_is_trained_by_the_next_and_known_as_its(
    add: Add, work: Work, queue: Queue, look: Look, location: StoreLocation, writer: StoreConnection
) -> None:
    """Until its journal says who trains it, it is known as the dead one's. That costs it no retry,
    and may spare one to the run that was inside, which seems to have had company."""
    queue.pools = {None: Pool(queue.pools[None].launcher, shared_slots(2))}
    (inside,) = add("hold")
    work(lambda: look.holds(inside), "it to hold")
    dying = look.live(inside).identity
    assert dying is not None
    os.kill(dying.pid, signal.SIGSTOP)
    (handed,) = add("quick")
    queue.tick(writer)
    assert look.live(handed).identity == dying
    os.kill(dying.pid, signal.SIGKILL)
    work(lambda: look.run(handed).state == "done", "the end of what it was handed")
    go(location, inside)
    work(lambda: look.run(inside).state == "done", "the end of what was inside")
    (only,) = series.attempts(writer, handed)
    assert only["pid"] != dying.pid
    assert [each["status"] for each in series.attempts(writer, inside)] == ["lost", "done"]
    assert (look.run(handed).attempt, look.run(handed).losses) == (1, 0)


def test_cancelling_and_failing_leaves_the_others_of_a_process_alone(
    add: Add, work: Work, queue: Queue, look: Look, location: StoreLocation, writer: StoreConnection
) -> None:
    queue.pools = {None: Pool(queue.pools[None].launcher, shared_slots(4))}
    queue.settings = queue.settings.model_copy(update={"retries": 100})
    holding, failing, cancelled, full = add("hold", "fail", "hold", "full")
    work(lambda: look.holds(holding) and look.holds(cancelled), "two that hold")
    request_cancel(location, [cancelled])
    work(lambda: look.run(cancelled).state == "cancelled", "its end")
    work(lambda: look.run(failing).state == "failed", "the failure")
    work(lambda: look.run(full).losses > 0, "the one that finds no room")
    assert series.attempts(writer, full)[0]["cause"] == "disk-full"
    for run in (holding, full):
        go(location, run)
    work(lambda: look.run(holding).state == look.run(full).state == "done", "the ends")
    first = {series.attempts(writer, run)[0]["pid"] for run in (holding, failing, cancelled, full)}
    assert len(first) == 1
    assert series.attempts(writer, holding)[0]["status"] == "done"


def test_a_run_that_does_not_end_leaves_the_others_of_its_process_alone(
    add: Add, work: Work, queue: Queue, look: Look, location: StoreLocation, writer: StoreConnection
) -> None:
    """It is killed once nothing else is in its process."""
    queue.pools = {None: Pool(queue.pools[None].launcher, shared_slots(2))}
    queue.cancel_seconds = 0.0
    deaf, other = add("stubborn", "hold")
    work(lambda: look.holds(deaf) and look.holds(other), "both to hold")
    request_cancel(location, [deaf])
    work(lambda: location.folder(deaf).cancel.exists(), "it to be asked")
    go(location, other)
    work(lambda: look.run(other).state == "done", "the end of the other")
    work(lambda: look.run(deaf).state == "cancelled", "the end of its process")
    assert [each["status"] for each in series.attempts(writer, other)] == ["done"]


def test_a_run_that_does_not_end_for_very_long_costs_the_others_no_retry(
    add: Add, work: Work, queue: Queue, look: Look, location: StoreLocation, writer: StoreConnection
) -> None:
    """They are stopped, and resumed in another process."""
    queue.pools = {None: Pool(queue.pools[None].launcher, shared_slots(2))}
    deaf, other = add("stubborn", "hold")
    work(lambda: look.holds(deaf) and look.holds(other), "both to hold")
    queue.cancel_seconds = -queue.silent_seconds - 1  # as if it had been asked so long ago
    request_cancel(location, [deaf])
    work(lambda: look.run(deaf).state == "cancelled", "the end of its process")
    go(location, other)
    work(lambda: look.run(other).state == "done", "the end of the other")
    assert [each["status"] for each in series.attempts(writer, other)] == ["preempted", "done"]
    assert look.run(other).losses == 0
    assert look.steps(other) == list(range(1, 17))

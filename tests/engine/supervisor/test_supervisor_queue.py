"""One queue, round by round, with real worker processes."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from rehearsal import Look, go, kill
from rehearsal_supervisor import WORKER

from engine.config import Catalogue
from engine.machine.priority import lower_priority_of_session
from engine.machine.slots import Slot
from engine.process import ProcessIdentity
from engine.runfolder import RunFolder
from engine.store import series, transitions
from engine.store.database import StoreConnection
from engine.store.intake.trash import deleted_runs
from engine.store.location import StoreLocation
from engine.store.requests import (
    enqueue,
    request_cancel,
    request_delete,
    request_move,
    request_retry,
    set_note,
)
from engine.supervisor.launcher import LocalLauncher, Pool
from engine.supervisor.queue import Queue

Add = Callable[..., list[str]]
Work = Callable[..., None]


def local_slots(queue: Queue) -> Sequence[Slot]:
    return queue.pools[None].slots


def test_runs_go_in_order_and_no_more_than_fit(
    location: StoreLocation, add: Add, work: Work, look: Look
) -> None:
    ids = add("hold", "hold", "quick", "quick")
    work(lambda: look.holds(ids[0]) and look.holds(ids[1]), "two that hold")
    assert look.states() == ["running", "running", "queued", "queued"]
    assert {look.live(ids[0]).slot, look.live(ids[1]).slot} == {"cpu/0", "cpu/1"}
    run = look.run(ids[0])
    assert run.progress == pytest.approx((2 + 1 / 4) / 4)
    assert run.eta_seconds is not None
    go(location, ids[1])
    work(lambda: look.states() == ["running", "done", "done", "done"], "the others' end")
    go(location, ids[0])
    work(lambda: look.states() == ["done"] * 4, "the end")
    started = [look.run(run).started for run in ids]
    assert started[2] > max(started[:2])
    for run in ids:
        assert look.epochs(run) == [1, 2, 3, 4]
        assert look.steps(run) == list(range(1, 17))
    log = location.folder(ids[0]).log.read_text()
    assert log == "attempt 1 on cpu, 1 threads\n"


def with_refit(location: StoreLocation, catalogue: Catalogue, behaviour: str) -> list[str]:
    spec = catalogue.run_spec("sasrec", "synthetic", 50, 1, overrides={"epochs": 4, "refit": True})
    refit = spec.model_copy(update={"profile": "quick"})
    return enqueue(location, [refit, spec.first.model_copy(update={"profile": behaviour})])


def test_a_refit_waits_until_the_run_that_it_refits_is_done(
    location: StoreLocation, catalogue: Catalogue, make_queue: Callable[[], Queue], work: Work,
    look: Look,
) -> None:  # fmt: skip
    refit, first = with_refit(location, catalogue, "hold")
    assert (look.run(refit).refits, look.run(first).refits) == (first, None)
    work(lambda: look.holds(first), "the first to hold")
    assert look.run(refit).state == "queued"
    kill(look, first)
    work(lambda: look.run(first).attempt == 2 and look.holds(first), "its retry")
    assert look.run(refit).state == "queued"
    go(location, first)
    again = make_queue()  # the next supervisor
    work(lambda: look.states() == ["done", "done"], "both", again)
    refitted, finished = look.run(refit).started, look.run(first).finished
    assert refitted is not None
    assert finished is not None
    assert refitted >= finished


def test_a_refit_of_what_will_not_be_done_says_so(
    location: StoreLocation, catalogue: Catalogue, work: Work, look: Look
) -> None:
    refit, first = with_refit(location, catalogue, "fail")
    work(lambda: look.states() == ["failed", "failed"], "both to fail")
    assert look.run(refit).message == (
        f"It refits {first}, which is failed: retry {first}, then this run."
    )
    request_delete(location, [first])
    work(lambda: len(look.states()) == 1, "the first to be deleted")
    request_retry(location, [refit])
    work(lambda: "deleted" in str(look.run(refit).message), "the refit to fail again")
    assert look.run(refit).message == f"It refits {first}, which was deleted."


def test_a_round_that_starts_runs_for_long_leaves_the_rest_to_the_next(
    add: Add,
    queue: Queue,
    writer: StoreConnection,
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.supervisor.queue.START_SECONDS", 0.0)
    add("hold", "hold", "hold")
    started = []
    for _ in range(3):
        queue.tick(writer)
        started.append(look.states().count("running"))
    assert started == [1, 2, 2]


def test_a_round_with_many_requests_leaves_the_rest_to_the_next(
    location: StoreLocation,
    add: Add,
    queue: Queue,
    writer: StoreConnection,
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.supervisor.queue.REQUESTS_SECONDS", 0.0)
    monkeypatch.setattr("engine.supervisor.queue.START_SECONDS", 0.0)
    runs = add("hold", "hold", "hold", "hold")
    request_cancel(location, runs[1:])
    waiting = []
    for _ in range(4):
        waiting.append(len(transitions.requests(writer)))
        queue.tick(writer)
    assert waiting == [3, 2, 1, 0]
    assert look.run(runs[0]).state == "running", "the round goes on all the same"


def test_a_queued_run_is_cancelled_at_once(
    location: StoreLocation, add: Add, queue: Queue, writer: StoreConnection, look: Look
) -> None:
    (run,) = add("hold")
    request_cancel(location, [run])
    queue.tick(writer)
    found = look.run(run)
    assert (found.state, found.cause) == ("cancelled", "cancelled")
    assert not transitions.live_attempts(writer)
    assert transitions.requests(writer) == []


def test_a_run_that_is_moved_to_the_front_runs_next(
    location: StoreLocation, add: Add, work: Work, look: Look
) -> None:
    ids = add("hold", "hold", "hold", "hold")
    work(lambda: look.holds(ids[0]) and look.holds(ids[1]), "two that hold")
    request_move(location, [ids[3], ids[0]], "first")
    go(location, ids[0])
    work(lambda: look.run(ids[3]).state == "running", "the one that was moved")
    assert look.run(ids[2]).state == "queued"
    for run in ids[1:]:
        go(location, run)
    work(lambda: look.states() == ["done"] * 4, "the end")


def test_a_running_run_is_cancelled_and_can_be_retried(
    location: StoreLocation, add: Add, work: Work, look: Look
) -> None:
    (run,) = add("hold")
    work(lambda: look.holds(run), "it to hold")
    request_cancel(location, [run])
    work(lambda: look.run(run).state == "cancelled", "its end")
    assert look.run(run).message == "It cancelled."
    request_retry(location, [run])
    go(location, run)
    work(lambda: look.run(run).state == "done", "the retry's end")
    assert look.run(run).attempt == 2
    assert look.steps(run) == list(range(1, 17))


def test_a_worker_deaf_to_term_is_killed(
    location: StoreLocation,
    add: Add,
    work: Work,
    look: Look,
    queue: Queue,
    writer: StoreConnection,
) -> None:
    queue.cancel_seconds = 0.1
    (run,) = add("stubborn")
    work(lambda: look.holds(run), "it to hold")
    live = look.live(run)
    request_cancel(location, [run])
    work(lambda: look.run(run).state == "cancelled", "its end")
    assert not look.alive(live)
    kinds = [event["kind"] for event in series.events(writer, run)]
    assert "end" not in kinds
    assert look.run(run).finished is not None


def test_only_runs_that_do_not_run_are_deleted(
    location: StoreLocation, add: Add, work: Work, look: Look, writer: StoreConnection
) -> None:
    holding, quick = add("hold", "quick")
    work(lambda: look.holds(holding) and look.run(quick).state == "done", "one of two to end")
    request_delete(location, [holding, quick])
    work(lambda: not location.folder(quick).path.exists(), "the folder to go")
    assert look.states() == ["running"]
    assert transitions.requests(writer) == []
    assert series.epochs(writer, quick) == []
    assert [each.run for each in deleted_runs(location)] == [quick]


def test_notes_reach_the_folder(
    location: StoreLocation, add: Add, queue: Queue, writer: StoreConnection
) -> None:
    (run,) = add("hold")
    queue.tick(writer)
    set_note(location, run, "mind this")
    queue.tick(writer)
    assert "mind this" in location.folder(run).meta.read_text()


def test_an_attempt_lets_others_go_first(
    add: Add,
    work: Work,
    look: Look,
    queue: Queue,
    writer: StoreConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (run,) = add("hold")
    asked: list[bool] = []

    def third_time(leader: int, niceness: int) -> bool:
        done = lower_priority_of_session(leader, niceness)
        asked.append(done and len(asked) == 2)
        return asked[-1]

    monkeypatch.setattr("engine.supervisor.sessions.lower_priority_of_session", third_time)
    launcher = LocalLauncher(WORKER, niceness=11)
    nice = replace(queue, pools={None: Pool(launcher, local_slots(queue))})
    work(lambda: look.holds(run) and len(asked) > 2, "it to hold", nice)
    nice.tick(writer)
    assert asked == [False, False, True]
    live = look.live(run)
    assert live.identity is not None
    assert os.getpriority(os.PRIO_PROCESS, live.identity.pid) == 11
    kill(look, run)
    launcher._children[run, 1].wait()


def test_a_run_that_cannot_be_started_fails_with_the_reason(
    location: StoreLocation, add: Add, look: Look, queue: Queue, writer: StoreConnection
) -> None:
    first, second = add("quick", "hold")
    broken = replace(
        queue, pools={None: Pool(LocalLauncher(["/nowhere/python"]), local_slots(queue))}
    )
    broken.tick(writer)
    found = look.run(first)
    assert (found.state, found.cause) == ("failed", "launch")
    assert "No such file" in (found.message or "")
    assert look.run(second).state == "failed"
    assert not transitions.live_attempts(writer)


def test_when_several_cannot_be_started_the_queue_pauses(
    add: Add, look: Look, queue: Queue, writer: StoreConnection
) -> None:
    add(*["quick"] * 6)
    gone = LocalLauncher(["/nowhere/python"])  # as after another Python was installed
    queue.pools = {None: Pool(gone, local_slots(queue))}
    for _ in range(3):
        queue.tick(writer)
    assert look.states() == ["failed"] * 3 + ["queued"] * 3
    hold = transitions.held(writer)
    assert hold is not None
    assert hold.cause == "launch"


def test_a_folder_that_cannot_be_read_holds_up_nothing(
    location: StoreLocation, add: Add, work: Work, look: Look
) -> None:
    broken, held, waiting = add("hold", "hold", "quick")
    work(lambda: look.holds(broken) and look.holds(held), "two that hold")
    lock = location.folder(broken).lock
    lock.unlink()
    lock.symlink_to(lock.name)
    kill(look, broken)
    go(location, held)
    work(lambda: [look.run(run).state for run in (held, waiting)] == ["done"] * 2, "the others")
    lock.unlink()
    go(location, broken)
    work(lambda: look.run(broken).state == "done", "its end")


def test_a_run_whose_journal_cannot_be_read_can_be_cancelled(
    location: StoreLocation, add: Add, work: Work, look: Look
) -> None:
    (run,) = add("hold")
    work(lambda: look.holds(run), "it to hold")
    journal = location.folder(run).journal(1)
    journal.unlink()
    journal.mkdir()
    request_cancel(location, [run])
    work(lambda: look.run(run).state == "cancelled", "its end")


def test_a_row_in_the_place_of_the_next_attempt_gives_way(
    add: Add, work: Work, look: Look, writer: StoreConnection
) -> None:
    (run,) = add("quick")
    writer.execute(
        "INSERT INTO attempts (run, attempt, status, exited) VALUES (?, 1, 'lost', 0)", (run,)
    )
    work(lambda: look.run(run).state == "done", "its end")
    assert look.run(run).attempt == 1


class FullMachine(LocalLauncher):
    """Has no room for a further process."""

    def start(self, folder: RunFolder, attempt: int, slot: Slot) -> ProcessIdentity | None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")


def test_a_run_waits_for_a_machine_that_has_no_room(
    location: StoreLocation, add: Add, work: Work, look: Look, queue: Queue, writer: StoreConnection
) -> None:
    (run,) = add("quick")
    full = replace(queue, pools={None: Pool(FullMachine(), local_slots(queue))})
    for _ in range(2):
        full.tick(writer)  # a round that raised would count against the supervisor's patience
        assert look.run(run).state == "queued"
    assert location.folder(run).meta.exists()
    work(lambda: look.run(run).state == "done", "its end")
    assert (look.run(run).attempt, look.run(run).losses) == (1, 0)


def test_a_request_that_cannot_be_done_holds_up_nothing(
    location: StoreLocation, add: Add, work: Work, look: Look, writer: StoreConnection
) -> None:
    holding, quick = add("hold", "quick")
    work(lambda: look.holds(holding), "it to hold")
    shutil.rmtree(location.folder(holding).path)
    request_cancel(location, [holding, quick])
    work(lambda: look.run(quick).state in ("cancelled", "done"), "the other one")
    assert transitions.requests(writer) == []


def test_a_run_for_a_launcher_that_is_not_configured_fails_and_holds_up_nothing(
    location: StoreLocation, add: Add, work: Work, look: Look, writer: StoreConnection
) -> None:
    elsewhere, here = add("quick", "quick")
    writer.execute("UPDATE runs SET launcher = 'mars' WHERE id = ?", (elsewhere,))
    work(lambda: look.run(here).state == "done", "the other")
    found = look.run(elsewhere)
    assert (found.state, found.cause) == ("failed", "launch")
    assert "There is no launcher 'mars' any more" in (found.message or "")

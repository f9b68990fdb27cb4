"""What the queue makes of runs that hang, find no room, or die one after the other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest
from rehearsal import Look

from engine.store import queries, series, transitions
from engine.store.connect import connect_writer
from engine.store.database import StoreConnection
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.requests import request_delete, request_queue, request_retry
from engine.supervisor.queue import Queue

Add = Callable[..., list[str]]
Work = Callable[..., None]


@pytest.fixture(params=["resident", "own"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_worker_without_a_sign_of_life_is_ended_and_the_run_goes_on(
    add: Add, work: Work, queue: Queue, look: Look, writer: StoreConnection
) -> None:
    (run,) = add("freeze")
    work(lambda: look.run(run).step == 12 and look.stopped(run), "it to freeze")
    patience, queue.silent_seconds = queue.silent_seconds, 0.1
    work(lambda: look.run(run).losses == 1, "it to be given up")
    queue.silent_seconds = patience  # the next one may take its time to its first word
    work(lambda: look.run(run).state == "done", "the second attempt to end")
    assert look.run(run).attempt == 2
    assert look.epochs(run) == [1, 2, 3, 4]
    first = series.attempts(writer, run)[0]
    assert (first["status"], first["cause"]) == ("lost", "hung")


def test_a_run_that_finds_the_disk_full_waits_for_room_and_goes_on(
    add: Add,
    work: Work,
    queue: Queue,
    look: Look,
    location: StoreLocation,
    writer: StoreConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full, other = add("full", "quick")
    queue.pools = {None: replace(queue.pools[None], slots=queue.pools[None].slots[:1])}
    monkeypatch.setattr(queue, "_has_room", lambda: False)
    work(lambda: queries.queue_hold(writer) is not None, "the queue to pause")
    assert "disk is full" in str(queries.queue_hold(writer))
    assert [look.run(run).state for run in (full, other)] == ["queued", "queued"]
    assert look.epochs(full) == [1], "what was trained stays"
    (location.folder(full).path / "go").touch()
    monkeypatch.undo()
    work(lambda: look.states() == ["done", "done"], "both to end")
    assert queries.queue_hold(writer) is None
    assert look.epochs(full) == [1, 2, 3, 4]


def test_when_several_die_of_one_cause_the_queue_pauses_and_says_so(
    add: Add,
    work: Work,
    queue: Queue,
    look: Look,
    location: StoreLocation,
    writer: StoreConnection,
) -> None:
    runs = add("fail", "fail", "fail", "quick", "quick")
    queue.pools = {None: replace(queue.pools[None], slots=queue.pools[None].slots[:1])}
    work(lambda: queries.queue_hold(writer) is not None, "the queue to pause")
    said = str(queries.queue_hold(writer))
    assert "3 runs" in said
    assert runs[2] in said
    for _ in range(3):
        queue.tick(writer)
    assert look.states() == ["failed"] * 3 + ["queued"] * 2

    request_queue(location, "resume")
    request_retry(location, runs[:1])
    work(lambda: look.states()[3:] == ["done"] * 2, "the others")
    work(lambda: look.run(runs[0]).attempt == 2 and look.run(runs[0]).state == "failed", "one more")
    assert queries.queue_hold(writer) is None, "those before were seen already"


def test_runs_that_die_of_different_causes_or_late_pause_nothing(
    add: Add, work: Work, look: Look, writer: StoreConnection
) -> None:
    add("fail", "fail", "full", "full")
    work(lambda: set(look.states()) <= {"failed", "lost"}, "all to end")
    assert queries.queue_hold(writer) is None
    assert len(transitions.dying(writer, "error", within=60, short=60)) == 2
    assert transitions.dying(writer, "error", within=60, short=0.0) == []


def test_paused_by_hand_it_starts_nothing_until_it_shall(
    add: Add,
    work: Work,
    queue: Queue,
    look: Look,
    location: StoreLocation,
    writer: StoreConnection,
) -> None:
    holding, waiting = add("hold", "quick")
    queue.pools = {None: replace(queue.pools[None], slots=queue.pools[None].slots[:1])}
    work(lambda: look.holds(holding), "the first to hold")
    request_queue(location, "pause")
    queue.tick(writer)
    (location.folder(holding).path / "go").touch()
    work(lambda: look.run(holding).state == "done", "what runs goes on")
    queue.tick(writer)
    assert look.run(waiting).state == "queued"
    request_queue(location, "resume")
    work(lambda: look.run(waiting).state == "done", "the second")


def test_a_run_id_written_by_hand_leads_nowhere_and_keeps_nobody_waiting(
    add: Add, work: Work, look: Look, location: StoreLocation, writer: StoreConnection
) -> None:
    wrong, right = add("quick", "quick")
    with writer:
        writer.execute("UPDATE runs SET id = '../outside' WHERE id = ?", (wrong,))
    work(lambda: look.run(right).state == "done", "the other")
    run = look.run("../outside")
    assert run.state == "failed"
    assert "isn't a run's id" in str(run.message)
    assert not (location.runs.parent / "outside").exists()
    request_delete(location, ["../outside"])
    work(lambda: not transitions.requests(writer), "its deletion to be refused")


def test_a_pause_outlives_a_rebuild(
    add: Add, queue: Queue, look: Look, location: StoreLocation, writer: StoreConnection
) -> None:
    (waiting,) = add("quick")
    request_queue(location, "pause")
    queue.tick(writer)
    rebuild(location)
    with closing(connect_writer(location)) as fresh:
        for _ in range(2):
            queue.tick(fresh)
    assert look.run(waiting).state == "queued"


def test_a_run_that_is_always_stopped_before_a_checkpoint_ends_with_a_sentence(
    add: Add, work: Work, look: Look
) -> None:
    (run,) = add("driven")
    work(lambda: look.run(run).state == "failed", "it to be given up")
    found = look.run(run)
    assert (found.attempt, found.cause) == (3, "no-progress")
    assert "3 times before a checkpoint was written" in (found.message or "")

"""A resident worker that takes runs one after another: each of them as in a process of its own."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from resource import RLIMIT_FSIZE
from typing import Any

import pytest
from resident_process import (
    OFTEN,
    OWN_MODEL,
    ended,
    figures,
    hand_over,
    kill_halted,
    lines,
    make_run,
    small_spec,
    wait_for,
    wait_for_end,
)

from engine.files.lock import is_locked, take_lock
from engine.inbox import Assignment, WorkerFolder
from engine.process import identify
from engine.runfolder import RunFolder
from engine.supervisor.stop import Stop
from engine.worker.resident.fitness import Fitness
from engine.worker.resident.work import Resident, Terms
from engine.worker.shared import Shared

ENDLESS = {"epochs": 100_000, "patience": 100_000, "dim": 16}


def test_every_run_has_the_figures_that_it_has_in_a_process_of_its_own(
    tmp_path: Path, worker: WorkerFolder, start, reside
) -> None:
    """Trained and fitted ones, after each other in one process, the same twice, and one that is
    resumed from what another process left."""
    settings: list[tuple[str, dict[str, Any]]] = [
        ("sasrec", {"epochs": 2, "dim": 16}),
        ("ease", {}),
        ("bert4rec", {"epochs": 2, "dim": 16}),
        ("xlstm", {"epochs": 2, "dim": 16}),
        ("sasrec", {"epochs": 2, "dim": 16}),
        ("gru4rec", {"epochs": 2, "dim": 16}),
        ("markov", {}),
    ]
    specs = [small_spec(model, **chosen) for model, chosen in settings]
    alone = [make_run(tmp_path / "alone", f"run-{n}", spec) for n, spec in enumerate(specs)]
    inside = [make_run(tmp_path, f"run-{n}", spec) for n, spec in enumerate(specs)]
    for run in alone:
        start(run, constants=OFTEN).join()
    resumed = make_run(tmp_path, "resumed", specs[0])
    kill_halted(start(resumed, halt=("epoch", 2), constants=OFTEN))
    hand_over(worker, *inside)
    hand_over(worker, resumed, attempt=2)

    process = reside(constants=OFTEN)
    wait_for_end(process, worker)

    for one, other in zip([*alone, alone[0]], [*inside, resumed], strict=True):
        assert ended(other, other.newest_attempt())[0] == "done", other.log.read_text()
        assert figures(other) == figures(one)
    starts = [lines(run, "start", run.newest_attempt())[0] for run in (*inside, resumed)]
    assert {each.fields["pid"] for each in starts} == {process.pid}
    assert {each.fields["worker"] for each in starts} == {"cpu-0"}
    assert [each.t for each in starts] == sorted(each.t for each in starts)
    assert starts[-1].fields["resumed_epoch"] == 1
    assert lines(alone[0], "start")[0].fields["worker"] is None
    assert not worker.inbox.exists()


def test_what_a_run_writes_is_in_its_own_log(tmp_path: Path, worker: WorkerFolder, reside) -> None:
    """What its model prints, and what C libraries write."""
    words = 'print("Python", os.getcwd())\nos.write(2, b"descriptor\\n")\nMODEL ='
    spec = small_spec(epochs=1)
    own = make_run(tmp_path, "own", spec, OWN_MODEL.replace("MODEL =", words))
    hand_over(worker, own)
    wait_for_end(reside(), worker)
    assert ended(own)[0] == "done"
    assert own.log.read_text().splitlines() == [f"Python {own.path}", "descriptor"]
    assert worker.log.read_text() == ""


def test_a_model_of_ones_own_changes_nothing_for_other_runs(
    tmp_path: Path, worker: WorkerFolder, start, reside
) -> None:
    """A file that changes torch itself, between two runs of a model that comes with seqbench: each
    is trained by a process of its own, all of which have the same number."""
    spec = small_spec(epochs=1, dim=16)
    alone = make_run(tmp_path / "alone", "run", spec)
    start(alone).join()
    before, own, after = (
        make_run(tmp_path, name, spec, code)
        for name, code in (("before", None), ("own", OWN_MODEL), ("after", None))
    )
    hand_over(worker, before, own, after)
    process = reside()
    wait_for_end(process, worker)
    assert figures(before) == figures(after) == figures(alone)
    assert ended(own)[0] == "done"
    starts = [lines(run, "start")[0].fields for run in (before, own, after)]
    assert {each["pid"] for each in starts} == {process.pid}


def test_runs_with_other_threads_have_a_process_made_for_them(
    tmp_path: Path, worker: WorkerFolder, reside
) -> None:
    runs = [make_run(tmp_path, f"run-{n}", small_spec(epochs=1, dim=16)) for n in (1, 2)]
    for threads, run in enumerate(runs, 1):
        hand_over(worker, run, threads=threads)
    wait_for_end(reside(), worker)
    assert [lines(run, "start")[0].fields["threads"] for run in runs] == [1, 2]


def test_cancelling_a_run_leaves_the_next_one_alone(
    tmp_path: Path, worker: WorkerFolder, reside
) -> None:
    endless = make_run(tmp_path, "endless", small_spec(**ENDLESS))
    short = make_run(tmp_path, "short", small_spec(epochs=1, dim=16))
    hand_over(worker, endless, short)
    process = reside()
    wait_for(lambda: lines(endless, "epoch"), process, "an epoch")
    assert worker.has("endless", 1)
    endless.cancel.touch()
    wait_for_end(process, worker)
    assert ended(endless) == ("cancelled", "cancelled")
    assert ended(short)[0] == "done"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2])
def test_a_signal_ends_the_worker_and_its_run_in_order(
    tmp_path: Path, worker: WorkerFolder, reside, number: signal.Signals
) -> None:
    endless = make_run(tmp_path, "endless", small_spec(**ENDLESS))
    waiting = make_run(tmp_path, "waiting", small_spec(epochs=1, dim=16))
    hand_over(worker, endless, waiting)
    process = reside()
    wait_for(lambda: lines(endless, "epoch"), process, "an epoch")
    os.kill(process.pid, number)
    wait_for_end(process, worker)
    assert ended(endless) == ("preempted", "preempted")
    assert not waiting.journals()
    assert [each.name for each in worker.assignments()] == ["waiting.1.json"]


def test_a_hang_up_does_not_stop_training(tmp_path: Path, worker: WorkerFolder, reside) -> None:
    endless = make_run(tmp_path, "endless", small_spec(**ENDLESS))
    hand_over(worker, endless)
    process = reside()
    wait_for(lambda: lines(endless, "epoch"), process, "an epoch")
    os.kill(process.pid, signal.SIGHUP)
    epochs = len(lines(endless, "epoch"))
    wait_for(lambda: len(lines(endless, "epoch")) > epochs + 2, process, "further epochs")


def test_an_attempt_begins_once_at_most(
    tmp_path: Path, worker: WorkerFolder, start, reside
) -> None:
    """One that a worker died of is over; one whose run another process has is left to it; one that
    is taken back while the worker waits for the run's lock doesn't begin."""
    spec = small_spec(**ENDLESS)
    begun = make_run(tmp_path, "begun", spec)
    kill_halted(start(begun, halt=("epoch", 1)))
    busy = make_run(tmp_path, "busy", spec)
    other = start(busy)
    wait_for(lambda: lines(busy, "start"), other, "its start")
    hand_over(worker, begun)
    hand_over(worker, busy, attempt=2)
    constants = {"engine.worker.resident.work:LOCK_SECONDS": 0.0}
    wait_for_end(reside(constants=constants), worker)
    assert not lines(begun, "end")
    assert "attempt 1 has had its turn" in begun.log.read_text()
    assert not busy.journal(2).exists()
    assert other.is_alive()

    taken = make_run(tmp_path, "taken", spec)
    lock = take_lock(taken.lock)
    hand_over(worker, taken)
    process = reside(constants={"engine.worker.resident.work:LOCK_SECONDS": 1e9})
    wait_for(lambda: identify(process.pid) == worker.worker(), process, "it to have the inbox")
    worker.take_back("taken", 1)
    os.close(lock)
    wait_for_end(process, worker)
    assert not taken.journals()


def test_what_a_killed_worker_leaves_is_told_apart(
    tmp_path: Path, worker: WorkerFolder, reside
) -> None:
    """The next worker of the inbox takes what hadn't begun, and nothing else."""
    endless = make_run(tmp_path, "endless", small_spec(**ENDLESS))
    short = make_run(tmp_path, "short", small_spec(epochs=1, dim=16))
    hand_over(worker, endless, short)
    process = reside()
    wait_for(lambda: lines(endless, "epoch"), process, "an epoch")
    assert is_locked(endless.lock)
    assert worker.is_served()
    process.kill()
    process.join()
    assert not is_locked(endless.lock)
    assert not worker.is_served()
    assert worker.has("endless", 1)
    wait_for_end(reside(), worker)
    assert not lines(endless, "end")
    assert ended(short)[0] == "done"


def test_two_workers_of_one_inbox(tmp_path: Path, worker: WorkerFolder, reside) -> None:
    endless = make_run(tmp_path, "endless", small_spec(**ENDLESS))
    hand_over(worker, endless)
    first = reside()
    wait_for(lambda: lines(endless, "start"), first, "its start")
    second = reside("--lock-seconds", "0")
    wait_for_end(second, worker)
    assert "another worker has the inbox" in worker.log.read_text()
    assert first.is_alive()
    assert not lines(endless, "end")


def test_a_model_that_ends_the_process_ends_its_run_only(
    tmp_path: Path, worker: WorkerFolder, reside
) -> None:
    spec = small_spec(epochs=1, dim=16)
    leaving = OWN_MODEL.replace("states = self.items(items)", "sys.exit(3)")
    own = make_run(tmp_path, "own", spec, leaving)
    following = make_run(tmp_path, "following", spec)
    hand_over(worker, own, following)
    wait_for_end(reside(), worker)
    assert not lines(own, "end")
    assert not worker.has("own", 1)
    assert not is_locked(own.lock)
    assert ended(following)[0] == "done"


def test_a_failure_is_of_one_run(tmp_path: Path, worker: WorkerFolder, reside) -> None:
    spec = small_spec(epochs=1, dim=16)
    failing = OWN_MODEL.replace("states = self.items(items)", "raise ValueError('mine')")
    nan = OWN_MODEL.replace("self.items(items)", "self.items(items) * float('nan')")
    diverging = make_run(tmp_path, "diverging", spec, nan)
    own = make_run(tmp_path, "own", spec, failing)
    damaged = make_run(tmp_path, "damaged", spec)
    damaged.spec.write_text("{")
    gone = RunFolder(tmp_path / "gone")
    hand_over(worker, diverging, own, damaged, gone)
    (worker.inbox / "odd.1.json").write_text("{")
    process = reside()
    wait_for(lambda: not worker.has("gone", 1), process, "the last one to be over")
    (worker.inbox / "odd.1.json").unlink()
    wait_for_end(process, worker)
    assert ended(diverging) == ("failed", "diverged")
    assert ended(own) == ("failed", "error")
    assert "ValueError: mine" in lines(own, "end")[0].fields["message"]
    assert ended(damaged)[0] == "failed"
    assert not gone.path.exists()


def test_without_room_for_a_last_word_the_inbox_says_it(
    tmp_path: Path, worker: WorkerFolder, reside
) -> None:
    endless = make_run(tmp_path, "endless", small_spec(**ENDLESS))
    hand_over(worker, endless)
    never = {"engine.training.loop:CHECKPOINT_SECONDS": float("nan")}  # the journal meets it
    often = {"engine.worker.recorder:STEPS_PER_SECOND": 1e9}
    process = reside(limits={RLIMIT_FSIZE: 30_000}, constants=often | never)
    wait_for_end(process, worker)
    assert not lines(endless, "end")
    assert not endless.reserve.exists()
    assert worker.ended_without_room("endless", 1)
    assert not worker.ended_without_room("endless", 1)


def test_it_ends_with_its_store(tmp_path: Path, worker: WorkerFolder, reside) -> None:
    hand_over(worker, short := make_run(tmp_path, "short", small_spec(epochs=1, dim=16)))
    process = reside(idle_seconds=1e9)
    wait_for(lambda: lines(short, "end") and not worker.has("short", 1), process, "its run's end")
    with suppress(FileNotFoundError):
        worker.inbox.rmdir()
    wait_for_end(process, worker)


def test_an_inbox_that_cannot_be_read_for_a_moment_ends_nothing(
    tmp_path: Path, worker: WorkerFolder, reside
) -> None:
    endless = make_run(tmp_path, "endless", small_spec(**ENDLESS))
    hand_over(worker, endless)
    process = reside()
    wait_for(lambda: lines(endless, "epoch"), process, "an epoch")
    aside = worker.inbox.rename(worker.path / "aside")
    worker.inbox.symlink_to(worker.inbox)  # whoever opens it is told of too many links
    begun = len(lines(endless, "epoch"))
    wait_for(lambda: len(lines(endless, "epoch")) > begun + 20, process, "further epochs")
    worker.inbox.unlink()
    aside.rename(worker.inbox)
    hand_over(worker, short := make_run(tmp_path, "short", small_spec(epochs=1, dim=16)))
    endless.cancel.touch()
    wait_for_end(process, worker)
    assert ended(endless) == ("cancelled", "cancelled")
    assert ended(short)[0] == "done"


def test_a_run_waits_for_a_machine_that_has_no_room_for_its_thread(
    tmp_path: Path, worker: WorkerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over(worker, make_run(tmp_path, "short", small_spec(epochs=1)))
    begin, started, trained = threading.Thread.start, [], []

    def start(thread: threading.Thread) -> None:
        started.append(thread.name)
        if len(started) == 1:
            raise RuntimeError("can't start new thread")
        begin(thread)

    def train(run: RunFolder, *_: object, **__: object) -> int:
        trained.append(run.run_id)
        return 0

    monkeypatch.setattr(threading.Thread, "start", start)
    terms = Terms(idle_seconds=0.0)
    resident = Resident(worker, Fitness(1), terms, Stop(), train, Shared("cpu-0"))
    assert resident.work() is None
    assert started == ["short.1.json"] * 2
    assert trained == ["short"]
    assert resident.begun == 1


def test_a_process_is_fit_for_runs_that_it_would_train_as_one_of_their_own(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", small_spec())
    own = make_run(tmp_path, "own", small_spec(), OWN_MODEL)
    fitness = Fitness(1, visible="")
    plain = Assignment(str(run.path), 1, "cpu", 1)
    assert fitness.fits(plain), "it takes the GPUs as it finds them"
    assert not fitness.fits(replace(plain, threads=2))
    assert not fitness.fits(replace(plain, visible="GPU-1"))
    assert fitness.fits(replace(plain, folder=str(own.path))), "it hasn't trained any yet"
    fitness.trains(plain)
    assert fitness.fits(plain)
    assert not fitness.fits(replace(plain, folder=str(own.path)))
    assert Fitness(1, visible="GPU-1").fits(replace(plain, visible="GPU-1"))

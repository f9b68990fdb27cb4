"""Studies: the supervisor makes trial after trial, whatever happens to it, and trains what was
chosen."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest
from rehearsal import SUPERVISOR, Look, go, wait_for

from engine.config import Catalogue
from engine.spec import Range, RunSpec, Study, TunedModel
from engine.store import transitions
from engine.store.connect import connect_reader
from engine.store.database import StoreConnection, write
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.requests import enqueue, request_cancel, request_retry, transact
from engine.store.studies import StoredTrial, end_study, runs_under, trials_of
from engine.supervisor.queue import Queue
from engine.tuning.progress import first_trials, progress_of

Work = Callable[..., None]
Begin = Callable[..., list[str]]


@pytest.fixture
def begin(location: StoreLocation, catalogue: Catalogue) -> Begin:
    """Begin a study of models, each with the profile that says how its runs behave."""

    def enqueue_first(
        *behaviours: str,
        trials: int = 3,
        epochs: int = 4,
        final_seeds: int = 2,
        launcher: str | None = None,
        **other: object,
    ) -> list[str]:
        models, specs = [], []
        for name, behaviour in zip(("sasrec", "xlstm"), behaviours, strict=False):
            spec = catalogue.run_spec(name, "synthetic", 50, 1, overrides={"epochs": epochs})
            specs.append(spec)
            space = {"lr": Range(low=0.001, high=0.1, log=True), "dim": (16, 32, 64)}
            models.append(
                TunedModel(
                    model=name,
                    profile=behaviour,
                    architecture=spec.architecture,
                    training=spec.training,
                    space=space,
                )
            )
        study = Study(
            name="one",
            models=tuple(models),
            trials=trials,
            seed=1,
            final_seeds=final_seeds,
            **other,
        )
        return enqueue(location, first_trials(study, specs[0]), None, launcher)

    return enqueue_first


def trials(location: StoreLocation) -> list[StoredTrial]:
    with closing(connect_reader(location)) as con:
        return trials_of(con, "one")


def finals(location: StoreLocation, look: Look) -> list[str]:
    """The states of the runs of what was chosen."""
    with closing(connect_reader(location)) as con:
        runs = [run for run, _ in runs_under(con, "study-one")]
    return [look.run(run).state for run in runs]


def tried(location: StoreLocation) -> list[tuple[int, str, object]]:
    """Number, model and settings of each trial."""
    with closing(connect_reader(location)) as con:
        found = progress_of(con, "one")
    assert found is not None
    models = {model.model: model for model in found.study.models}
    return [
        (each.number, each.model, found.settings(models[each.model], each)) for each in found.trials
    ]


def is_over(location: StoreLocation, look: Look) -> bool:
    states = finals(location, look)
    return bool(states) and set(states) <= {"done"}


def test_a_study_makes_its_trials_and_trains_what_it_chose(
    location: StoreLocation, begin: Begin, work: Work, look: Look, writer: StoreConnection
) -> None:
    begin("quick", "quick")
    work(lambda: is_over(location, look), "the study to be over")
    found = trials(location)
    assert [each.number for each in found] == list(range(6))
    assert Counter(each.model for each in found) == {"sasrec": 3, "xlstm": 3}
    assert {each.state for each in found} == {"done"}
    assert {each.end for each in found} == {"over"}
    with closing(connect_reader(location)) as con:
        progress = progress_of(con, "one")
        specs = [
            RunSpec.model_validate_json(row[0])
            for row in con.rows(
                "SELECT spec FROM specs JOIN runs ON id = run WHERE profile = 'study-one'"
                " ORDER BY model, seed"
            )
        ]
    assert progress is not None
    # The rehearsals all reach the same: then it is the profile as it stands.
    assert [each.best.number for each in progress.chosen()] == [0, 1]
    assert [(spec.model, spec.seed) for spec in specs] == [
        ("sasrec", 2), ("sasrec", 3), ("xlstm", 2), ("xlstm", 3),
    ]  # fmt: skip
    for spec in specs:
        assert spec.trial is None
        assert spec.chosen_by is not None
        assert (spec.chosen_by.study, spec.chosen_by.trials) == ("one", 3)
        assert spec.chosen_by.seconds > 0
    assert len({str(each[2]) for each in tried(location)}) == 6 - 1  # the two profiles are alike
    work(lambda: not transitions.work_left(writer), "nothing to be left")


def test_a_killed_supervisor_and_a_deleted_store_cost_no_trial(
    location: StoreLocation, begin: Begin, look: Look
) -> None:
    begin("hold", trials=4)

    def start() -> subprocess.Popen[bytes]:
        log = (location.runs / "test.log").open("ab")
        with log:
            command = [*SUPERVISOR, "--db", str(location.db)]
            return subprocess.Popen(command, stdout=log, stderr=log)

    def holding(number: int) -> Callable[[], bool]:
        def is_there() -> bool:
            found = [each for each in trials(location) if each.number == number]
            return bool(found) and look.holds(found[0].run)

        return is_there

    supervisor = start()
    for number in range(4):
        wait_for(holding(number), f"trial {number} to hold")
        if number in (1, 2):
            supervisor.kill()
            supervisor.wait()
            if number == 2:
                location.db.unlink()
                rebuild(location)
            supervisor = start()
            if number == 1:
                # Between the end of a trial and the next one.
                os.kill(supervisor.pid, signal.SIGKILL)
                supervisor.wait()
                go(location, trials(location)[number].run)
                supervisor = start()
        go(location, trials(location)[number].run)
    wait_for(lambda: is_over(location, look), "the study to be over")
    supervisor.terminate()
    supervisor.wait()
    found = trials(location)
    assert [(each.number, each.state) for each in found] == [(n, "done") for n in range(4)]
    assert finals(location, look) == ["done"] * 2
    settings = tried(location)
    rebuild(location)
    assert tried(location) == settings


def test_with_one_slot_a_study_follows_from_its_seed_and_what_its_trials_reached(
    location: StoreLocation, begin: Begin, work: Work, make_queue: Callable[[], Queue]
) -> None:
    begin("quick", trials=5, final_seeds=0)
    queue = make_queue()
    local = queue.pools[None]
    queue.pools = {None: replace(local, slots=local.slots[:1])}
    work(lambda: all(each.end == "over" for each in trials(location)), "it to be over", queue)
    with closing(connect_reader(location)) as con:
        whole = progress_of(con, "one")
    assert whole is not None
    made = [replace(each, end=None) for each in whole.trials]
    for number in range(1, 5):
        again = replace(whole, trials=made[:number]).next_trial()
        assert again is not None
        assert again.model_dump(mode="json") == made[number].spec


def test_all_slots_are_used(
    location: StoreLocation, begin: Begin, work: Work, look: Look, writer: StoreConnection
) -> None:
    begin("hold", trials=3)
    work(lambda: [look.holds(each.run) for each in trials(location)] == [True, True], "two to hold")
    for each in trials(location):
        go(location, each.run)
    work(lambda: len(trials(location)) == 3 and look.holds(trials(location)[2].run), "the third")
    go(location, trials(location)[2].run)
    work(lambda: is_over(location, look), "the study to be over")


def test_failed_and_cancelled_trials_are_of_the_budget(
    location: StoreLocation, begin: Begin, work: Work, look: Look
) -> None:
    begin("fail", trials=2)
    work(lambda: [each.end for each in trials(location)] == ["over"] * 2, "it to be over")
    assert {each.state for each in trials(location)} == {"failed"}
    assert finals(location, look) == []


def test_settings_that_diverge_do_not_pause_the_queue(
    begin: Begin, add: Callable[..., list[str]], work: Work, look: Look, writer: StoreConnection
) -> None:
    (tried,), (other,) = begin("fail", trials=1), add("fail")
    work(lambda: {look.run(run).state for run in (tried, other)} == {"failed"}, "both to fail")

    def dying(cause: str) -> list[str]:
        with write(writer):
            writer.execute("UPDATE attempts SET cause = ?", (cause,))
        return transitions.dying(writer, cause, 1e9, 1e9)

    assert dying("error") == sorted([tried, other])
    assert dying("diverged") == dying("out-of-memory") == [other]


def test_a_stopped_study_trains_the_best_so_far(
    location: StoreLocation, begin: Begin, work: Work, look: Look, writer: StoreConnection
) -> None:
    begin("hold", "hold", trials=9)
    work(lambda: all(look.holds(each.run) for each in trials(location)), "two to hold")
    request_cancel(location, [trials(location)[1].run])
    work(lambda: len(trials(location)) > 2, "another one")
    transact(location, lambda con: end_study(con, "one", "stopped"))
    for each in trials(location):
        go(location, each.run)
    work(lambda: is_over(location, look), "the study to be over")
    assert len(trials(location)) == 3
    with closing(connect_reader(location)) as con:
        progress = progress_of(con, "one")
    assert progress is not None
    assert {each.model.model for each in progress.chosen()} >= {"sasrec"}
    # The folders know that it was ended.
    rebuild(location)
    assert {each.end for each in trials(location)} == {"over"}


def test_time_in_training_is_a_budget_too(
    location: StoreLocation, begin: Begin, work: Work, look: Look
) -> None:
    begin("quick", trials=50, minutes=0.5)  # an epoch of a rehearsal tells of ten seconds
    work(lambda: is_over(location, look), "the study to be over")
    spent = [each.seconds for each in trials(location)]
    assert sum(spent) >= 30
    assert sum(spent[:-2]) < 30 <= 50 * spent[0]


def test_what_was_queued_in_the_end_is_not_queued_again(
    location: StoreLocation, begin: Begin, work: Work, look: Look, writer: StoreConnection
) -> None:
    begin("quick", trials=2)
    work(lambda: is_over(location, look), "the study to be over")
    # As if it had been killed before it recorded that.
    with write(writer):
        writer.execute("UPDATE runs SET study_end = NULL WHERE study = 'one'")
    work(lambda: {each.end for each in trials(location)} == {"over"}, "it to be over again")
    assert len(finals(location, look)) == 2


def test_a_study_that_cannot_go_on_keeps_nothing_else_from_running(
    location: StoreLocation,
    begin: Begin,
    add: Callable[..., list[str]],
    work: Work,
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with caplog.at_level("INFO"):
        begin("quick")
        (other,) = add("quick")
        work(lambda: is_over(location, look), "what it has to be trained")
    assert look.run(other).state == "done"
    assert len(trials(location)) == 1
    assert any("pip install 'seqbench[tune]'" in record.message for record in caplog.records)


def test_what_this_version_cannot_train_any_more_ends_its_study_alone(
    location: StoreLocation,
    begin: Begin,
    add: Callable[..., list[str]],
    work: Work,
    look: Look,
    writer: StoreConnection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    begin("quick", "hold", trials=1)
    work(lambda: look.holds(trials(location)[1].run), "the second trial to hold")
    with write(writer):  # as if another version had taken it
        writer.execute(
            "UPDATE specs SET spec = json_set(spec, '$.training.lr', -1.0) WHERE run = ?",
            (trials(location)[1].run,),
        )
    go(location, trials(location)[1].run)
    (other,) = add("quick")
    with caplog.at_level("INFO"):
        work(lambda: {each.end for each in trials(location)} == {"over"}, "the study to be over")
    work(lambda: look.run(other).state == "done", "another run")
    assert any("one is of another version" in record.message for record in caplog.records)


def epochs_of(location: StoreLocation) -> Counter[int]:
    """How many trials trained for how many epochs."""
    return Counter(each.epoch or 0 for each in trials(location))


def test_successive_halving_trains_half_on_at_each_rung(
    location: StoreLocation, begin: Begin, work: Work, look: Look
) -> None:
    begin("quick", trials=9, epochs=9, prune="asha")
    work(lambda: is_over(location, look), "the study to be over")
    assert epochs_of(location) == {9: 2, 3: 2, 1: 5}
    assert Counter((each.state, each.cause) for each in trials(location)) == {
        ("done", "completed"): 2, ("done", "pruned"): 7,
    }  # fmt: skip
    assert not [each for each in trials(location) if each.held]
    before = [(each.run, each.state, each.cause, each.epoch) for each in trials(location)]
    rebuild(location)
    assert [(each.run, each.state, each.cause, each.epoch) for each in trials(location)] == before
    with closing(connect_reader(location)) as con:
        progress = progress_of(con, "one")
    assert progress is not None
    (chosen,) = progress.chosen()
    assert (chosen.best.epoch, chosen.trials) == (9, 9)
    # Each was trained once: no epoch was repeated when a trial went on.
    for each in trials(location):
        assert look.epochs(each.run) == list(range(1, (each.epoch or 0) + 1))


def test_few_trials_leave_one_that_is_trained_to_its_end(
    location: StoreLocation, begin: Begin, work: Work, look: Look
) -> None:
    begin("quick", trials=2, epochs=9, prune="asha", final_seeds=1)
    work(lambda: is_over(location, look), "the study to be over")
    assert epochs_of(location) == {9: 1, 1: 1}


def test_a_paused_trial_may_be_cancelled_and_one_that_comes_late_is_not_waited_for(
    location: StoreLocation, begin: Begin, work: Work, look: Look
) -> None:
    begin("quick", trials=6, epochs=9, prune="asha", final_seeds=1)
    work(lambda: sum(each.held for each in trials(location)) >= 2, "two to be paused")
    late = [each for each in trials(location) if each.held][-1].run
    request_cancel(location, [late])
    work(lambda: is_over(location, look), "the study to be over")
    assert look.run(late).state == "cancelled"
    request_retry(location, [late])
    work(lambda: look.run(late).state == "done", "it to end")
    assert not [each for each in trials(location) if each.held]


def test_a_study_waits_for_its_launcher(
    location: StoreLocation,
    begin: Begin,
    work: Work,
    queue: Queue,
    writer: StoreConnection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    begin("quick", launcher="gone")
    work(lambda: trials(location)[0].state == "failed", "the trial to fail")
    for _ in range(3):
        queue.tick(writer)
    assert len(trials(location)) == 1
    assert any("there is no launcher 'gone' any more" in each.message for each in caplog.records)
    queue.pools = {**queue.pools, "gone": queue.pools[None]}
    work(lambda: len(trials(location)) == 3, "its next trials")
    transact(location, lambda con: end_study(con, "one", "stopped"))
    queue.pools = {None: queue.pools[None]}
    work(lambda: {each.end for each in trials(location)} == {"over"}, "it to be over")


def test_a_paused_trial_whose_folder_was_deleted_keeps_nothing_from_running(
    location: StoreLocation,
    begin: Begin,
    add: Callable[..., list[str]],
    work: Work,
    make_queue: Callable[[], Queue],
    look: Look,
) -> None:
    begin("quick", trials=2, epochs=9, prune="asha", final_seeds=1)
    queue = make_queue()
    local = queue.pools[None]
    queue.pools = {None: replace(local, slots=local.slots[:1])}
    work(lambda: trials(location)[0].held, "the first to be paused", queue)
    shutil.rmtree(location.folder(trials(location)[0].run).path)
    (other,) = add("quick")
    work(lambda: look.run(other).state == "done", "another run", queue)
    work(lambda: is_over(location, look), "the study to be over", queue)
    # It was the one to train on, and did so from its start.
    assert look.epochs(trials(location)[0].run) == list(range(1, 10))


def test_a_study_without_a_further_trial_is_not_read_again_as_long_as_it_stands_so(
    location: StoreLocation,
    begin: Begin,
    work: Work,
    queue: Queue,
    look: Look,
    writer: StoreConnection,
) -> None:
    def reads() -> bool:
        said: list[str] = []
        writer.set_trace_callback(said.append)
        queue.tick(writer)
        writer.set_trace_callback(None)
        return any("FROM runs r JOIN specs" in sql for sql in said)

    begin("hold", trials=1)
    work(lambda: look.holds(trials(location)[0].run), "it to hold")
    queue.tick(writer)
    assert not reads()
    with write(writer):
        writer.execute("UPDATE runs SET held = 0")
    assert reads()

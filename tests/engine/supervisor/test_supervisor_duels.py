"""Duels: the supervisor adds seeds of both models until the paired test decides, or can't."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from rehearsal import SUPERVISOR, wait_for

from engine.analysis.duels.stored import Duel, duel_of
from engine.analysis.duels.words import as_json, verdict
from engine.config import Catalogue
from engine.spec import Range, Study, TunedModel
from engine.store.connect import connect_reader
from engine.store.database import StoreConnection, write
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.requests import enqueue, request_cancel
from engine.store.studies import final_runs, trials_of
from engine.supervisor.queue import Queue
from engine.supervisor.studies import go_on
from engine.tuning.found import find_study, stop_study
from engine.tuning.progress import first_trials

Work = Callable[..., None]
Begin = Callable[..., None]

MOST = 6
USERS = 300


@pytest.fixture
def begin(location: StoreLocation, catalogue: Catalogue) -> Begin:
    """Begin a duel of two models whose seeds reach certain ranks."""

    def enqueue_first(
        apart: float,
        spread: float = 0.02,
        behaviours: tuple[str, str] = ("quick", "quick"),
        launcher: str | None = None,
    ) -> None:
        folder = location.runs.parent / "ranks"
        folder.mkdir(parents=True)
        generator = np.random.default_rng(1)
        easy = generator.normal(2.2, 1.6, USERS)
        models = []
        for name, behaviour in zip(("sasrec", "xlstm"), behaviours, strict=True):
            own = easy + generator.normal(0, 0.3, USERS) + (apart if name == "xlstm" else 0)
            for seed in range(2, 2 + MOST):
                moved = own + generator.normal(0, spread) + generator.normal(0, 0.3, USERS)
                ranks = np.clip(np.exp(moved), 1, 1682).astype(np.int32)
                np.save(folder / f"{name}-{seed}.npy", np.stack([ranks, ranks]))
            spec = catalogue.run_spec(name, "synthetic", 50, 1, overrides={"epochs": 4})
            models.append(
                TunedModel(
                    model=name,
                    profile=behaviour,
                    architecture=spec.architecture,
                    training=spec.training,
                    space={"lr": Range(low=0.001, high=0.1, log=True)},
                )
            )
        study = Study(name="one", models=tuple(models), trials=2, seed=1, final_seeds=3, duel=MOST)
        first = catalogue.run_spec("sasrec", "synthetic", 50, 1)
        enqueue(location, first_trials(study, first), None, launcher)

    return enqueue_first


def duel(location: StoreLocation) -> Duel:
    with closing(connect_reader(location)) as con:
        found = duel_of(con, location, "one")
    assert found is not None
    return found


def seeds(location: StoreLocation) -> dict[str, list[int]]:
    """The seeds of each model's runs of what was chosen."""
    found: dict[str, list[int]] = {}
    with closing(connect_reader(location)) as con:
        for run in final_runs(con, "study-one"):
            found.setdefault(run.model, []).append(run.seed)
    return found


def is_over(location: StoreLocation) -> bool:
    return duel(location).over


def test_a_clear_difference_needs_few_seeds(
    location: StoreLocation, begin: Begin, work: Work
) -> None:
    begin(apart=1.0)
    work(lambda: is_over(location), "the duel to be over")
    found = duel(location)
    assert (found.outcome, found.winner, found.tried) == ("decided", "sasrec", 3), verdict(found)
    assert seeds(location) == {"sasrec": [2, 3, 4], "xlstm": [2, 3, 4]}
    assert found.last is not None
    assert 0 < found.last.low < found.last.difference < found.last.high
    told = verdict(found)
    assert told.startswith("sasrec is better than xlstm on synthetic at length 50: NDCG@10/test 0.")
    assert told.endswith("shown with 3 of at most 6 seeds each.")
    # The other way round it is the same verdict.
    mirrored = replace(
        found,
        study=found.study.model_copy(update={"models": found.study.models[::-1]}),
        looks=[
            replace(
                look, means=look.means[::-1], difference=-look.difference,
                low=-look.high, high=-look.low,
            )
            for look in found.looks
        ],
    )  # fmt: skip
    assert verdict(mirrored) == told
    assert as_json(found)["looks"][-1]["decided"] is True


def test_seeds_are_added_one_after_another_for_both(
    location: StoreLocation, begin: Begin, work: Work
) -> None:
    begin(apart=0.25, spread=0.06)
    seen: list[dict[str, list[int]]] = []

    def look() -> bool:
        now = seeds(location)
        if now and now != (seen[-1] if seen else None):
            seen.append(now)
        return is_over(location)

    work(look, "the duel to be over")
    found = duel(location)
    assert found.last is not None
    numbers = [look.seeds for look in found.looks]
    assert len(numbers) > 1
    assert numbers == list(range(3, 3 + len(numbers)))
    assert [each["sasrec"] for each in seen] == [list(range(2, 2 + n)) for n in numbers]
    assert all(each["sasrec"] == each["xlstm"] for each in seen)
    # Nothing but the folders is needed for the same verdict.
    told = verdict(found)
    rebuild(location)
    assert verdict(duel(location)) == told
    with closing(connect_reader(location)) as con:
        assert {each.end for each in trials_of(con, "one")} == {"over"}


def test_models_that_do_not_differ_are_not_given_all_seeds(
    location: StoreLocation, begin: Begin, work: Work
) -> None:
    begin(apart=0.0, spread=0.0)
    work(lambda: is_over(location), "the duel to be over")
    found = duel(location)
    assert found.outcome == "futile"
    assert found.tried < MOST
    assert found.outlook is not None
    assert "no difference shown, and 6 seeds would hardly show one" in verdict(found)
    assert f"6 seeds show differences of {found.outlook.smallest:.4f} or more" in verdict(found)


def test_a_killed_supervisor_and_a_deleted_store_cost_no_seed(
    location: StoreLocation, begin: Begin
) -> None:
    begin(apart=0.25, spread=0.06)

    def start() -> subprocess.Popen[bytes]:
        with (location.runs / "test.log").open("ab") as log:
            command = [*SUPERVISOR, "--db", str(location.db)]
            return subprocess.Popen(command, stdout=log, stderr=log)

    supervisor = start()
    for number in (3, 4):
        wait_for(lambda number=number: is_over(location) or duel(location).tried >= number, "seeds")
        supervisor.kill()
        supervisor.wait()
        if number == 4:
            location.db.unlink()
            rebuild(location)
        supervisor = start()
    wait_for(lambda: is_over(location), "the duel to be over")
    supervisor.terminate()
    supervisor.wait()
    found = duel(location)
    assert found.last is not None
    used = list(range(2, 2 + found.last.seeds))
    assert seeds(location) == {"sasrec": used, "xlstm": used}  # each once
    assert found.outcome in ("decided", "futile", "used up")


def of_xlstm(location: StoreLocation) -> list[str]:
    """Its runs of what was chosen, by seed: they are queued after the other model's."""
    with closing(connect_reader(location)) as con:
        return [each.run for each in final_runs(con, "study-one") if each.model == "xlstm"]


def test_a_seed_that_was_cancelled_is_left_out_and_counts(
    location: StoreLocation, begin: Begin, work: Work
) -> None:
    begin(apart=1.0)
    work(lambda: len(seeds(location)) == 2, "the first seeds")
    request_cancel(location, of_xlstm(location)[-1:])
    work(lambda: is_over(location), "the duel to be over")
    found = duel(location)
    assert (found.winner, found.tried) == ("sasrec", 4)
    assert found.last is not None
    assert found.last.seeds == 3


def test_a_model_none_of_whose_seeds_is_done_gets_no_further_one(
    location: StoreLocation, begin: Begin, work: Work
) -> None:
    begin(apart=1.0)
    work(lambda: len(seeds(location)) == 2, "the first seeds")
    request_cancel(location, of_xlstm(location))
    work(lambda: is_over(location), "the duel to be over")
    found = duel(location)
    assert (found.outcome, found.tried) == ("no conclusion", 3)
    assert verdict(found).endswith("no run of xlstm is done: no conclusion.")


def test_a_stopped_duel_gets_no_further_seed(
    location: StoreLocation, begin: Begin, work: Work, queue: Queue, writer: StoreConnection
) -> None:
    begin(apart=0.25, spread=0.06)
    work(lambda: duel(location).tried == 3, "the first seeds")
    with closing(connect_reader(location)) as con:
        found = find_study(con, "one")
    assert found is not None
    assert (found.state, found.adds_seeds) == ("comparing", True)
    stop_study(location, "one")
    work(lambda: not duel(location).under_way, "what there is to end")
    for _ in range(3):
        queue.tick(writer)
    assert duel(location).tried == 3
    assert is_over(location)


@pytest.mark.parametrize("empty", [False, True])
def test_without_ranks_nothing_is_claimed_and_no_seed_is_added(
    location: StoreLocation, begin: Begin, work: Work, empty: bool
) -> None:
    begin(apart=1.0)
    for path in (location.runs.parent / "ranks").iterdir():
        path.unlink()
        if empty:
            path.touch()
    work(lambda: is_over(location), "the duel to be over")
    found = duel(location)
    assert (found.outcome, found.tried) == ("no conclusion", 3)
    assert "sasrec and xlstm have no ranks of test users: no conclusion" in verdict(found)


def test_a_model_none_of_whose_trials_is_done_ends_the_duel(
    location: StoreLocation, begin: Begin, work: Work
) -> None:
    begin(apart=1.0, behaviours=("quick", "fail"))
    work(lambda: is_over(location), "the duel to be over")
    assert seeds(location) == {}
    assert "of one of them no trial is done: no conclusion" in verdict(duel(location))


def test_a_duel_waits_for_its_launcher(
    location: StoreLocation, begin: Begin, work: Work, queue: Queue, writer: StoreConnection
) -> None:
    begin(apart=0.25, spread=0.06, launcher="there")
    queue.pools = {None: queue.pools[None], "there": queue.pools[None]}
    work(lambda: is_over(location), "the duel to be over")
    tried = duel(location).tried
    assert tried > 3
    with write(writer):  # as it was after the first seeds
        writer.execute("UPDATE runs SET study_end = 'stopped' WHERE study = 'one'")
        writer.execute("UPDATE runs SET profile = 'other' WHERE profile = 'study-one' AND seed > 4")
    waiting = go_on(writer, location, {None})
    assert waiting == {"study one waits: there is no launcher 'there' any more."}
    assert duel(location).tried == 3
    assert go_on(writer, location, {None, "there"}) == set()
    assert duel(location).tried == 4

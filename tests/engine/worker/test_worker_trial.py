"""Trials of studies, by the real worker: there is nothing of test in them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_worker import OFTEN, lines
from test_worker_continue import Train, spec, stored, train

from engine.analysis.comparison import compare_rows
from engine.asking.reevaluation import evaluate
from engine.errors import DataError, UsageError
from engine.interchange.manifest import ArchiveError
from engine.interchange.pack import pack
from engine.interchange.unpack import unpack
from engine.planning import enqueue_amended, enqueue_further, enqueue_refits
from engine.runfolder import RunFolder
from engine.rungs import promote
from engine.spec import Prune, RunSpec, Study, Trial, TunedModel
from engine.store import queries
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.places import launch_cells, newest_runs_of_place
from engine.store.requests import enqueue, transact
from engine.store.studies import end_study, release_trial, trials_of
from engine.store.transitions import hold_trial, mark_exited, next_queued
from engine.worker.trained import open_trained

__all__ = ["train"]


@pytest.fixture
def location(tmp_path: Path) -> StoreLocation:
    return StoreLocation(tmp_path / "runs.db")


def trial(made: RunSpec, number: int = 0, prune: Prune = "none") -> RunSpec:
    model = TunedModel(
        model=made.model,
        profile=made.profile,
        architecture=made.architecture,
        training=made.training,
        space={"lr": (0.001, 0.01)},
    )
    study = Study(name="one", models=(model,), trials=3, seed=made.seed, final_seeds=1, prune=prune)
    return made.model_copy(update={"trial": Trial(number=number, study=study)})


def of_test(folder: RunFolder) -> list[str]:
    """Fields of the journal's figures, and files, that are of test."""
    fields = [
        line.fields | (line.fields.get("results") or {})
        for attempt, _ in folder.journals()
        for kind in ("epoch", "end")
        for line in lines(folder, kind, attempt)
    ]
    told = [name for each in fields for name, value in each.items() if value is not None]
    return [name for name in (*told, *(path.name for path in folder.path.iterdir()))
            if name.startswith(("test_", "users_per_second"))]  # fmt: skip


def validation(folder: RunFolder, attempt: int = 1) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in line.fields.items() if name.startswith(("valid_", "loss"))}
        for line in lines(folder, "epoch", attempt)
    ]


@pytest.mark.parametrize("model", ["sasrec", "bert4rec"])
def test_a_trial_is_as_the_run_would_be_but_for_test(
    location: StoreLocation, train: Train, model: str
) -> None:
    made = spec(model, 3, lr=0.01)
    tried, other = enqueue(location, [trial(made), made])
    folders = [train(run) for run in (tried, other)]
    assert of_test(folders[0]) == []
    assert of_test(folders[1])
    with pytest.raises(DataError, match="keeps no weights: take a run of what one chose"):
        open_trained(folders[0])
    assert validation(folders[0]) == validation(folders[1]) != []

    with closing(connect_reader(location)) as con:
        found = queries.get_run(con, tried)
        beside = queries.get_run(con, other)
    assert found is not None
    assert beside is not None
    assert (found.state, found.study, found.trial) == ("done", "one", 0)
    assert (beside.study, beside.trial) == (None, None)
    assert (found.best_epoch, found.best_valid_ndcg) == (beside.best_epoch, beside.best_valid_ndcg)
    assert "still-improving" not in (found.marks or "")
    live = stored(location, tried), found
    rebuild(location)
    with closing(connect_reader(location)) as con:
        assert (stored(location, tried), queries.get_run(con, tried)) == live


def test_a_trial_that_was_killed_goes_on(location: StoreLocation, train: Train) -> None:
    made = trial(spec(epochs=4))
    (run,) = enqueue(location, [made])
    train(run, halt=("checkpoint", 2), constants=OFTEN)
    folder = train(run)
    assert len(folder.journals()) == 2
    assert of_test(folder) == []
    with closing(connect_reader(location)) as con:
        (found,) = trials_of(con, "one")
    assert (found.state, found.number, found.model) == ("done", 0, "sasrec")
    assert found.value is not None


def test_trials_are_compared_only_if_asked_for(location: StoreLocation, train: Train) -> None:
    made = spec(epochs=1)
    tried, other = enqueue(location, [trial(made), made])
    for run in (tried, other):
        train(run)

    def runs(con: Any, filter_: str = "") -> list[object]:
        rows = compare_rows(con, filter=filter_)
        assert len(rows) == len(counted_runs(con, Choice(filter_)))
        return [row["run"] for row in rows]

    place = (made.model, made.dataset, made.length)
    with closing(connect_reader(location)) as con:
        assert runs(con) == runs(con, "epochs>0") == runs(con, "-seed:99") == [other]
        assert runs(con, "study:one") == runs(con, "trial<1 study:*") == [tried]
        assert [run.id for run in queries.list_runs(con, filter="study:one")] == [tried]
        assert {run.id for run in queries.list_runs(con)} == {tried, other}
        assert launch_cells(con)[place].counts == {"done": 1}
        assert [run.id for run in newest_runs_of_place(con, place, 9)] == [other]
    changed = enqueue_amended(location, None, tried, {"lr": 0.02})
    with closing(connect_reader(location)) as con:
        assert queries.run_spec(con, changed).trial is None


def test_what_would_look_at_test_is_refused(
    location: StoreLocation, train: Train, tmp_path: Path
) -> None:
    (run,) = enqueue(location, [trial(spec(epochs=1))])
    train(run)
    with pytest.raises(UsageError, match="is a trial of one"):
        enqueue_refits(location, None, [run])
    with pytest.raises(UsageError, match="is a trial of one"):
        enqueue_further(location, None, [run], 9)
    (found,) = evaluate(location, [run], None, "last")
    assert "trial of one" in found.problem
    with pytest.raises(UsageError, match="There is a study one already, with a trial 0"):
        enqueue(location, [trial(spec(epochs=2))])


def test_an_open_study_is_not_continued_where_it_is_imported(
    location: StoreLocation, train: Train, tmp_path: Path
) -> None:
    (run,) = enqueue(location, [trial(spec(epochs=1))])
    folder = train(run)
    assert np.isfinite(validation(folder)[0]["valid_ndcg"])
    elsewhere = StoreLocation(tmp_path / "elsewhere" / "runs.db")

    def export(name: str) -> Path:
        with closing(connect_reader(location)) as con:
            pack(con, location, tmp_path / name, filter="study:one")
        return tmp_path / name

    with pytest.raises(ArchiveError, match="is of the study one, which would go on here"):
        unpack(export("open.tar.gz"), elsewhere)
    transact(location, lambda con: end_study(con, "one", "over"))
    unpack(export("over.tar.gz"), elsewhere)
    with closing(connect_reader(elsewhere)) as con:
        assert [each.end for each in trials_of(con, "one")] == ["over"]


@pytest.mark.parametrize("model", ["sasrec", "gru4rec"])
def test_a_paused_trial_goes_on_as_if_it_had_never_been(
    location: StoreLocation, train: Train, model: str
) -> None:
    made = spec(model, 10, lr=0.01)
    pruned = trial(made, 0, "asha")
    assert pruned.trial is not None
    assert pruned.trial.study.rungs(model) == (1, 3)
    tried, other = enqueue(location, [pruned, trial(made, 1)])
    whole = train(other)

    def attempt(number: int) -> list[int]:
        """The epochs that an attempt trained, at whose end the trial is queued again."""
        folder = train(tried)
        (ended,) = lines(folder, "end", number)
        with closing(connect_writer(location)) as con, write(con):
            if ended.fields["status"] == "preempted":
                assert ended.fields["cause"] == "paused"
                mark_exited(con, tried, number)
                hold_trial(con, tried)
                assert next_queued(con, None) is None
                release_trial(con, tried)
                assert next_queued(con, None) == tried
        return [line.fields["epoch"] for line in lines(folder, "epoch", number)]

    folder = location.folder(tried)
    assert attempt(1) == [1]
    assert attempt(2) == [], "it isn't promoted"
    promote(folder, 3)
    assert attempt(3) == [2, 3]
    promote(folder, 10)
    assert attempt(4) == list(range(4, 11))
    (ended,) = lines(folder, "end", 4)
    assert (ended.fields["status"], ended.fields["cause"]) == ("done", "completed")
    found = [each for number in (1, 3, 4) for each in validation(folder, number)]
    assert found == validation(whole)

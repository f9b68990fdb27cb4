"""Runs that train again with validation included, by the real worker."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from test_worker import OFTEN, lines, results
from test_worker_continue import Train, spec, stored, train

from engine.analysis.labels.stored import label_of_run
from engine.config import load_catalogue
from engine.datasets.load import load_interactions
from engine.datasets.splitting.splits import run_split, split_data
from engine.datasets.splitting.statistics import split_counts
from engine.errors import UsageError
from engine.evaluated import evaluated_of
from engine.planning import enqueue_amended, enqueue_further, enqueue_refits
from engine.specfile import load_spec
from engine.store import queries, series
from engine.store.compare.grouping import Choice
from engine.store.connect import connect_reader
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.requests import enqueue
from engine.worker.chosen import chosen_of

__all__ = ["train"]


@pytest.fixture
def location(tmp_path: Path) -> StoreLocation:
    return StoreLocation(tmp_path / "runs.db")


def run_of(location: StoreLocation, run: str) -> queries.Run:
    with closing(connect_reader(location)) as con:
        found = queries.get_run(con, run)
    assert found is not None
    return found


@pytest.mark.parametrize("model", ["sasrec", "bert4rec"])
def test_a_refit_trains_to_the_chosen_epoch_on_validation_too(
    location: StoreLocation, train: Train, model: str
) -> None:
    (first,) = enqueue(location, [spec(model, 6, patience=2, lr=0.01)])
    old = train(first)
    before = {path.name: path.read_bytes() for path in old.path.iterdir()}
    (refit,) = enqueue_refits(location, None, [first])
    folder = train(refit)
    own, chosen = load_spec(folder), chosen_of(old)
    assert chosen is not None
    assert (own.refits, own.training.refit, own.first) == (first, True, load_spec(old))
    assert own.settings() != own.first.settings()

    (begun,), (ended,) = lines(folder, "start"), lines(folder, "end")
    told = [begun.fields, *(line.fields for line in lines(folder, "epoch"))]
    assert not [name for fields in told for name in fields if name.startswith("valid_")]
    assert (begun.fields["refits"], begun.fields["epochs"]) == (first, chosen.epoch)
    assert begun.fields["chosen"] == {"epoch": chosen.epoch, "settings": None}
    assert begun.fields["patience"] is None
    assert (ended.fields["cause"], ended.fields["best_epoch"]) == ("completed", chosen.epoch)
    data = load_interactions(own.source)
    counts, without = split_counts(run_split(data, own)), split_counts(split_data(data, own.source))
    assert begun.fields["train_interactions"] == counts.train
    assert counts.train == without.train + without.valid_targets
    assert begun.fields["test_cold"] == counts.test_cold
    assert begun.fields["test_targets"] == without.test_targets
    assert begun.fields["checksum"] == lines(old, "start")[0].fields["checksum"]
    assert before == {path.name: path.read_bytes() for path in old.path.iterdir()}

    evaluated = evaluated_of(begun.fields)
    assert evaluated is not None
    assert (evaluated.valid, evaluated.test) == (None, without.test)
    assert "validation" not in evaluated.words
    with closing(connect_reader(location)) as con:
        rows = series.epochs(con, refit)
        figures = con.execute(
            "SELECT test_ndcg_best, valid_ndcg_max FROM summaries WHERE run = ?", (refit,)
        ).fetchall()
        names = [label_of_run(con, Choice(), run, None) for run in (first, refit)]
    run = run_of(location, refit)
    assert (run.state, run.refits, run.epochs) == ("done", first, chosen.epoch)
    assert (run.best_epoch, run.best_valid_ndcg) == (chosen.epoch, None)
    assert list(map(tuple, figures)) == [(rows[-1]["test_ndcg"], None)]
    assert "still-improving" not in (run.marks or "")
    assert {row["valid_ndcg"] for row in rows} == {None}
    assert names == ["refit=false", "refit=true"]
    live = stored(location, refit), run
    rebuild(location)
    assert (stored(location, refit), run_of(location, refit)) == live


def test_a_fitted_model_is_fitted_again_with_what_was_chosen(
    location: StoreLocation, train: Train
) -> None:
    made = load_catalogue().run_spec("item-knn", "synthetic", 20, 7)
    (first,) = enqueue(location, [made])
    chosen = chosen_of(train(first))
    (refit,) = enqueue_refits(location, None, [first])
    folder = train(refit)
    (epoch,) = lines(folder, "epoch")
    assert chosen is not None
    assert chosen.settings
    assert epoch.fields["settings"] == chosen.settings
    assert epoch.fields["targets"] > lines(location.folder(first), "epoch")[0].fields["targets"]
    assert (run_of(location, refit).best_epoch, run_of(location, refit).epochs) == (1, 1)


def test_killed_and_without_the_run_that_it_refits_it_gives_the_same(
    location: StoreLocation, train: Train
) -> None:
    (first,) = enqueue(location, [spec(epochs=5, patience=50)])
    old = train(first)
    (refit,) = enqueue_refits(location, None, [first])
    train(refit, halt=("checkpoint", 2), constants=OFTEN)
    shutil.rmtree(old.path)
    folder = train(refit)
    begun = [lines(folder, "start", attempt)[0].fields for attempt in (1, 2)]
    assert begun[0]["chosen"] == begun[1]["chosen"]
    assert begun[1]["resumed_epoch"] > 0
    rebuild(location)
    (again,) = enqueue(location, [spec(epochs=5, patience=50)])
    train(again)
    (whole,) = enqueue(location, [load_spec(folder).model_copy(update={"refits": again})])
    other = train(whole)
    assert results(folder, range(1, 3)) == results(other, range(1, 2))
    ranks = [np.load(each.test_ranks, allow_pickle=False) for each in (folder, other)]
    assert np.array_equal(*ranks)


def test_what_cannot_be_refitted_is_said(location: StoreLocation, train: Train) -> None:
    (first,) = enqueue(location, [spec(epochs=2)])
    with pytest.raises(UsageError, match="is queued: only a run that is done has a chosen epoch"):
        enqueue_refits(location, None, [first])
    train(first)
    (refit,) = enqueue_refits(location, None, [first])
    with pytest.raises(UsageError, match=f"The refit of {first} exists already: {refit}"):
        enqueue_refits(location, None, [first])
    with pytest.raises(UsageError, match=f"{refit} is a refit already, of {first}"):
        enqueue_refits(location, None, [refit])
    assert enqueue_refits(location, None, [first, refit], skip=True) == []
    train(refit)
    with pytest.raises(UsageError, match=f"{refit} refits {first}: it trains to the epoch"):
        enqueue_further(location, None, [refit], 9)
    # With other settings, it is the refit of a run with these.
    other = enqueue_amended(location, None, refit, {"lr": 0.01})
    before = run_of(location, other).refits
    assert before not in (None, first)
    assert run_of(location, str(before)).state == "queued"

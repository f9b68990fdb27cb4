"""Judging data sets of every kind: what is fitted, sampled, and taken from runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.config import load_catalogue
from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.load import load_interactions
from engine.datasets.readers.source import TEST, TRAIN, VALID
from engine.datasets.splitting.splits import SplitData, given, leave_one_out, split_data, temporal
from engine.judge import fitting
from engine.judge.ask import StoredFit
from engine.judge.fitting import judge
from engine.judge.judgement import MISS, from_json, to_json
from engine.judge.models import FITTED
from engine.judge.sentence import facts, told


@pytest.fixture
def movielens(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> SplitData:
    monkeypatch.setenv("SEQBENCH_DATA", str(real_data))
    dataset = load_catalogue().datasets["ml-100k"]
    return split_data(load_interactions(dataset), dataset)


def interactions(users: int = 60, steps: int = 8, *, timed: bool = False) -> Interactions:
    generator = np.random.default_rng(1)
    items = generator.integers(1, 30, users * steps).astype(np.int32)
    times = np.tile(np.arange(steps), users) * 1_000_000 if timed else None
    return make_interactions(items, np.arange(0, len(items) + 1, steps), 30, times)


def test_movielens_100k(movielens: SplitData) -> None:
    found = judge(movielens, 50)
    assert (found.users, found.cold) == (943, movielens.cold("test").sum())
    tied = movielens.tied("test")
    assert tied is not None
    assert found.tied == tied.sum()
    assert [each.model for each in found.floors] == list(FITTED)
    assert found.floor is not None
    assert found.floor.model == "markov"
    assert found.floor.mean("recall") == pytest.approx(0.1326, abs=5e-5)
    order = found.order("ndcg")
    assert order is not None
    assert 0.4 < (order.share or 0) < 0.8
    sentence = told(found, []).sentence("recall")
    assert sentence == "943 users: differences in Recall@10 below .030 can't be shown."


@pytest.mark.parametrize("kind", ["leave-one-out", "temporal", "given"])
def test_every_kind_of_split(kind: str) -> None:
    own = interactions(timed=True)
    if kind == "leave-one-out":
        split = leave_one_out(own)
    elif kind == "temporal":
        split = temporal(own, 4_000_000, 6_000_000)
    else:
        parts = np.tile(np.repeat([TRAIN, VALID, TEST], [4, 2, 2]), own.num_users).astype(np.int8)
        split = given(make_interactions(own.items, own.offsets, 30, own.times, parts))
    found = judge(split, 5)
    each_user = 1 if kind == "leave-one-out" else 2
    assert (found.users, found.targets) == (60, 60 * each_user)
    assert {each.model for each in found.floors} == set(FITTED)
    assert all(each.ranks.shape == (60 * each_user,) for each in found.floors)
    assert all(each.values("ndcg").shape == (60,) for each in found.floors)
    assert (found.owners is None) == (each_user == 1)
    again = from_json(json.loads(json.dumps(to_json(found))))
    assert [each.mean("ndcg") for each in again.floors] == [
        each.mean("ndcg") for each in found.floors
    ]
    few = judge(split, 5, most_ranked=20)
    assert few.ranked_users == 20 // each_user
    assert all(each.values("ndcg").shape == (20 // each_user,) for each in few.floors)
    assert all((each.ranks >= 1).all() and (each.ranks <= MISS).all() for each in found.floors)


def test_without_times_recent_popularity_is_left_out() -> None:
    told_of: list[tuple[int, int | None]] = []
    found = judge(leave_one_out(interactions()), 5, None, lambda *each: told_of.append(each))
    assert {each.model for each in found.floors} == set(FITTED) - {"recent-popularity"}
    assert "needs the times" in found.left_out[0]
    assert dict(facts(told(found, [])))["ties"] == "not known: the data have no times"
    assert told_of[0][0] == 0
    assert told_of[-1][0] == told_of[-1][1]


@pytest.mark.parametrize("users", [0, 1])
def test_a_tiny_data_set_is_said_to_be_too_small(users: int) -> None:
    found = judge(leave_one_out(interactions(users)), 5)
    assert found.users == users
    assert "too few" in dict(facts(told(found, [])))["in short"]


def test_two_users_show_next_to_nothing() -> None:
    found = told(judge(leave_one_out(interactions(2)), 5), [])
    smallest = found.smallest("recall")
    assert smallest is not None
    assert smallest.value > 0.8


def test_memory_that_is_missing_leaves_a_model_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.builtin.ease.MATRICES", 2**50)
    found = judge(leave_one_out(interactions()), 5)
    assert {each.model for each in found.floors} == {"item-knn", "markov", "popularity"}
    assert sum("EASE needs" in each for each in found.left_out) == 1


def test_what_takes_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.judge.size.MOST_PRODUCTS", 60 * 6 * 30 - 1)
    found = judge(leave_one_out(interactions(timed=True)), 5)
    assert {each.model for each in found.floors} == {"markov", "popularity", "recent-popularity"}
    assert all("360 interactions with 30 items takes too long" in each for each in found.left_out)


def test_large_data_are_sampled_the_same_each_time() -> None:
    split = leave_one_out(interactions())
    found, again = (judge(split, 5, most_fitted=100, most_ranked=20) for _ in range(2))
    assert found.users == 60
    assert found.fitted_users == 100 // 6
    assert found.places is not None
    assert again.places is not None
    assert found.places.tolist() == sorted(set(found.places.tolist()))
    assert found.places.tolist() == again.places.tolist()
    for one, other in zip(found.floors, again.floors, strict=True):
        assert one.ranks.shape == (20,)
        assert one.ranks.tolist() == other.ranks.tolist()


def test_runs_that_fitted_the_same_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split, file = leave_one_out(interactions()), tmp_path / "ranks.npy"
    np.save(file, np.full((2, 60), 3, np.int32))
    fitted: list[str] = []
    really = fitting.fit_in_order

    def noted(name: str, *rest: object) -> object:
        fitted.append(name)
        return really(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(fitting, "fit_in_order", noted)
    stored = {"popularity": StoredFit(0.25, str(file)), "ease": StoredFit(0.25, "/absent")}
    found = {each.model: each for each in judge(split, 5, stored).floors}
    assert found["popularity"].valid == 0.25
    assert found["popularity"].ranks.tolist() == [3] * 60
    assert "popularity" not in fitted
    assert "ease" in fitted
    fitted.clear()
    judge(split, 5, stored, most_fitted=100)
    assert "popularity" in fitted

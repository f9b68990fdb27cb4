from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.config import load_catalogue
from engine.datasets.load import load_interactions
from engine.datasets.splits import SplitData, split_data
from engine.judge.judgement import judge


@pytest.fixture
def movielens(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> SplitData:
    monkeypatch.setenv("SEQBENCH_DATA", str(real_data))
    dataset = load_catalogue().datasets["ml-100k"]
    return split_data(load_interactions(dataset), dataset)


def test_movielens_100k(movielens: SplitData) -> None:
    found = judge(movielens, 50)
    assert (found.users, found.cold) == (943, pytest.approx(movielens.cold("test").mean()))
    assert found.tied is not None
    assert 0 < found.tied < 1
    assert set(found.floors) == {"Markov counts", "Item-kNN", "Popularity"}
    assert found.floor("ndcg")[0] == "Markov counts"
    assert found.floor("recall")[1] == pytest.approx(0.1326, abs=5e-5)
    assert 0.4 < (found.order.share("ndcg") or 0) < 0.8
    sentence = found.sentence("recall")
    assert sentence == "943 users: differences in Recall@10 below .029 can't be shown."

    perfect = np.ones((2, 943), np.int32)
    with_network = judge(movielens, 50, [perfect]).sentence("recall")
    assert with_network.endswith("the floor, Markov counts, is within .87 of the best network.")
    # Two networks that differ for few users are told apart more easily than a floor from another.
    other = perfect.copy()
    other[:, :9] = 11
    assert judge(movielens, 50, [perfect, other]).smallest("recall") < 0.01

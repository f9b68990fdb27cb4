"""All sides get the same interactions, and say when they don't."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.peers import write_atomic_file
from benchmarks.sides.pipe import split_digest
from engine.datasets.interactions import make_interactions


def test_the_time_is_the_place_in_the_history(tmp_path: Path) -> None:
    items = np.array([3, 1, 2, 2, 3], np.int32)
    interactions = make_interactions(items, np.array([0, 3, 5]), 3)
    path = tmp_path / "data" / "data.inter"
    write_atomic_file(interactions, path)
    head, *lines = path.read_text().splitlines()
    assert head == "user_id:token\titem_id:token\ttimestamp:float"
    assert [line.split("\t") for line in lines] == [
        [str(user), str(item), str(place)]
        for user, history in enumerate([[3, 1, 2], [2, 3]])
        for place, item in enumerate(history)
    ]


def test_a_split_is_known_by_its_pairs_in_any_order() -> None:
    assert split_digest([(1, 5), (0, 7)]) == split_digest([(0, 7), (1, 5)])
    assert split_digest([(1, 5), (0, 7)]) != split_digest([(1, 7), (0, 5)])

"""Which held-out items are decided by a tie, of each kind of split: two neighbours of one time in
the other order, and another one of them is held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from engine.config import load_catalogue
from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.load import open_data
from engine.datasets.problems import find_problems, sentences
from engine.datasets.splitting.splits import (
    SPLITS,
    SplitData,
    given,
    leave_one_out,
    split_data,
    temporal,
)
from engine.datasets.splitting.statistics import split_counts
from engine.spec import SplitRule

KINDS = ("leave-one-out", "temporal", "given")
HISTORIES = st.lists(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=7),
    min_size=1,
    max_size=6,
)
"""Of each user the part and the time of every interaction."""


def data_of(histories: list[list[tuple[int, int]]], kind: str) -> Interactions:
    """Histories in order, each interaction with an item of its own."""
    key = (lambda each: each) if kind == "given" else (lambda each: each[1])
    rows = [sorted(history, key=key) for history in histories]
    parts, times = (np.array([each[n] for row in rows for each in row]) for n in (0, 1))
    return make_interactions(
        np.arange(1, len(times) + 1, dtype=np.int32),
        np.cumsum([0, *map(len, rows)]),
        len(times),
        times.astype(np.int64),
        parts.astype(np.int8) if kind == "given" else None,
    )


def split_of(data: Interactions, kind: str) -> SplitData:
    if kind == "given":
        return given(data)
    return leave_one_out(data) if kind == "leave-one-out" else temporal(data, 2, 4)


def swapped(data: Interactions, place: int) -> Interactions:
    items = data.items.copy()
    items[[place, place + 1]] = items[[place + 1, place]]
    return make_interactions(items, data.offsets, data.num_items, data.times, data.parts)


@pytest.mark.parametrize("kind", KINDS)
@examples(histories=HISTORIES)
def test_a_tie_decides_where_the_other_order_holds_out_another_item(
    kind: str, histories: list[list[tuple[int, int]]]
) -> None:
    data = data_of(histories, kind)
    split, times, parts = split_of(data, kind), data.times, data.parts
    assert times is not None
    user = np.repeat(np.arange(data.num_users), np.diff(data.offsets))
    ties = [
        place
        for place in range(len(times) - 1)
        if times[place] == times[place + 1]
        and user[place] == user[place + 1]
        and (parts is None or parts[place] == parts[place + 1])
    ]
    others = [split_of(swapped(data, place), kind) for place in ties]
    counts = split_counts(split)
    for each in SPLITS:
        expected = np.zeros(len(split.users(each)), np.bool_)
        for other in others:
            expected |= other.targets(each) != split.targets(each)
        tied = split.tied(each)
        assert tied is not None
        assert tied.tolist() == expected.tolist()
        assert getattr(counts, f"{each}_tied") == expected.sum()


def test_without_times_there_is_no_tie_to_be_known() -> None:
    split = leave_one_out(make_interactions(np.array([1, 2, 3], np.int32), np.array([0, 3]), 3))
    assert split.tied("test") is None
    assert split_counts(split).test_tied is None


def said_of(name: str, rule: SplitRule) -> str:
    dataset = load_catalogue().dataset(name).model_copy(update={"split": rule})
    data = open_data(dataset).interactions
    counts = split_counts(split_data(data, dataset))
    return " ".join(sentences(find_problems(data), data, rule, counts))


def test_what_is_told_is_of_the_split(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted apart with pandas from MovieLens 100K's file, in its order."""
    if not (real_data / "ml-100k").is_dir():
        pytest.skip("ml-100k is not under SEQBENCH_DATA")
    monkeypatch.setenv("SEQBENCH_DATA", str(real_data))
    last = said_of("ml-100k", SplitRule())
    assert "decides 415 of 943 (44.0 %) test items" in last
    assert "and 599 of 943 (63.5 %) validation items" in last
    later = said_of("ml-100k", SplitRule(kind="temporal", targets="first"))
    assert "decides 16 of 90 (17.8 %) test items" in later
    assert "and 20 of 81 (24.7 %) validation items" in later
    assert "943" not in later


def test_a_remark_of_leave_one_out_is_made_of_no_other_split() -> None:
    data = data_of([[(0, 0), (0, 5)], [(0, 0), (0, 1), (0, 3), (0, 5)]], "temporal")
    found = find_problems(data)
    told = {
        kind: " ".join(
            sentences(found, data, SplitRule(kind=kind), split_counts(split_of(data, kind)))
        )
        for kind in ("leave-one-out", "temporal")
    }
    assert "Too short: 1 of 2" in told["leave-one-out"]
    assert "Leave-one-out" not in told["temporal"]

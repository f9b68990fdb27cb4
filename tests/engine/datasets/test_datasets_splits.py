from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.splitting.splits import Split, first_places, last_items, leave_one_out

V = 12
HISTORIES = st.lists(st.lists(st.integers(1, V), max_size=9), min_size=1, max_size=12)
SPLITS = st.sampled_from(["valid", "test"])


def flat(histories: list[list[int]]) -> Interactions:
    items = np.array([item for history in histories for item in history], np.int32)
    offsets = np.cumsum([0, *map(len, histories)])
    return make_interactions(items, offsets, V)


def test_an_example() -> None:
    split = leave_one_out(flat([[1, 2, 3, 4], [5, 6], [7, 7, 8], []]))
    assert split.users("test").tolist() == [0, 2]
    assert split.train_end.tolist() == [2, 6, 7, 9]
    assert split.targets("valid").tolist() == [3, 7]
    assert split.targets("test").tolist() == [4, 8]
    assert split.histories("valid", 3).tolist() == [[0, 1, 2], [0, 0, 7]]
    assert split.histories("test", 2).tolist() == [[2, 3], [7, 7]]
    assert first_places(split.interactions).tolist() == [0, 1, 2, 3, 4, 5, 6, 8]


@given(histories=HISTORIES, split=SPLITS, length=st.integers(1, 12))
def test_histories_end_right_before_their_target(
    histories: list[list[int]], split: Split, length: int
) -> None:
    halves = leave_one_out(flat(histories))
    evaluated = [history for history in histories if len(history) >= 3]
    held_out = -2 if split == "valid" else -1
    found = halves.histories(split, length)
    assert found.shape == (len(evaluated), length)
    assert found.dtype == np.int32
    for row, target, history in zip(found, halves.targets(split), evaluated, strict=True):
        before = history[:held_out][-length:]
        assert row.tolist() == [0] * (length - len(before)) + before
        assert target == history[held_out]


@given(histories=HISTORIES)
def test_training_never_reaches_what_is_held_out(histories: list[list[int]]) -> None:
    interactions = flat(histories)
    halves = leave_one_out(interactions)
    trained: set[int] = set()
    for start, end in zip(interactions.offsets[:-1], halves.train_end, strict=True):
        trained |= set(range(start, end))
    valid, test = set(halves.ends("valid").tolist()), set(halves.ends("test").tolist())
    # Every interaction has exactly one use.
    assert not trained & valid
    assert not trained & test
    assert not valid & test
    assert trained | valid | test == set(range(len(interactions.items)))


@given(histories=HISTORIES, split=SPLITS, changed=st.integers(1, V))
def test_a_target_does_not_leak_into_its_history(
    histories: list[list[int]], split: Split, changed: int
) -> None:
    interactions = flat(histories)
    halves = leave_one_out(interactions)
    items = interactions.items.copy()
    for end in halves.ends(split):
        items[end] = changed
    if split == "valid":
        items[halves.ends("test")] = changed
    other = leave_one_out(make_interactions(items, interactions.offsets, V))
    assert (other.histories(split, 5) == halves.histories(split, 5)).all()
    assert (other.targets(split) == changed).all()


@given(histories=HISTORIES, data=st.data())
def test_any_users_and_any_ends(histories: list[list[int]], data: st.DataObject) -> None:
    interactions = flat(histories)
    cuts = [
        (user, data.draw(st.integers(0, len(histories[user]))))
        for user in data.draw(st.lists(st.integers(0, len(histories) - 1), max_size=6))
    ]
    users = np.array([user for user, _ in cuts], np.int64)
    ends = interactions.offsets[users] + np.array([cut for _, cut in cuts], np.int64)
    firsts = first_places(interactions)
    for user, end, (_, cut) in zip(users, ends, cuts, strict=True):
        before = firsts[(firsts >= interactions.offsets[user]) & (firsts < end)]
        assert sorted(interactions.items[before]) == sorted(set(histories[user][:cut]))
    if len(interactions.items):
        rows = last_items(interactions, users, ends, 4)
        for row, (user, cut) in zip(rows, cuts, strict=True):
            before = histories[user][:cut][-4:]
            assert row.tolist() == [0] * (4 - len(before)) + before


@pytest.mark.parametrize("split", ["valid", "test"])
def test_nobody_to_evaluate(split: Split) -> None:
    halves = leave_one_out(flat([[1], [2, 3]]))
    assert halves.histories(split, 5).shape == (0, 5)
    assert halves.targets(split).size == 0
    assert halves.held_out(split).evaluated.size == 0

"""The temporal split, and what holds of any split: nothing leaks, nothing is trained on twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.readers.source import TEST, TRAIN, VALID
from engine.datasets.splits import (
    SPLITS,
    SplitData,
    leave_one_out,
    moments,
    split_data,
    temporal,
)
from engine.datasets.splits import given as given_split
from engine.datasets.statistics import split_counts
from engine.errors import DataError
from engine.spec import Dataset, SplitRule
from engine.training.loop import training_histories
from engine.training.windows import cut_windows, next_item_batch

V = 9
EVENTS = st.lists(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, V)), max_size=9), min_size=1, max_size=10
)
MOMENTS = st.tuples(st.integers(0, 31), st.integers(0, 31)).filter(lambda pair: pair[0] < pair[1])


def timed(histories: list[list[tuple[int, int]]]) -> Interactions:
    ordered = [sorted(history, key=lambda event: event[0]) for history in histories]
    items = np.array([item for history in ordered for _, item in history], np.int32)
    times = np.array([time for history in ordered for time, _ in history], np.int64)
    return make_interactions(items, np.cumsum([0, *map(len, ordered)]), V, times)


def trained(split: SplitData) -> list[int]:
    starts = split.interactions.offsets[:-1]
    return [
        place
        for start, end in zip(starts, split.train_end, strict=True)
        for place in range(start, end)
    ]


def split_as(kind: str, interactions: Interactions, cuts: tuple[int, int]) -> SplitData:
    if kind == "leave-one-out":
        return leave_one_out(interactions)
    if kind == "temporal":
        return temporal(interactions, *cuts)
    assert interactions.times is not None
    parts = np.array([TRAIN, VALID, TEST], np.int8)[
        np.searchsorted(cuts, interactions.times, "right")
    ]
    return given_split(replace(interactions, parts=parts))


@given(histories=EVENTS, cuts=MOMENTS)
def test_files_cut_at_two_moments_are_the_split_at_these(
    histories: list[list[tuple[int, int]]], cuts: tuple[int, int]
) -> None:
    by_files, by_time = (split_as(k, timed(histories), cuts) for k in ("given", "temporal"))
    assert by_files.train_end.tolist() == by_time.train_end.tolist()
    for each in SPLITS:
        assert by_files.users(each).tolist() == by_time.users(each).tolist()
        assert by_files.ends(each).tolist() == by_time.ends(each).tolist()


@given(
    histories=EVENTS,
    cuts=MOMENTS,
    kind=st.sampled_from(["leave-one-out", "temporal", "given"]),
)
def test_cold_targets_are_those_that_nobody_was_trained_on(
    histories: list[list[tuple[int, int]]], cuts: tuple[int, int], kind: str
) -> None:
    split = split_as(kind, timed(histories), cuts)
    items = split.interactions.items
    known = {int(items[place]) for place in trained(split)}
    counts = split_counts(split)
    for each, cold in (("valid", counts.valid_cold), ("test", counts.test_cold)):
        expected = [int(items[end]) not in known for end in split.held_out(each).ends]
        assert split.cold(each).tolist() == expected
        assert cold == sum(expected)
    for ceiling, each in zip(counts.ceilings, SPLITS, strict=True):
        users = len(split.users(each))
        assert ceiling.highest == ((users - ceiling.cold) / users if users else None)


@given(histories=EVENTS, cuts=MOMENTS)
def test_nothing_from_a_moment_on_is_known_before_it(
    histories: list[list[tuple[int, int]]], cuts: tuple[int, int]
) -> None:
    interactions = timed(histories)
    assert interactions.times is not None
    split, times = temporal(interactions, *cuts), interactions.times
    in_training = trained(split)
    assert [int(times[place]) for place in in_training if times[place] >= cuts[0]] == []
    assert sum(time < cuts[0] for time in times.tolist()) == len(in_training)
    for held_out, low, high in ((split.valid, *cuts), (split.test, cuts[1], 10**9)):
        for user, end in zip(held_out.users, held_out.ends, strict=True):
            start, last = interactions.offsets[user], interactions.offsets[user + 1]
            assert start < end < last
            assert low <= times[end] < high
            assert (times[start:end] < low).all()
        # Whoever has something in the period and something before it is evaluated.
        spans = zip(interactions.offsets[:-1], interactions.offsets[1:], strict=True)
        expected = [
            user
            for user, (start, last) in enumerate(spans)
            if (times[start:last] < low).any()
            and ((times[start:last] >= low) & (times[start:last] < high)).any()
        ]
        assert held_out.users.tolist() == expected


@settings(deadline=None)
@given(
    histories=EVENTS,
    cuts=MOMENTS,
    kind=st.sampled_from(["leave-one-out", "temporal", "given"]),
    width=st.integers(2, 5),
)
def test_windows_train_on_each_training_interaction_once_and_on_nothing_held_out(
    histories: list[list[tuple[int, int]]], cuts: tuple[int, int], kind: str, width: int
) -> None:
    interactions = timed(histories)
    split = split_as(kind, interactions, cuts)
    # Every interaction is an item of its own, so that a target tells its place.
    places = make_interactions(
        np.arange(1, len(interactions.items) + 1, dtype=np.int32),
        interactions.offsets,
        max(1, len(interactions.items)),
    )
    marked = SplitData(places, split.train_end, split.valid, split.test)
    flat = training_histories(marked, torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    windows = cut_windows(flat, width, generator)
    if len(windows):
        inputs, targets = next_item_batch(flat.items, windows, width)
        assert sorted(targets[targets > 0].tolist()) == [place + 1 for place in trained(split)]
        seen = set(inputs[inputs > 0].tolist())
    else:
        assert trained(split) == []
        seen = set()
    for held_out in (split.valid, split.test):
        assert not seen & {end + 1 for end in held_out.ends.tolist()}
    counts = split_counts(split)
    assert counts.train == len(trained(split))
    assert counts.train + counts.valid + counts.test + counts.unused == len(interactions.items)


@given(
    times=st.lists(st.integers(0, 1000), min_size=10, max_size=200),
    shares=st.sampled_from([(0.1, 0.1), (0.2, 0.3), (0.5, 0.4)]),
)
def test_shares_become_moments(times: list[int], shares: tuple[float, float]) -> None:
    rule = SplitRule(kind="temporal", valid_share=shares[0], test_share=shares[1])
    first, second = moments(np.array(times), rule)
    assert first <= second
    ordered = sorted(times)
    assert sum(time < second for time in times) <= len(times) * (1 - shares[1]) + 1
    assert first in ordered
    assert second in ordered


def test_a_set_says_how_it_is_split(make_dataset: Callable[..., Dataset]) -> None:
    histories = [[(1, 1), (5, 2), (8, 3)], [(2, 4), (6, 5)], [(9, 6)]]
    rule = {"kind": "temporal", "valid_from": 5, "test_from": 8}
    split = split_data(timed(histories), make_dataset(split=rule))
    assert split.train_end.tolist() == [1, 4, 5]
    assert split.targets("valid").tolist() == [2, 5]
    assert split.users("test").tolist() == [0]
    assert split.histories("test", 3).tolist() == [[0, 1, 2]]
    counts = split_counts(split)
    assert (counts.train, counts.valid, counts.test, counts.unused) == (2, 2, 1, 1)
    assert split_data(timed(histories), make_dataset()).users("test").tolist() == [0]


def test_a_temporal_split_needs_times_and_both_sides(make_dataset: Callable[..., Dataset]) -> None:
    timeless = make_interactions(np.array([1, 2, 3], np.int32), np.array([0, 3]), 3)
    with pytest.raises(DataError, match="its source has no times"):
        split_data(timeless, make_dataset(split={"kind": "temporal"}))
    rule = {"kind": "temporal", "valid_from": 50, "test_from": 80}
    with pytest.raises(DataError, match="in the validation period: choose other moments"):
        split_data(timed([[(1, 1), (5, 2)]]), make_dataset(split=rule))


@pytest.mark.parametrize(
    "wrong",
    [
        {"valid_from": 5},
        {"valid_from": 5, "test_from": 5},
        {"valid_share": 0.5, "test_share": 0.5},
        {"valid_share": 0.0},
    ],
)
def test_rules_that_make_no_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="valid"):
        SplitRule.model_validate({"kind": "temporal"} | wrong)

"""The temporal split, and what holds of any split: nothing leaks, nothing is trained on twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.readers.source import TEST, TRAIN, VALID
from engine.datasets.splitting.splits import (
    SPLITS,
    SplitData,
    leave_one_out,
    moments,
    split_data,
    temporal,
    with_validation,
)
from engine.datasets.splitting.splits import given as given_split
from engine.datasets.splitting.statistics import split_counts
from engine.errors import DataError
from engine.spec import Dataset, SplitRule, Targets
from engine.training.setup import training_histories
from engine.training.windows import cut_windows, next_item_batch

V = 9
EVENTS = st.lists(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, V)), max_size=9), min_size=1, max_size=10
)
RULES = st.sampled_from(get_args(Targets))
DRAWN = [5, 5, 9, 9, 7, 5]
"""Places of the first users' random targets."""
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


def split_as(
    kind: str,
    interactions: Interactions,
    cuts: tuple[int, int],
    targets: Targets = "successive",
) -> SplitData:
    if kind == "leave-one-out":
        return leave_one_out(interactions)
    if kind == "temporal":
        return temporal(interactions, *cuts, targets)
    assert interactions.times is not None
    parts = np.array([TRAIN, VALID, TEST], np.int8)[
        np.searchsorted(cuts, interactions.times, "right")
    ]
    return given_split(replace(interactions, parts=parts), targets)


@given(histories=EVENTS, cuts=MOMENTS, targets=RULES)
def test_files_cut_at_two_moments_are_the_split_at_these(
    histories: list[list[tuple[int, int]]], cuts: tuple[int, int], targets: Targets
) -> None:
    both = ("given", "temporal")
    by_files, by_time = (split_as(k, timed(histories), cuts, targets) for k in both)
    assert by_files.train_end.tolist() == by_time.train_end.tolist()
    for each in SPLITS:
        assert by_files.users(each).tolist() == by_time.users(each).tolist()
        assert by_files.ends(each).tolist() == by_time.ends(each).tolist()


@given(
    histories=EVENTS,
    cuts=MOMENTS,
    kind=st.sampled_from(["leave-one-out", "temporal", "given"]),
    targets=RULES,
    refit=st.booleans(),
)
def test_cold_targets_are_those_that_nobody_was_trained_on(
    histories: list[list[tuple[int, int]]],
    cuts: tuple[int, int],
    kind: str,
    targets: Targets,
    refit: bool,
) -> None:
    split = split_as(kind, timed(histories), cuts, targets)
    split = with_validation(split) if refit else split
    items, offsets = split.interactions.items, split.interactions.offsets
    known = {int(items[place]) for place in trained(split)}
    counts = split_counts(split)
    for each, cold, strangers in (
        ("valid", counts.valid_cold, counts.valid_cold_users),
        ("test", counts.test_cold, counts.test_cold_users),
    ):
        users, ends = split.users(each).tolist(), split.ends(each).tolist()
        expected = [int(items[end]) not in known for end in ends]
        never = {user for user in users if split.train_end[user] == offsets[user]}
        assert split.cold(each).tolist() == expected
        assert (cold, strangers) == (sum(expected), len(never))
        warm = [not (c or u in never) for u, c in zip(users, expected, strict=True)]
        assert split.warm(each).tolist() == warm
    for ceiling, each in zip(counts.ceilings, SPLITS, strict=True):
        shares: dict[int, list[bool]] = {}
        for user, cold in zip(split.users(each).tolist(), split.cold(each), strict=True):
            shares.setdefault(user, []).append(not cold)
        means = [sum(some) / len(some) for some in shares.values()]
        assert ceiling.targets == len(split.users(each))
        highest = sum(means) / len(means) if means else None
        assert ceiling.highest == (None if highest is None else pytest.approx(highest))


@given(histories=EVENTS, cuts=MOMENTS, targets=RULES)
def test_nothing_from_a_moment_on_is_known_before_it(
    histories: list[list[tuple[int, int]]], cuts: tuple[int, int], targets: Targets
) -> None:
    interactions = timed(histories)
    assert interactions.times is not None
    split, times = temporal(interactions, *cuts, targets), interactions.times
    in_training = trained(split)
    assert [int(times[place]) for place in in_training if times[place] >= cuts[0]] == []
    assert sum(time < cuts[0] for time in times.tolist()) == len(in_training)
    for held_out, low, high in ((split.valid, *cuts), (split.test, cuts[1], 10**9)):
        for user, end in zip(held_out.users, held_out.ends, strict=True):
            start, last = interactions.offsets[user], interactions.offsets[user + 1]
            assert start < end < last
            assert low <= times[end] < high
            assert (times[start:end] <= times[end]).all()
        spans = zip(interactions.offsets[:-1], interactions.offsets[1:], strict=True)
        expected, missed = [], 0
        for user, (start, last) in enumerate(spans):
            inside = [place for place in range(start, last) if low <= times[place] < high]
            having = [place for place in inside if place > start]
            match targets:
                case "successive":
                    expected += [(user, place) for place in having]
                    missed += len(inside) - len(having)
                case "first":
                    expected += [(user, place) for place in inside[:1] if place > start]
                    missed += inside[:1] == [start]
                case _:
                    expected += [(user, place) for place in having[-1:]]
                    missed += inside == [start]
        found = list(zip(held_out.users.tolist(), held_out.ends.tolist(), strict=True))
        if targets == "random":  # one of those that the last one could be
            assert [user for user, _ in found] == [user for user, _ in expected]
        else:
            assert found == expected
        assert held_out.without_history == missed


@given(histories=EVENTS, cuts=MOMENTS, kind=st.sampled_from(["temporal", "given"]))
def test_one_target_is_one_of_the_successive_ones(
    histories: list[list[tuple[int, int]]], cuts: tuple[int, int], kind: str
) -> None:
    every = split_as(kind, timed(histories), cuts)
    for targets in ("first", "last", "random"):
        one = split_as(kind, timed(histories), cuts, targets)
        again = split_as(kind, timed(histories), cuts, targets)
        for each in SPLITS:
            assert set(one.ends(each).tolist()) <= set(every.ends(each).tolist())
            assert one.users(each).tolist() == sorted(set(one.users(each).tolist()))
            assert one.ends(each).tolist() == again.ends(each).tolist()
            if targets != "first":
                assert one.users(each).tolist() == every.held_out(each).evaluated.tolist()
    last = split_as(kind, timed(histories), cuts, "last")
    for each in SPLITS:
        rows = every.held_out(each).last
        assert last.ends(each).tolist() == every.ends(each)[rows].tolist()


def test_a_random_target_may_be_any_and_stays_the_same() -> None:
    many = timed([[(time, 1) for time in range(10)]] * 5_000)
    places = temporal(many, 1, 5, "random").ends("test") % 10
    counts = np.bincount(places, minlength=10)
    assert counts[:5].tolist() == [0] * 5
    assert (np.abs(counts[5:] - 1_000) < 120).all()
    assert places[:6].tolist() == DRAWN


@given(histories=EVENTS, cuts=MOMENTS, data=st.data())
def test_targets_of_some_users_are_all_of_theirs(
    histories: list[list[tuple[int, int]]], cuts: tuple[int, int], data: st.DataObject
) -> None:
    held_out = temporal(timed(histories), *cuts).test
    count = len(held_out.evaluated)
    some = sorted(data.draw(st.sets(st.integers(0, count - 1)) if count else st.just(set())))
    rows = held_out.rows(np.array(some, np.int64))
    chosen = {int(held_out.evaluated[place]) for place in some}
    expected = [place for place, user in enumerate(held_out.users.tolist()) if user in chosen]
    assert rows.tolist() == expected
    part = held_out.at(rows)
    assert part.evaluated.tolist() == sorted(chosen)


@given(
    histories=EVENTS,
    cuts=MOMENTS,
    kind=st.sampled_from(["leave-one-out", "temporal", "given"]),
    targets=RULES,
)
def test_a_refit_trains_on_all_but_what_test_holds_out(
    histories: list[list[tuple[int, int]]], cuts: tuple[int, int], kind: str, targets: Targets
) -> None:
    split = split_as(kind, timed(histories), cuts, targets)
    refit, own = with_validation(split), split.interactions
    spans = list(zip(own.offsets[:-1].tolist(), own.offsets[1:].tolist(), strict=True))
    if kind == "leave-one-out":
        known = [each for start, last in spans for each in range(start, last - (last - start > 2))]
    else:
        assert own.times is not None
        period = own.times < cuts[1] if kind == "temporal" else own.parts < TEST
        known = np.flatnonzero(period).tolist()
    assert trained(refit) == known
    assert set(trained(split)) | set(split.valid.ends.tolist()) <= set(known)
    assert not set(split.test.ends.tolist()) & set(known)
    assert (len(refit.valid.users), refit.test) == (0, split.test)


@settings(deadline=None)
@given(
    histories=EVENTS,
    cuts=MOMENTS,
    kind=st.sampled_from(["leave-one-out", "temporal", "given"]),
    targets=RULES,
    width=st.integers(2, 5),
    refit=st.booleans(),
)
def test_windows_train_on_each_training_interaction_once_and_on_nothing_held_out(
    histories: list[list[tuple[int, int]]],
    cuts: tuple[int, int],
    kind: str,
    targets: Targets,
    width: int,
    refit: bool,
) -> None:
    interactions = timed(histories)
    split = split_as(kind, interactions, cuts, targets)
    split = with_validation(split) if refit else split
    until = cuts[refit]
    # Every interaction is an item of its own, so that a target tells its place.
    places = make_interactions(
        np.arange(1, len(interactions.items) + 1, dtype=np.int32),
        interactions.offsets,
        max(1, len(interactions.items)),
    )
    marked = replace(split, interactions=places)
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
    # Neither a target nor anything that its user did later was trained on.
    offsets = interactions.offsets
    for held_out in (split.valid, split.test):
        for user, end in zip(held_out.users.tolist(), held_out.ends.tolist(), strict=True):
            assert not seen & set(range(end + 1, int(offsets[user + 1]) + 1))
            if kind == "temporal":  # and nor was anything that anyone did later
                assert interactions.times is not None
                assert (interactions.times[[each - 1 for each in seen]] < until).all()
                assert interactions.times[end] >= until
    counts = split_counts(split)
    assert counts.train == len(trained(split))
    held = counts.valid_targets + counts.test_targets
    assert counts.train + held + counts.unused == len(interactions.items)
    assert (counts.valid, counts.test) == tuple(
        len(set(split.users(each).tolist())) for each in SPLITS
    )


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


@given(
    times=st.lists(st.integers(0, 1000), min_size=10, max_size=200),
    quantile=st.sampled_from([0.5, 0.9, 0.95, 0.975]),
)
def test_a_quantile_becomes_moments(times: list[int], quantile: float) -> None:
    rule = SplitRule(kind="temporal", quantile=quantile)
    valid_from, test_from = moments(np.array(times), rule)
    series = pd.Series(times)
    train = series[series <= series.quantile(quantile)]
    assert (series < test_from).tolist() == (series <= series.quantile(quantile)).tolist()
    assert (train < valid_from).tolist() == (train <= train.quantile(quantile)).tolist()


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
    assert (counts.test_without_history, counts.test_cold_users) == (1, 0)
    more = timed([[(1, 1), (5, 2), (8, 3), (9, 1)], [(2, 4), (6, 5)], [(9, 6), (10, 7)]])
    split = split_data(more, make_dataset(split=rule, items=V))
    assert split.users("test").tolist() == [0, 0, 2]
    assert split.histories("test", 3).tolist() == [[0, 1, 2], [1, 2, 3], [0, 0, 6]]
    counts = split_counts(split)
    assert (counts.test, counts.test_targets, counts.test_cold_users) == (2, 3, 1)
    split = split_data(more, make_dataset(split=rule | {"targets": "first"}, items=V))
    assert split.users("test").tolist() == [0]
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
        {"valid_from": 1, "test_from": 5, "quantile": 0.9},
        {"quantile": 1.0},
        {"kind": "given", "quantile": 0.9},
        {"kind": "leave-one-out", "targets": "last"},
        {"targets": "second"},
    ],
)
def test_rules_that_make_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"valid|quantile|targets"):
        SplitRule.model_validate({"kind": "temporal"} | wrong)

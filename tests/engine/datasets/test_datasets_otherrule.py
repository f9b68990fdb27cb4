"""Which other rules a trained model may be ranked by: nothing of training is a target there."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_datasets_temporal import EVENTS, MOMENTS, RULES, split_as, timed, trained

from engine.datasets.splitting.otherrule import asked_rule, refuse_other_training, rule_name
from engine.datasets.splitting.splits import SplitData, temporal
from engine.errors import DataError
from engine.spec import SplitRule, Targets
from engine.spec.data import SplitKind

KINDS = st.sampled_from(get_args(SplitKind))
Events = list[list[tuple[int, int]]]


def is_allowed(own: SplitData, other: SplitData, rule: SplitRule) -> bool:
    try:
        refuse_other_training(own, other, rule)
    except DataError:
        return False
    return True


@given(histories=EVENTS, kinds=st.tuples(KINDS, KINDS), cuts=st.tuples(MOMENTS, MOMENTS),
       targets=st.tuples(RULES, RULES))  # fmt: skip
def test_nothing_of_training_and_nothing_before_it_is_a_target(
    histories: Events,
    kinds: tuple[SplitKind, SplitKind],
    cuts: tuple[tuple[int, int], tuple[int, int]],
    targets: tuple[Targets, Targets],
) -> None:
    data = timed(histories)
    own, other = (split_as(*each) for each in zip(kinds, (data, data), cuts, targets, strict=True))
    rule = asked_rule(SplitRule(), kinds[1], None)
    if not is_allowed(own, other, rule):
        return
    places = np.array(trained(own), np.int64)
    owner = np.repeat(np.arange(len(histories)), np.diff(data.offsets))
    assert data.times is not None
    for user, end in zip(other.test.users, other.test.ends, strict=True):
        assert end not in places
        assert not (places[owner[places] == user] > end).any(), "a later one was trained on"
        assert end not in own.valid.ends, "the epoch was chosen by it"
        if kinds[1] == "temporal":
            assert (data.times[places] < data.times[end]).all()
    assert trained(other) == places.tolist()


@given(histories=EVENTS, cuts=MOMENTS, targets=st.tuples(RULES, RULES))
def test_other_targets_of_the_same_split_are_allowed(
    histories: Events, cuts: tuple[int, int], targets: tuple[Targets, Targets]
) -> None:
    own, other = (temporal(timed(histories), *cuts, each) for each in targets)
    assert is_allowed(own, other, SplitRule(kind="temporal", targets=targets[1]))


def test_a_later_test_period_is_allowed_and_an_earlier_one_is_not() -> None:
    data = timed([[(time, 1 + time % 9) for time in range(20)] for _ in range(4)])
    rule = SplitRule(kind="temporal")
    own = temporal(data, 10, 15)
    assert is_allowed(own, temporal(data, 10, 17), rule)
    for cuts, why in (
        ((10, 13), r"its epoch was chosen on what temporal-successive tests \(8 of the 28 targets"),
        ((8, 15), "it was trained on 40 interactions, and a run under temporal-successive would be "
         "on 32 that aren't all the same"),
        ((5, 8), r"ranked on what it was trained on \(8 of the 48 targets of 4 test users\)"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=why):
            refuse_other_training(own, temporal(data, *cuts), rule)


def test_the_rule_keeps_the_runs_moments() -> None:
    own = SplitRule(kind="temporal", quantile=0.9)
    assert asked_rule(own, None, "last") == SplitRule(kind="temporal", quantile=0.9, targets="last")
    assert asked_rule(own, "temporal", None) == own
    assert asked_rule(own, "leave-one-out", None) == SplitRule()
    assert asked_rule(SplitRule(), "temporal", "first").targets == "first"
    assert [rule_name(each) for each in (SplitRule(), own)] == [
        "leave-one-out",
        "temporal-successive",
    ]
    with pytest.raises(DataError, match=r"one target per user, .*: train the model under a split"):
        asked_rule(SplitRule(), None, "last")
    with pytest.raises(DataError, match=r"one target per user, .*: leave out --targets\.$"):
        asked_rule(own, "leave-one-out", "last")

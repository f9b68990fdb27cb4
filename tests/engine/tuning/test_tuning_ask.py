"""What is tried next."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UserError
from engine.spec import Range, Sampler, Space
from engine.tuning.ask import Past, Settings, ask

SPACE: Space = {
    "lr": Range(low=0.0001, high=0.1, log=True),
    "dropout": Range(low=0.0, high=0.9, step=0.1),
    "layers": Range(low=1, high=6),
    "dim": (16, 32, 64, 128),
}


def known(settings: Settings) -> float:
    """A function with its maximum, 0, at lr=.003, dropout=.4, layers=2, dim=64."""
    return -(
        math.log10(settings["lr"] / 0.003) ** 2
        + (settings["dropout"] - 0.4) ** 2
        + ((settings["layers"] - 2) / 5) ** 2
        + (math.log2(settings["dim"] / 64) / 3) ** 2
    )


def searched(
    sampler: Sampler, seed: int, trials: int, value: Callable[[Settings], float] = known
) -> list[Past]:
    past: list[Past] = []
    for number in range(trials):
        found = ask(SPACE, sampler, seed, number, trials, past)
        assert found is not None
        past.append(Past(found, "done", value(found)))
    return past


def best(past: list[Past]) -> float:
    return max(each.value for each in past if each.value is not None)


def test_learning_from_trials_beats_chance_on_a_known_function() -> None:
    found = {
        sampler: [best(searched(sampler, seed, 30)) for seed in range(5)]
        for sampler in ("tpe", "random")
    }
    assert fmean(found["tpe"]) > fmean(found["random"])


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_study_is_the_same_again_and_another_seed_another(sampler: Sampler) -> None:
    once, again, other = (searched(sampler, seed, 12) for seed in (1, 1, 2))
    assert once == again
    assert [each.settings for each in once] != [each.settings for each in other]
    # Nothing is remembered between two questions.
    assert ask(SPACE, sampler, 1, 7, 12, once[:7]) == once[7].settings


def test_what_runs_and_what_failed_count_as_such() -> None:
    past = searched("tpe", 1, 10)
    found = ask(SPACE, "tpe", 1, 20, 30, past)
    assert found is not None
    beside = [found | {"lr": found["lr"] * (1 + number / 50)} for number in range(1, 11)]
    failed = [Past(each, "failed", None) for each in beside]
    running = [Past(each, "running", None) for each in beside]
    assert ask(SPACE, "tpe", 1, 20, 30, [*past, *failed]) == found
    assert ask(SPACE, "tpe", 1, 20, 30, [*past, *running]) != found


def test_nothing_is_tried_twice_until_there_is_nothing_else() -> None:
    space: Space = {"dim": (1, 2, 3), "layers": Range(low=1, high=2)}
    past: list[Past] = []
    for number in range(8):
        found = ask(space, "random", 3, number, 8, past)
        assert found is not None
        past.append(Past(found, "done", 0.5))
    tried = [tuple(each.settings.values()) for each in past]
    assert len(set(tried[:5])) == 5
    assert len(set(tried)) <= 6


def test_a_profile_outside_the_space_is_learnt_from_as_far_as_it_is_inside() -> None:
    outside = {"lr": 5.0, "dropout": 0.4, "layers": 2, "dim": 1000}
    found = ask(SPACE, "tpe", 1, 1, 20, [Past(outside, "done", 0.3)])
    assert found is not None
    assert found.keys() == SPACE.keys()


def test_impossible_settings_are_not_drawn() -> None:
    past: list[Past] = []
    for number in range(6):
        found = ask(SPACE, "random", 1, number, 6, past, lambda each: each["dim"] > 32)
        assert found is not None
        assert found["dim"] > 32
        past.append(Past(found, "done", 0.1))
    with pytest.raises(UserError, match="None of the settings"):
        ask(SPACE, "random", 1, 7, 8, past, lambda _: False)


def test_a_space_that_cannot_be_drawn_from_is_said() -> None:
    space: Space = {"lr": Range.model_construct(low=0.0, high=0.5, log=False, step=1e-300)}
    with pytest.raises(UserError, match="Optuna can't draw from the space: "):
        ask(space, "random", 1, 0, 9, [])


def test_a_grid_is_walked_once_without_what_was_tried() -> None:
    space: Space = {"dropout": Range(low=0.0, high=0.3, step=0.1), "dim": (16, 32)}
    past = [Past({"dropout": 0.1, "dim": 32}, "done", 0.5)]
    while (found := ask(space, "grid", 1, len(past), 99, past)) is not None:
        past.append(Past(found, "failed", None))
    tried = [(each.settings["dropout"], each.settings["dim"]) for each in past]
    assert tried[1:4] == [(0.0, 16), (0.0, 32), (0.1, 16)]
    assert sorted(tried) == [(d, n) for d in (0.0, 0.1, 0.2, 0.3) for n in (16, 32)]
    with pytest.raises(UserError, match="A grid needs the values of lr"):
        ask(SPACE, "grid", 1, 0, 9, [])


NUMBERS = st.tuples(st.floats(0.001, 10), st.floats(0.001, 10)).filter(lambda two: two[0] < two[1])
CHOICES = st.one_of(
    st.lists(st.sampled_from([1, 2, 0.5, "a", True]), min_size=1, unique_by=repr).map(tuple),
    st.builds(lambda two, log: Range(low=two[0], high=two[1], log=log), NUMBERS, st.booleans()),
    st.builds(lambda low, steps, step: Range(low=low, high=low + steps * (step or 1), step=step),
              st.integers(0, 9), st.integers(1, 30), st.sampled_from([None, 1, 3])),
)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(
    space=st.dictionaries(st.sampled_from(["a", "b", "c"]), CHOICES, min_size=1),
    sampler=st.sampled_from(["tpe", "random"]),
    seed=st.integers(0, 2**31 - 1),
)
def test_what_is_drawn_is_in_the_space(space: Space, sampler: Sampler, seed: int) -> None:
    past: list[Past] = []
    for number in range(6):
        found = ask(space, sampler, seed, number, 6, past)
        assert found is not None
        for name, choice in space.items():
            if isinstance(choice, Range):
                assert choice.has(found[name])
            else:
                assert any(found[name] is each or found[name] == each for each in choice)
        past.append(Past(found, "done", number / 10))


def test_without_optuna_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UserError, match=r"pip install 'seqbench\[tune\]'"):
        ask(SPACE, "tpe", 1, 0, 9, [])

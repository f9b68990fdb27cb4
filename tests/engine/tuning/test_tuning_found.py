"""How a study stands by its trials."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import load_catalogue
from engine.spec import Study, TunedModel
from engine.store.studies import StoredTrial
from engine.tuning.found import StudyFound, best_first, best_so_far, setting_names, settings_of
from engine.tuning.progress import Progress

FIRST = load_catalogue().run_spec("sasrec", "synthetic", 50, 1)
MODELS = tuple(
    TunedModel(
        model=name,
        profile="reference",
        architecture=FIRST.architecture,
        training=FIRST.training,
        space=space,
    )
    for name, space in (("sasrec", {"lr": (0.1, 0.2)}), ("own", {"dim": (8,), "lr": (0.1,)}))
)
STUDY = Study(name="one", models=MODELS, trials=9, seed=1, final_seeds=2)
SPEC = FIRST.model_dump(mode="json")


def trial(number: int, **fields: Any) -> StoredTrial:
    """A trial that is done, but for what is said."""
    known = {
        "run": f"r{number}", "number": number, "model": "sasrec", "state": "done", "value": 0.1,
        "seconds": 9.0, "epoch": 3, "best_epoch": 2, "held": False, "cause": "completed",
        "launcher": None, "end": None, "spec": SPEC,
    }  # fmt: skip
    return StoredTrial(**(known | fields))


def found(*trials: StoredTrial) -> StudyFound:
    return StudyFound(Progress(STUDY, FIRST, trials), ())


PAUSED = {"state": "queued", "held": True}
PRUNED = {"cause": "pruned"}


def test_a_trial_stands_as_its_run_or_is_paused_or_pruned() -> None:
    standings = [
        trial(0, **fields).standing
        for fields in ({}, PAUSED, PRUNED, {"state": "failed"}, {"state": "running", "cause": None})
    ]
    assert standings == ["done", "paused", "pruned", "failed", "running"]


def test_a_study_counts_what_has_ended_or_is_paused() -> None:
    study = found(trial(0), trial(1, **PAUSED), trial(2, state="running"), trial(3, state="queued"))
    assert (study.ended, study.paused, study.state) == (2, 1, "tuning")
    assert found(trial(0, end="stopped")).state == "stopping"
    assert found(trial(0, end="over")).state == "done"


@pytest.mark.parametrize("end", [None, "stopped", "over"])
def test_the_json_tells_each_trial(end: Any) -> None:
    told = found(trial(0, end=end), trial(1, **PRUNED, end=end)).as_json()
    assert [(each["trial"], each["state"]) for each in told["trials"]] == [
        (0, "done"), (1, "pruned"),
    ]  # fmt: skip
    assert [each["trial"] for each in told["chosen"]] == [0]


def test_the_settings_of_a_study_and_of_a_trial_that_is_not_its_own() -> None:
    progress = found(trial(0), trial(1, model="stranger")).progress
    assert setting_names(STUDY) == ["lr", "dim"]
    assert settings_of(progress, progress.trials[0]) == {"lr": FIRST.training.lr}
    assert settings_of(progress, progress.trials[1]) == {}


kinds = st.sampled_from([{}, PAUSED, PRUNED, {"state": "failed"}, {"state": "running"}])
values = st.none() | st.floats(0, 1)


@given(st.lists(st.tuples(kinds, values, st.sampled_from(["sasrec", "own"])), max_size=12))
def test_the_best_so_far_is_what_would_be_chosen_of_the_trials_by_then(
    tried: list[tuple[dict[str, Any], float | None, str]],
) -> None:
    trials = [
        trial(number, **kind, value=value, model=model)
        for number, (kind, value, model) in enumerate(tried)
    ]
    for model in MODELS:
        own = [each for each in trials if each.model == model.model]
        steps = best_so_far(own)
        expected = {}
        for number in range(1, len(own) + 1):
            best = Progress(STUDY, FIRST, own[:number]).best(model)
            if best is not None and best.value is not None:
                expected[number] = best.value
        assert dict(steps) == expected


@given(st.lists(st.tuples(kinds, values), max_size=8))
def test_the_best_that_can_be_chosen_is_listed_first(
    tried: list[tuple[dict[str, Any], float | None]],
) -> None:
    trials = [trial(number, **kind, value=value) for number, (kind, value) in enumerate(tried)]
    listed = sorted(trials, key=best_first)
    best = Progress(STUDY, FIRST, [replace(each) for each in trials]).best(MODELS[0])
    if best is not None and best.value is not None:
        assert listed[0].run == best.run

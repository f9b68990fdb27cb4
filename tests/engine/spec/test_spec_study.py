"""Trials of studies, and runs of what studies chose: what they are known by."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.config import load_catalogue
from engine.spec import ChosenBy, Range, RunSpec, Study, Trial, TunedModel, amended


def study(spec: RunSpec, **changes: object) -> Study:
    model = TunedModel(
        model=spec.model,
        profile="reference",
        architecture=spec.architecture,
        training=spec.training,
        space={"lr": Range(low=0.001, high=0.01), "dim": (16, 32)},
    )
    own = {"name": "one", "models": (model,), "trials": 3, "seed": 1, "final_seeds": 2}
    return Study(**(own | changes))


@pytest.fixture(scope="module")
def spec() -> RunSpec:
    return load_catalogue().run_spec("sasrec", "synthetic", 20, 1)


def test_a_trial_is_never_the_same_run_as_another(spec: RunSpec) -> None:
    made = study(spec)
    trials = [
        spec.model_copy(update={"trial": Trial(number=number, study=each)})
        for each in (made, study(spec, name="two"))
        for number in (0, 1)
    ]
    runs = [spec, *trials]
    assert len({run.fingerprint() for run in runs}) == len({run.settings() for run in runs}) == 5
    for run in runs:
        again = RunSpec.model_validate_json(run.model_dump_json())
        assert (again, again.fingerprint()) == (run, run.fingerprint())
    assert amended(trials[0], {}) == spec


def test_what_a_study_chose_is_the_same_run_as_if_nobody_had(spec: RunSpec) -> None:
    budget = ChosenBy(study="one", trials=3, seconds=4.5)
    chosen = spec.model_copy(update={"chosen_by": budget})
    assert RunSpec.model_validate_json(chosen.model_dump_json()) == chosen
    assert (chosen.fingerprint(), chosen.settings()) == (spec.fingerprint(), spec.settings())
    assert amended(chosen, {"refit": True}).chosen_by == budget
    assert amended(chosen, {"lr": 0.5}).chosen_by is None


def test_other_runs_say_nothing_of_studies(spec: RunSpec) -> None:
    assert not {"trial", "chosen_by"} & spec.model_dump().keys()


STORED = {
    "name": "one",
    "models": [
        {
            "model": name,
            "profile": "reference",
            "space": {"lr": {"low": 0.001, "high": 0.01, "log": False, "step": None}},
        }
        for name in ("sasrec", "xlstm")
    ],
    "trials": 3,
    "minutes": None,
    "sampler": "tpe",
    "prune": "none",
    "seed": 1,
    "final_seeds": 2,
}
"""A study as it was stored before there were duels, but for its models' settings."""


@pytest.fixture
def stored() -> dict[str, Any]:
    catalogue = load_catalogue()
    models = []
    for model in STORED["models"]:
        spec = catalogue.run_spec(model["model"], "synthetic", 20, 1).model_dump(mode="json")
        own = {name: spec[name] for name in ("architecture", "training")}
        models.append(model | own | {"code": None})
    return STORED | {"models": models}


def test_a_study_that_was_stored_before_there_were_duels_stays_the_same(
    spec: RunSpec, stored: dict[str, Any]
) -> None:
    read = Study.model_validate(stored)
    assert read.duel is None
    assert read.model_dump(mode="json") == stored
    trial = spec.model_copy(update={"trial": Trial(number=0, study=read)})
    again = RunSpec.model_validate_json(trial.model_dump_json())
    assert again.model_dump(mode="json")["trial"] == {"number": 0, "study": stored}
    assert again.fingerprint() == trial.fingerprint()


def test_a_duel_is_of_two_models_and_says_so(stored: dict[str, Any]) -> None:
    own = stored | {"duel": 10}
    read = Study.model_validate(own)
    assert read.duel == 10
    assert read.model_dump(mode="json") == own
    for wrong, problem in (
        ({"models": stored["models"][:1]}, "between two models"),
        ({"final_seeds": 1}, "begins with 2 to 10 seeds, not 1"),
        ({"final_seeds": 11}, "begins with 2 to 10 seeds, not 11"),
        ({"seed": 2**31 - 9}, "leaves no 10 seeds"),
        ({"duel": 101}, "less than or equal to 100"),
    ):
        with pytest.raises(ValidationError, match=problem):
            Study.model_validate(own | wrong)


@given(
    low=st.integers(-50, 50),
    steps=st.integers(1, 20),
    step=st.sampled_from([1, 2, 5, 0.1, 0.25]),
    at=st.integers(0, 20),
)
def test_a_range_has_what_lies_on_its_steps(low: int, steps: int, step: float, at: int) -> None:
    whole = isinstance(step, int)
    start = low if whole else float(low)
    found = Range(low=start, high=start + steps * step, step=step)
    assert found.whole == whole
    assert found.has(start + at * step) == (at <= steps)
    assert not found.has(start + (at + 0.5) * step)
    assert not found.has(str(start))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"low": 0.0, "high": 1.0, "step": 0.3}, "must be low .* and some steps"),
        ({"low": 2, "high": 2}, "must be less than high"),
        ({"low": 0, "high": 2, "log": True}, "log needs a low above 0"),
        ({"low": 1, "high": 2, "log": True, "step": 1}, "don't go together"),
    ],
)
def test_a_range_that_cannot_be_is_refused(given: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Range.model_validate(given)

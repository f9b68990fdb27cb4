"""Trials of studies, and runs of what studies chose: what they are known by."""

from __future__ import annotations

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

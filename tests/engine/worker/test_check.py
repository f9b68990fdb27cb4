"""Each check fails for a model that is broken in just that way, and passes for the template."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import broken_models as broken
import pytest
import torch

from engine.asking.modelcheck import OF_MODEL, OF_RUN, Verdict
from engine.config import Catalogue, load_catalogue
from engine.modelinfo import builtin_infos
from engine.models import Definition
from engine.models.builtin import popularity, recent_popularity
from engine.models.load import load_definition
from engine.models.template import MODEL
from engine.spec import RunSpec
from engine.worker.check import speed
from engine.worker.check.checks import CHECKS, examined
from engine.worker.check.subject import Subject, model_subject

QUICK = ("parameters", "finite", "padding", "future", "rows")
"""Checks that train nothing."""


@cache
def catalogue() -> Catalogue:
    return load_catalogue()


def spec_of(definition: Definition) -> RunSpec:
    """A run of a model with its own defaults, in the place of a model that comes with seqbench."""
    model = "popularity" if definition.kind == "fitted" else "sasrec"
    content = catalogue().run_spec(model, "synthetic", 16, 1).model_dump()
    content["training"] |= {"objective": definition.kind, **definition.training}
    content["architecture"] = {"model": "mine", **definition.settings().model_dump()}
    content["code"] = {"file": "mine.py", "sha256": "0" * 64}
    return RunSpec.model_validate(content)


@cache
def subject(module: type) -> Subject:
    definition = broken.of(module)
    return model_subject(spec_of(definition), definition)


@cache
def verdict(module: type, check: str) -> Verdict:
    return examined(check, subject(module))


def test_the_checks_are_those_that_are_listed() -> None:
    assert tuple(CHECKS) == OF_MODEL
    assert set(OF_RUN) < set(OF_MODEL)


@pytest.mark.parametrize("check", QUICK)
def test_the_template_passes(check: str) -> None:
    assert verdict(MODEL.module, check).passed is True


BROKEN = [
    (broken.Infinite, "finite", "scores of some histories"),
    (broken.NanGradient, "finite", "gradient of items.weight"),
    (broken.Leaks, "padding", "standard deviations"),
    (broken.SharedPadding, "padding", "standard deviations"),
    (broken.Peeks, "future", "moves states before it, by"),
    (broken.PeeksInTraining, "future", "moves states before it in training, by"),
    (broken.Batched, "rows", "Other histories in the batch"),
    (broken.Draws, "reproduces", "bias differs"),
    (broken.Counts, "resumes", "differ"),
    (broken.First, "targets", "last_only"),
    pytest.param(broken.Late, "targets", "Another last item", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("module", "check", "found"), BROKEN)
def test_a_model_that_is_broken_in_one_way_fails_that_check(
    module: type, check: str, found: str
) -> None:
    told = verdict(module, check)
    assert told.passed is False
    assert found in told.found
    assert told.advice
    assert told.check == check


@pytest.mark.parametrize(("module", "check", "_"), BROKEN[:8])
def test_it_passes_the_others_that_train_nothing(module: type, check: str, _: str) -> None:
    failed = {each for each in QUICK if verdict(module, each).passed is False}
    assert failed <= {check} | ({"future"} if module is broken.Batched else set())


LEARNT = [
    (broken.Frozen, "learns", "popularity"),
    (broken.Ignores, "order", "NDCG@10 is"),
    pytest.param(broken.Itself, "targets", "its own input", marks=pytest.mark.slow),
    pytest.param(broken.TooFar, "targets", "one item too far", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("module", "check", "found"), LEARNT)
def test_what_a_broken_model_has_learnt_fails_its_check(
    module: type, check: str, found: str
) -> None:
    told = verdict(module, check)
    assert told.passed is False, told
    assert found in told.found
    assert told.advice


@pytest.mark.parametrize("check", ["reproduces", "resumes", "learns", "targets", "order", "floor"])
def test_the_template_passes_what_is_learnt(check: str) -> None:
    assert verdict(MODEL.module, check).passed is True


def test_the_weights_of_a_run_fail_below_the_floor() -> None:
    examinee = subject(broken.Frozen)
    told = examined("floor", replace(examinee, weights=examinee.trained))
    assert told.passed is False
    assert "that of Markov counts" in told.found
    assert "Counts do better" in told.advice
    assert examined("floor", examinee).passed is None


def test_what_a_model_raises_is_a_verdict_with_its_line() -> None:
    told = verdict(broken.Raises, "finite")
    assert told.passed is False
    assert "broken_models.py:" in told.found
    assert "ZeroDivisionError: there is no such layer" in told.found


@pytest.mark.parametrize("definition", [popularity.MODEL, recent_popularity.MODEL])
def test_a_fitted_model_is_checked_where_it_applies(definition: Definition) -> None:
    examinee = model_subject(spec_of(definition), definition)
    found = {check: examined(check, examinee).passed for check in OF_MODEL}
    assert not [check for check, passed in found.items() if passed is False]
    assert found["padding"] is found["reproduces"] is True
    assert found["speed"] is found["resumes"] is found["floor"] is found["order"] is None


def test_the_speed_is_told_beside_another_model_of_like_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speed, "SECONDS", 0.1)
    values = verdict(MODEL.module, "speed").values
    assert values["milliseconds"] > 0
    assert values["like"] > 0
    count = verdict(MODEL.module, "parameters").values["parameters"]
    assert 0.4 < values["like_parameters"] / count < 2.5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(("module", "passed"), [(MODEL.module, True), (broken.Waits, False)])
def test_an_update_that_waits_for_the_gpu_is_not_recorded(module: type, passed: bool) -> None:
    assert verdict(module, "graph").passed is passed


@pytest.mark.slow
@pytest.mark.parametrize("name", builtin_infos())
def test_models_that_come_with_seqbench_pass(name: str) -> None:
    profiles = builtin_infos()[name].profiles
    spec = catalogue().run_spec(
        name, "synthetic", 16, 1, "tuned" if "tuned" in profiles else "reference"
    )
    examinee = model_subject(spec, load_definition(name))
    verdicts = [examined(check, examinee) for check in OF_MODEL]
    assert not [each for each in verdicts if each.passed is False]

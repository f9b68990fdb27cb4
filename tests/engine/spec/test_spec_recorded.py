"""Runs of released versions keep what they are known by, and their stored configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.analysis.provenance import split_of
from engine.config import Catalogue, load_catalogue
from engine.modelinfo import builtin_infos
from engine.spec import (
    Code,
    RunSpec,
    SplitRule,
    amended,
    parameter_count,
    settings_digest,
)
from engine.spec.identity import PROTOCOL
from engine.spec.settings import stored_settings, values_of

RECORDED = json.loads((Path(__file__).parent / "golden/runs.json").read_text())
"""Made by the version before models had files of their own."""


def first_protocol(spec: RunSpec) -> RunSpec:
    """The run as the versions before protocol 2 stored it."""
    return RunSpec.model_validate(spec.model_dump() | {"protocol": 1})


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize("then", RECORDED, ids=lambda then: "-".join(map(str, then["cell"][:4])))
def test_a_run_is_what_it_was(shipped: Catalogue, then: dict[str, Any]) -> None:
    model, dataset, length, profile, overrides = then["cell"]
    spec = first_protocol(shipped.run_spec(model, dataset, length, 42, profile, overrides))
    now = spec.model_dump(mode="json")
    assert sorted(now.keys() - {"chosen_by"}) == then["keys"]  # it changes no result
    assert (now["architecture"], now["training"]) == (then["architecture"], then["training"])
    assert (spec.fingerprint(), spec.settings()) == (then["fingerprint"], then["settings"])
    assert stored_settings(now)[0] == then["number"]  # type: ignore[index]
    assert parameter_count(spec) == then["parameters"]
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec
    values = {**then["architecture"], **then["training"]}
    del values["model"]
    assert values_of(now) == values


@pytest.mark.parametrize("kind", ["leave-one-out", "temporal"])
def test_a_run_of_protocol_1_ranks_the_first_item_of_a_period_and_is_what_it_was(
    shipped: Catalogue, kind: str
) -> None:
    content = shipped.run_spec("sasrec", "ml-100k", 50, 1).model_dump(mode="json")
    new = content | {"source": content["source"] | {"split": {"kind": kind}}}
    stored = new | {"protocol": 1}
    before, now = RunSpec.model_validate(stored), RunSpec.model_validate(new)
    assert (before.protocol, now.protocol) == (1, PROTOCOL)
    targets = "first" if kind == "temporal" else "successive"
    assert before.source.split == SplitRule.model_validate({"kind": kind, "targets": targets})
    assert now.source.split.targets == "successive"
    assert settings_digest(stored) == before.settings() != now.settings()
    again = RunSpec.model_validate_json(before.model_dump_json())
    assert (again, again.fingerprint()) == (before, before.fingerprint())
    assert split_of(stored) == split_of(before.model_dump(mode="json")) == kind
    later = amended(before, {"epochs": 7})
    assert (later.protocol, later.source.split) == (1, before.source.split)


def test_each_rule_of_targets_is_a_split_of_its_own(shipped: Catalogue) -> None:
    content = shipped.run_spec("sasrec", "ml-100k", 50, 1).model_dump(mode="json")

    def ruled(**rule: object) -> RunSpec:
        split = {"kind": "temporal", **rule}
        return RunSpec.model_validate(content | {"source": content["source"] | {"split": split}})

    specs = [ruled(), *(ruled(targets=each) for each in ("last", "random", "first"))]
    specs.append(ruled(quantile=0.9))
    assert len({each.settings() for each in specs}) == len(specs)
    said = ["temporal", *(f"temporal targets={each}" for each in ("last", "random", "first"))]
    assert [split_of(each.model_dump()) for each in specs] == [*said, "temporal quantile=0.9"]
    assert ruled(targets="successive").settings() == specs[0].settings()


def test_a_setting_that_an_earlier_version_lacked_has_its_default(shipped: Catalogue) -> None:
    spec = shipped.run_spec("sasrec", "synthetic", 50, 1)
    content = spec.model_dump(mode="json")
    for name in ("positions", "tied"):
        del content["architecture"][name]
    again = RunSpec.model_validate(content)
    assert again == spec
    assert settings_digest(content) == spec.settings()
    assert values_of(content) == values_of(spec.model_dump(mode="json"))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"dim": "wide"}, ("architecture", "dim")),
        ({"width": 3}, ("architecture", "width")),
        ({"dropout": 1.0}, ("architecture", "dropout")),
        ({"model": "later"}, ()),
    ],
)
def test_a_stored_configuration_is_checked(
    shipped: Catalogue, changes: dict[str, Any], where: tuple[str, ...]
) -> None:
    content = shipped.run_spec("sasrec", "synthetic", 50, 1).model_dump(mode="json")
    content["architecture"] |= changes
    with pytest.raises(ValidationError) as caught:
        RunSpec.model_validate(content)
    assert caught.value.errors()[0]["loc"] == where


def test_the_code_of_ones_own_model_is_part_of_the_result(shipped: Catalogue) -> None:
    plain = shipped.run_spec("sasrec", "synthetic", 50, 1)
    content = plain.model_dump(mode="json")
    content["architecture"] = {"model": "mine", "width": 3, "share": None}

    def coded(file: str, sha256: str) -> RunSpec:
        return RunSpec.model_validate(content | {"code": Code(file=file, sha256=sha256)})

    first, moved, other = coded("a.py", "1" * 64), coded("b.py", "1" * 64), coded("a.py", "2" * 64)
    assert first.fingerprint() == moved.fingerprint()
    assert first.settings() == moved.settings()
    assert len({first.fingerprint(), other.fingerprint(), plain.fingerprint()}) == 3
    assert len({first.settings(), other.settings(), plain.settings()}) == 3
    stored = first.model_dump(mode="json")
    assert RunSpec.model_validate(stored) == first
    assert stored["architecture"] == {"width": 3, "share": None, "model": "mine"}
    assert stored["code"] == {"file": "a.py", "sha256": "1" * 64, "package": ""}
    assert amended(first, {"width": 4}).architecture.width == 4


def test_shipped_profiles_are_of_known_models(shipped: Catalogue) -> None:
    for name, info in builtin_infos().items():
        assert shipped.kind(name) == info.kind

"""Recipes say who chose their settings, and runs of them repeat it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.config import Catalogue, load_catalogue
from engine.config.profiles import profile_of
from engine.errors import ConfigError, UsageError
from engine.planning import StudyOrder, plan_study
from engine.spec import ChosenBy
from engine.yamlfile import to_yaml

Write = Callable[[str, str], Path]
CELL = ("sasrec", "synthetic", 50, 1)

MODEL = """\
from torch import nn
from engine.models import Definition, ModelSettings, OwnLossModel

MODEL = Definition(
    title="Mine",
    settings=ModelSettings,
    module=OwnLossModel,
    profiles={"reference": {"chosen": CHOSEN}},
)
"""


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize(
    ("profile", "overrides", "said"),
    [
        ("tuned", {}, "by hand"),
        ("reference", {}, None),
        ("tuned", {"epochs": 3}, "by hand"),  # a limit changes no choice
        ("tuned", {"training.epochs": 3, "lr": 0.5}, None),
        ("tuned", {"batch_size": 16}, None),
    ],
)
def test_what_a_run_says_of_its_settings(
    shipped: Catalogue, profile: str, overrides: dict[str, float], said: str | None
) -> None:
    assert shipped.run_spec(*CELL, profile, overrides).chosen_by == said


def test_a_trial_was_chosen_by_nobody_yet(shipped: Catalogue) -> None:
    order = StudyOrder(models=["sasrec", "xlstm"], dataset="synthetic", length=50, profile="tuned")
    assert [each.chosen_by for each in plan_study(shipped, None, order)] == [None, None]


def test_every_tuned_recipe_was_chosen_by_hand(shipped: Catalogue) -> None:
    tuned = [
        entry.profiles["tuned"] for entry in shipped.models.values() if "tuned" in entry.profiles
    ]
    assert len(tuned) >= 6
    assert {profile.chosen for profile in tuned} == {"by hand"}


def test_a_kept_recipe_has_its_budget(shipped: Catalogue, layer: Path, write: Write) -> None:
    budget = ChosenBy(study="one", trials=20, seconds=12.5)
    spec = shipped.run_spec(*CELL).model_copy(update={"chosen_by": budget})
    content = {"name": "sasrec", "profiles": {"study-one": profile_of(spec)}}
    write("models/sasrec.yaml", to_yaml(content))
    again = load_catalogue(layer).run_spec(*CELL, "study-one")
    assert again == spec.model_copy(update={"profile": "study-one"})


def test_a_mistake_is_told_in_yaml_and_in_a_models_file(layer: Path, write: Write) -> None:
    path = write("models/s.yaml", "name: sasrec\nprofiles:\n  tuned:\n    chosen: by feet\n")
    with pytest.raises(ConfigError, match=rf"{path}:4: profiles\.tuned\.chosen"):
        load_catalogue(layer)
    path.unlink()
    write("../models/mine.py", MODEL.replace("CHOSEN", "'by feet'"))
    with pytest.raises(UsageError, match=r"profiles\.reference\.chosen: .*by hand"):
        load_catalogue(layer).model("mine")
    write("../models/mine.py", MODEL.replace("CHOSEN", "'by hand'"))
    assert load_catalogue(layer).model("mine").profiles["reference"].chosen == "by hand"

"""Models of one's own in the catalogue: found, checked, overridden, and told of when broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.config import load_catalogue, override_keys
from engine.errors import ConfigError, UsageError
from engine.order import Order
from engine.planning import plan
from engine.spec import parameter_count

Write = Callable[[str, str], Path]

TRAINED = """\
from typing import Literal

from pydantic import Field, model_validator
from torch import nn

from engine.models import Definition, ModelSettings, OutputLayer, SequenceModel

class Settings(ModelSettings):
    width: int = Field(default=8, ge=2, le=64)
    share: float | None = Field(default=None, gt=0)
    way: Literal["up", "down"] = "up"

    @model_validator(mode="after")
    def _even(self):
        if self.width % 2:
            raise ValueError(f"width ({self.width}) must be even")
        return self

class Mine(SequenceModel):
    def __init__(self, settings, num_items, length):
        super().__init__()
        self.items = nn.Embedding(num_items + 1, settings.width)

    def hidden(self, items, *, last_only=False):
        return self.items(items)

    def output_layer(self):
        return OutputLayer(self.items.weight)

MODEL = Definition(
    title="Mine", settings=Settings, module=Mine, aliases=("Ours",), training={"lr": 0.01}
)
"""

FITTED = """\
from engine.models import Definition, FittedModel, ModelSettings

class Settings(ModelSettings):
    window: int | None = None
    decay: float | None = None

class Counts(FittedModel):
    def __init__(self, settings, num_items, length):
        super().__init__()

    def fit(self, train):
        pass

    def scores(self, items, times=None):
        return items

MODEL = Definition(
    title="Counts", settings=Settings, module=Counts,
    grid={"window": (1, 5, 10), "decay": (0.5, 1.0)},
)
"""


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    return tmp_path / "configs"


def test_a_file_beside_the_configuration_is_a_model(layer: Path, write: Write) -> None:
    write("../models/my_own.py", TRAINED)
    catalogue = load_catalogue(layer)
    assert catalogue.model("ours").name == "my-own"
    assert catalogue.kind("my-own") == "next-item"
    spec = catalogue.run_spec("my-own", "ml-100k", 50, 1, overrides={"width": 4, "lr": "0.1"})
    assert spec.architecture.settings == {"width": 4, "share": None, "way": "up"}
    assert (spec.training.lr, spec.training.objective) == (0.1, "next-item")
    assert spec.code is not None
    assert spec.code.file == "my_own.py"
    assert spec.code.sha256 == catalogue.infos["my-own"].sha256
    assert parameter_count(spec) == (spec.source.items + 1) * 4
    (run,) = plan(catalogue, Order(frozenset({("my-own", "ml-100k", 50)}), (1,)), ()).runs
    assert run.parameters == (run.spec.source.items + 1) * 8
    write("../models/my_own.py", TRAINED + "# changed\n")
    other = load_catalogue(layer).run_spec("my-own", "ml-100k", 50, 1, overrides={"width": 4})
    assert other.fingerprint() != spec.fingerprint()


def test_a_path_that_is_named_holds_models(tmp_path: Path, layer: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/one.py").write_text(TRAINED)
    assert "one" in load_catalogue(layer, [tmp_path / "elsewhere"]).models
    assert "one" in load_catalogue(layer, [tmp_path / "elsewhere/one.py"]).models
    assert "one" not in load_catalogue(layer).models


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("width", "7", "mine × synthetic × 50: width (7) must be even."),
        ("width", "1", "width: expected a number of at least 2, not 1."),
        ("width", "wide", "width: expected a whole number, not 'wide'."),
        ("share", "0", "share: expected a number greater than 0, not 0."),
        ("way", "upp", "way: expected 'up' or 'down', not 'upp': did you mean 'up'?"),
        ("widht", "4", "mine has no setting 'widht': did you mean 'width'?"),
        ("objective", "masked", "mine is trained with objective: next-item (or prefix)."),
    ],
)
def test_its_settings_are_checked(
    layer: Path, write: Write, key: str, value: str, sentence: str
) -> None:
    write("../models/mine.py", TRAINED)
    with pytest.raises(UsageError) as caught:
        load_catalogue(layer).run_spec("mine", "synthetic", 50, 1, overrides={key: value})
    assert sentence in str(caught.value)


def test_yaml_is_merged_over_what_the_file_says(layer: Path, write: Write) -> None:
    write("../models/mine.py", TRAINED)
    path = write("models/m.yaml", "name: mine\nprofiles:\n  reference: {training: {lr: 0.5}}\n")
    assert load_catalogue(layer).run_spec("mine", "synthetic", 50, 1).training.lr == 0.5
    path.write_text("name: mine\nprofiles:\n  reference:\n    architecture: {width: 9}\n")
    with pytest.raises(ConfigError) as caught:
        load_catalogue(layer)
    assert str(caught.value) == (
        f"{path}:3: profiles.reference.sizes.small.architecture: width (9) must be even."
    )
    architecture = "{model: mine, width: 16}"
    path.write_text(
        "name: wider\ntitle: W\nprofiles:\n"
        f"  reference: {{architecture: {architecture}, sizes: {{small: {{}}}}}}\n"
    )
    spec = load_catalogue(layer).run_spec("wider", "synthetic", 50, 1)
    assert (spec.model, spec.architecture.model, spec.architecture.width) == ("wider", "mine", 16)


def test_a_fitted_model_has_no_settings_of_training(layer: Path, write: Write) -> None:
    write("../models/counts.py", FITTED)
    catalogue = load_catalogue(layer)
    spec = catalogue.run_spec("counts", "synthetic", 50, 1)
    assert (spec.training.objective, spec.training.epochs) == ("fitted", 6)
    assert catalogue.kind("counts") == "fitted"
    one = catalogue.run_spec("counts", "synthetic", 50, 1, overrides={"window": 3})
    assert one.training.epochs == 2
    assert set(override_keys(catalogue.model("counts"), "reference")) == {
        *("window", "decay", "refit")
    }
    with pytest.raises(UsageError) as caught:
        catalogue.run_spec("counts", "synthetic", 50, 1, overrides={"lr": 0.1})
    assert str(caught.value) == (
        "counts is fitted, not trained: it has no setting 'lr' of training."
    )
    assert parameter_count(spec) == 0


def test_a_broken_file_is_told_where_it_is_asked_for(layer: Path, write: Write) -> None:
    write("../models/mine.py", TRAINED)
    bad = write("../models/bad.py", "import nothing_such\nMODEL = 1\n").resolve()
    odd = write("../models/odd.py", TRAINED.replace("default=8", "default=3")).resolve()
    catalogue = load_catalogue(layer)
    assert {"mine", "sasrec"} <= catalogue.models.keys()
    assert not {"bad", "odd"} & catalogue.models.keys()
    with pytest.raises(UsageError) as caught:
        catalogue.run_spec("bad", "synthetic", 50, 1)
    assert str(caught.value).startswith(f"{bad}:1: ModuleNotFoundError")
    with pytest.raises(UsageError) as caught:
        catalogue.model("odd")
    assert str(caught.value) == (f"{odd}: profiles.reference.architecture: width (3) must be even.")

"""Spaces: what studies try of each model's settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import Catalogue, load_catalogue
from engine.config.profiles import profile_of, save_profile
from engine.config.spaces import checked_space, load_space, parse_spaces, read_spaces, spaces_text
from engine.errors import ConfigError, UsageError
from engine.modelinfo import builtin_infos, facts_of
from engine.spec import Range
from engine.tuning.ask import ask

TRAINED = [info.name for info in builtin_infos().values() if info.kind != "fitted"]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize("model", TRAINED)
def test_every_model_that_is_trained_has_a_space_in_which_all_fits_together(
    catalogue: Catalogue, model: str
) -> None:
    entry = catalogue.model(model)
    space = load_space(entry, "reference", None, {})
    assert "lr" in space
    assert any(name in entry.info("reference").defaults | {"dim": 1} for name in space)
    spec = catalogue.run_spec(model, "ml-100k", 50, 1)
    drawn = [ask(space, "random", 1, number, 20, []) or {} for number in range(20)]
    settings = spec.architecture.settings
    fitted = [{k: v for k, v in (settings | each).items() if k in settings} for each in drawn]
    assert [found.problem for found in facts_of(entry.info("reference"), fitted)] == [""] * 20


def test_ends_are_of_the_kind_of_the_setting(catalogue: Catalogue) -> None:
    given = {"dropout": {"low": 0, "high": 0.5}, "training.patience": {"low": 1, "high": 9}}
    found = checked_space(catalogue.model("sasrec"), "reference", given)
    assert found == {"dropout": Range(low=0.0, high=0.5), "patience": Range(low=1, high=9)}
    dropout, patience = found.values()
    assert isinstance(dropout, Range)
    assert isinstance(patience, Range)
    assert (dropout.whole, patience.whole) == (False, True)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"dimm": [1]}, "sasrec has no setting 'dimm': did you mean 'dim'"),
        ({"dim": [0]}, "dim of sasrec: expected a number of at least 1"),
        ({"dim": {"low": 1, "high": 9_000}}, "dim of sasrec: expected a number of at most 8192"),
        ({"dim": {"low": 8}}, "dim of sasrec: high: this key is needed"),
        ({"dim": {"low": 8, "high": 4}}, "dim of sasrec: .*must be less than high"),
        ({"norm": {"low": 1, "high": 2}}, "norm of sasrec: expected 'pre' or 'post'"),
        ({"dim": 32}, "dim of sasrec: expected a list of values, or low and high, not '32'"),
        ({"dim": []}, "dim of sasrec: expected a list of values"),
        ({"dim": [1], "architecture.dim": [2]}, "sasrec has 'dim' twice"),
        ({"dim": [16, 32, 16]}, "dim of sasrec has '16' twice"),
        ({"dropout": {"low": 0, "high": 0.5, "step": 1e-300}}, "step .* must be larger"),
        ({"layers": {"low": 1, "high": 4, "step": 0.5}}, "step: expected a whole number, not 0.5"),
        ({"layers": {"low": 1, "high": 4, "step": 1.5}}, "step: expected a whole number, not 1.5"),
        ({"lr": {"low": -1e308, "high": 1e308}}, "are too far apart"),
        ({"refit": [True]}, "refit can't be tuned"),
    ],
)
def test_what_cannot_be_tried_is_said(
    catalogue: Catalogue, given: dict[str, object], problem: str
) -> None:
    with pytest.raises(UsageError, match=problem):
        checked_space(catalogue.model("sasrec"), "reference", given)


def test_the_users_space_goes_before_ours_and_a_file_before_both(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    folder = tmp_path / "configs" / "spaces"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text("name: sasrec\nspace:\n  heads: [8]\n")
    file = tmp_path / "here.yaml"
    file.write_text("name: sasrec\nspace:\n  lr: [0.1, 0.2]\n")
    entry = catalogue.model("sasrec")
    both = load_space(entry, "reference", folder.parent, {})
    assert both["heads"] == (8,)
    assert "lr" in both
    assert load_space(entry, "reference", folder.parent, read_spaces([file])) == {"lr": (0.1, 0.2)}
    file.write_text("name: sasrec\nspaces: {}\n")
    with pytest.raises(ConfigError, match="unknown key 'spaces': did you mean 'space'"):
        load_space(entry, "reference", None, read_spaces([file]))


def test_spaces_that_are_written_are_read_again(catalogue: Catalogue) -> None:
    entries = [catalogue.model(model) for model in TRAINED]
    given = parse_spaces(spaces_text(entries, "reference", None), TRAINED)
    assert [*given] == TRAINED
    for entry in entries:
        configured = load_space(entry, "reference", None, {})
        assert load_space(entry, "reference", None, given) == configured
    text = spaces_text(entries[:1], "reference", None, fixed=["training.lr"])
    assert "lr:" not in text
    assert "dropout:" in text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "space:1: expected a mapping"),
        ("sasrec: [", "space:1: expected the node content"),
        ("sasrec:\n  lr: [0.1]\nxlstm: {}\n", "space:3: xlstm: write what is tried"),
        ("sasrec:\n  lr: [0.1]\nxlstmm:\n  lr: [0.1]\n", "space:3: xlstmm: isn't tuned here: did "
         "you mean 'xlstm'"),
        ("xlstm:\n  lr: [0.1]\n", "there is no sasrec: write what is tried of its settings"),
        ("sasrec: &a\n  lr: [1]\nxlstm: *a\n", "space:1: YAML aliases are not allowed"),
        ("a" * 100_001, "is longer than 100,000 characters"),
    ],
)  # fmt: skip
def test_what_is_no_space_is_said_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        parse_spaces(text, ["sasrec", "xlstm"])


def test_a_model_of_ones_own_says_its_space_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n"
        "from engine.models import Definition, ModelSettings, OutputLayer, SequenceModel\n"
        "class Settings(ModelSettings):\n"
        "    width: int = 8\n"
        "class Mine(SequenceModel):\n"
        "    causal = True\n"
        "    def __init__(self, settings, num_items, length):\n"
        "        super().__init__()\n"
        "        self.items = nn.Embedding(num_items + 1, settings.width)\n"
        "    def hidden(self, items, *, last_only=False):\n"
        "        return self.items(items[:, -1:] if last_only else items)\n"
        "    def output_layer(self):\n"
        "        return OutputLayer(self.items.weight)\n"
        "MODEL = Definition(title='Mine', settings=Settings, module=Mine,\n"
        "                   space={'width': {'low': 4, 'high': 64}, 'lr': [0.01, 0.001]})\n"
    )
    catalogue = load_catalogue(model_paths=[tmp_path])
    space = load_space(catalogue.model("mine"), "reference", None, {})
    assert space == {"width": Range(low=4, high=64), "lr": (0.01, 0.001)}
    text, _, _ = (tmp_path / "mine.py").read_text().partition(",\n                   space")
    (tmp_path / "mine.py").write_text(f"{text})\n")
    without = load_catalogue(model_paths=[tmp_path])
    with pytest.raises(UsageError, match="There is no space for mine: write one to configs/spaces"):
        load_space(without.model("mine"), "reference", None, {})
    written = spaces_text([without.model("mine")], "reference", None)
    with pytest.raises(ConfigError, match="space:1: mine: write what is tried of its settings"):
        parse_spaces(written, ["mine"])


def test_a_kept_profile_is_the_run_that_it_was_made_of(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    changes = {"lr": 0.0123, "dim": 32, "label_smoothing": 0.2}
    for model in ("sasrec", "bert4rec"):
        spec = catalogue.run_spec(model, "ml-100k", 50, 1, overrides=changes)
        save_profile(catalogue, model, "study-one", profile_of(spec), tmp_path)
    again = load_catalogue(tmp_path)
    for model in ("sasrec", "bert4rec"):
        spec = catalogue.run_spec(model, "ml-100k", 50, 1, overrides=changes)
        kept = again.run_spec(model, "ml-100k", 50, 1, "study-one")
        assert (kept.fingerprint(), kept.settings()) == (spec.fingerprint(), spec.settings())
        assert "reference" in again.model(model).profiles
    with pytest.raises(UsageError, match="there is a model 'sasrec' already"):
        save_profile(catalogue, "sasrec", "study-two", profile_of(spec), tmp_path)
    spec = catalogue.run_spec("sasrec", "ml-100k", 50, 1)
    save_profile(catalogue, "sasrec", "study-two", profile_of(spec), tmp_path, replace=True)
    assert {"study-one", "study-two"} <= load_catalogue(tmp_path).model("sasrec").profiles.keys()

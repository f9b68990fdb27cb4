"""Suites made of chosen cells, and written where they are found again."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import Catalogue, EntryExistsError, load_catalogue
from engine.config.suites import save_suite, suite_of_cells, suite_yaml
from engine.errors import ConfigError, UsageError, UserError
from engine.spec import CellKey, Overrides, Suite
from engine.yamlfile import read_yaml

CELLS: list[CellKey] = [("sasrec", "synthetic", 50), ("xlstm", "ml-100k", 75)]
BLOCK: list[CellKey] = list(product(["sasrec", "xlstm"], ["synthetic"], [50, 75]))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def suite(name: str = "mine", cells: list[CellKey] = CELLS, **changes: object) -> Suite:
    settings = {
        "title": "Mine", "seeds": (1, 2), "profile": "reference", "overrides": {}, "variants": {},
        **changes,
    }  # fmt: skip
    return suite_of_cells(name=name, cells=cells, **settings)  # type: ignore[arg-type]


def test_all_combinations_are_told_by_their_axes(catalogue: Catalogue) -> None:
    whole = suite(cells=BLOCK)
    assert whole.cells == ()
    assert set(catalogue.cells(whole)) == set(BLOCK)


def test_other_cells_are_named_one_by_one(catalogue: Catalogue) -> None:
    few = suite()
    assert catalogue.cells(few) == CELLS
    runs = [(spec.model, spec.dataset, spec.length, spec.seed) for spec in catalogue.expand(few)]
    assert runs == [(*cell, seed) for cell in CELLS for seed in (1, 2)]


def test_the_file_reads_as_a_person_would_write_it() -> None:
    text = suite_yaml(
        suite(overrides={"lr": "1e-3", "epochs": "5"}, variants={"tied": {"tied": "true"}})
    )
    assert text == (
        "name: mine\ntitle: Mine\nmodels: [sasrec, xlstm]\ndatasets: [synthetic, ml-100k]\n"
        "lengths: [50, 75]\ncells:\n  - [sasrec, synthetic, 50]\n  - [xlstm, ml-100k, 75]\n"
        "seeds: [1, 2]\nprofile: reference\noverrides: {lr: 0.001, epochs: 5}\n"
        "variants:\n  tied: {tied: true}\n"
    )


VALUES = (
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
OVERRIDES = st.dictionaries(st.text(min_size=1), VALUES, max_size=4)


@given(st.text(max_size=80), OVERRIDES, st.text())
def test_whatever_it_says_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, title: str, overrides: Overrides, profile: str
) -> None:
    """Text in it may look like a number, a list or a comment."""
    texts = {key: _visible(v) if isinstance(v, str) else v for key, v in overrides.items()}
    made = Suite(
        name="x", title="", models=("a",), datasets=("b",), lengths=(5,), seeds=(1,),
        profile=_visible(profile), note=_visible(title),
        overrides={_visible(key): value for key, value in texts.items()},
    )  # fmt: skip
    path = tmp_path_factory.mktemp("suite") / "x.yaml"
    path.write_text(suite_yaml(made), encoding="utf-8")
    value = read_yaml(path).value
    assert Suite.model_validate(value) == made


def _visible(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())


def test_a_saved_suite_is_found_again(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEQBENCH_CONFIG", raising=False)
    path = save_suite(catalogue, suite(overrides={"lr": "0.01"}))
    assert path == tmp_path / "configs" / "suites" / "mine.yaml"
    loaded = load_catalogue()
    assert loaded.suite("mine") == suite(overrides={"lr": "0.01"})
    with pytest.raises(EntryExistsError, match="there is a suite 'mine' already"):
        save_suite(loaded, suite(cells=BLOCK))
    assert load_catalogue().suite("mine").cells
    save_suite(loaded, suite(cells=BLOCK), replace=True)
    assert not load_catalogue().suite("mine").cells


def test_it_goes_where_the_configuration_of_ones_own_lies(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, other = tmp_path / "named", tmp_path / "other"
    named.mkdir()
    other.mkdir()
    monkeypatch.setenv("SEQBENCH_CONFIG", str(other))
    assert save_suite(catalogue, suite("a"), named).parent == named / "suites"
    assert save_suite(catalogue, suite("b")).parent == other / "suites"


def test_a_suite_that_stands_under_another_name_is_replaced_there(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    (tmp_path / "suites").mkdir()
    file = tmp_path / "suites" / "all.yaml"
    file.write_text(suite_yaml(suite("mine")))
    assert save_suite(catalogue, suite(cells=BLOCK), tmp_path, replace=True) == file
    (tmp_path / "suites" / "yours.yaml").write_text(suite_yaml(suite("else")))
    with pytest.raises(UsageError, match="holds a suite with another name"):
        save_suite(catalogue, suite("yours"), tmp_path)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("smoke", "is the name of a suite in"),
        ("../evil", "not '../evil'"),
        ("", "at most 40"),
        ("A b", "not 'A b'"),
    ],
)
def test_a_name_that_cannot_be_is_refused(
    catalogue: Catalogue, tmp_path: Path, name: str, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        save_suite(catalogue, suite(name), tmp_path)
    assert not list(tmp_path.rglob("*.yaml"))


def test_what_cannot_be_run_is_not_saved(catalogue: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'epochs'"):
        save_suite(catalogue, suite(overrides={"epoch": "3"}), tmp_path)
    with pytest.raises(UsageError, match="at least 1"):
        suite(cells=[])
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "suites").write_text("a file")
    with pytest.raises(UserError, match="can't be written"):
        save_suite(catalogue, suite(), blocked)


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("[sasrec, synthetic, 75]", "isn't one of its models, datasets and lengths"),
        ("[sasrek, synthetic, 50]", "did you mean 'sasrec'"),
        ("[sasrec, synthetic]", "cells"),
        ("[sasrec, synthetic, long]", "a whole number"),
    ],
)
def test_a_wrong_cell_is_told_with_file_and_line(tmp_path: Path, cell: str, says: str) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "x.yaml").write_text(
        "name: x\ntitle: X\nmodels: [sasrec]\ndatasets: [synthetic]\nlengths: [50]\nseeds: [1]\n"
        f"cells:\n  - {cell}\n"
    )
    with pytest.raises(ConfigError, match=f"x.yaml:8: .*{says}"):
        load_catalogue(tmp_path)


def test_overrides_of_training_concern_only_the_trained_models_of_a_suite(tmp_path: Path) -> None:
    folder = tmp_path / "suites"
    folder.mkdir()
    text = (
        "name: mixed\ntitle: Mixed\nmodels: [sasrec, markov]\ndatasets: [synthetic]\n"
        "lengths: [50]\nseeds: [1]\noverrides: {lr: [0.1, 0.2], epochs: 3}\n"
    )
    (folder / "mixed.yaml").write_text(text)
    catalogue = load_catalogue(tmp_path)
    chosen = catalogue.suite("mixed")
    models = [spec.model for spec in catalogue.expand(chosen)]
    assert models == ["sasrec", "sasrec", "markov"]
    assert catalogue.run_count(chosen) == 3
    (folder / "mixed.yaml").write_text(text.replace("sasrec, ", ""))
    with pytest.raises(ConfigError, match=r"mixed.yaml:7: overrides.lr: markov is fitted"):
        load_catalogue(tmp_path)

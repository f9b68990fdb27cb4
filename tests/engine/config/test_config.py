"""Configuration: the shipped files load, layers override, and a mistake is told precisely."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.literature.figures import digits_text
from engine.config import Catalogue, config_layers, load_catalogue, parse_override
from engine.errors import ConfigError, UsageError
from engine.metrics import REFERENCE_COLUMNS
from engine.spec import Filter, RunSpec, SplitRule, parameter_count

Write = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load_catalogue()


# What is shipped


def test_the_reference_suite_is_the_27_cells_with_the_reference_settings(
    shipped: Catalogue,
) -> None:
    specs = shipped.expand(shipped.suite("reference-27"))
    assert [(spec.model, spec.dataset, spec.length) for spec in specs] == list(
        product(["sasrec", "bert4rec", "xlstm"], ["ml-100k", "ml-1m", "ml-10m"], [50, 75, 100])
    )
    sizes = {"ml-100k": (64, 1, 2), "ml-1m": (128, 2, 2), "ml-10m": (256, 4, 8)}
    for spec in specs:
        shape = spec.architecture
        assert (shape.dim, shape.layers, shape.heads) == sizes[spec.dataset]
        assert (spec.training.lr, spec.training.batch_size) == (0.001, 128)
        assert spec.training.patience < spec.training.epochs


def test_the_tuned_recipes_are_of_comparable_size(shipped: Catalogue) -> None:
    for model, dataset in product(["sasrec", "bert4rec", "xlstm"], ["ml-100k", "ml-1m", "ml-10m"]):
        reference, tuned = (
            parameter_count(shipped.run_spec(model, dataset, 50, 42, profile))
            for profile in ("reference", "tuned")
        )
        assert tuned <= 1.05 * reference


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("0.130", "0.130"), (".130", "0.130"), ("'.130'", "0.130"), ('"0.13"', "0.13"),
        ("0.1300", "0.1300"), ("1.30e-1", "0.130"), ("1", "1"), ("1.0", "1.0"),
        ("45807.930", "45,807.930"), ("-0.50", "-0.50"),
    ],
)  # fmt: skip
def test_a_published_figure_keeps_its_digits(
    layer: Path, write: Write, written: str, shown: str
) -> None:
    write(
        "reference/mine.yaml",
        "name: mine\ntitle: Mine\nsource: a paper\nranking: all-items\naggregate: max\ncells:\n"
        "  - {model: sasrec, dataset: ml-1m, length: 50, figures: {Recall@10/test: "
        f"{written}}}}}\n",
    )
    (cell,) = load_catalogue(layer).published["mine"].cells
    assert digits_text(cell.figures["Recall@10/test"]) == shown


def test_the_reference_figures_are_18_cells_whose_parameters_are_ours(shipped: Catalogue) -> None:
    cells = shipped.published["reference-27"].cells
    assert len({(cell.model, cell.dataset, cell.length) for cell in cells}) == len(cells) == 18
    assert {name for cell in cells for name in cell.figures} == REFERENCE_COLUMNS.keys()
    for cell in cells:
        assert {"HitRate@10/test", "NDCG@10/test", "Loss/train"} <= cell.figures.keys()
        if (published := cell.figures.get("Model/TotalParams")) is not None:
            spec = shipped.run_spec(cell.model, cell.dataset, cell.length, 42)
            assert parameter_count(spec) == published


def test_names_are_found_by_alias_and_in_any_case(shipped: Catalogue) -> None:
    assert shipped.model("SAS4Rec").name == "sasrec"
    assert shipped.model(" SASRec ").name == "sasrec"
    assert shipped.dataset("100K").name == "ml-100k"
    assert shipped.suite("Reference-27").name == "reference-27"


def test_shipped_entries_say_what_fetching_needs_to_say(shipped: Catalogue) -> None:
    for dataset in shipped.datasets.values():
        if dataset.reader != "synthetic":
            assert dataset.archive is not None or "SEQBENCH_DATA" in dataset.note
            assert dataset.license


def test_what_the_screens_import_first_is_light() -> None:
    heavy = "'torch', 'numpy', 'pandas', 'sqlite_utils'"
    script = f"import engine.config, sys; print([m for m in ({heavy}) if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


# One run's configuration


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("sas", "ml-100k", 50, 1), "there is no model 'sas': did you mean 'sasrec'?"),
        (("zzz", "synthetic", 50, 1), "choose from bert4rec, ease, esasrec,"),
        (("sasrec", "ml-100", 50, 1), "there is no data set 'ml-100': did you mean 'ml-100k'?"),
        (
            ("sasrec", "synthetic", 1, 1),
            "sasrec × synthetic × 1: length: expected a number of at least 2, not 1.",
        ),
        (("sasrec", "synthetic", 50, -1), "seed: expected a number of at least 0, not -1."),
        (("sasrec", "synthetic", 50, 1, "best"), "sasrec has no profile 'best': choose from"),
        (
            ("sasrec", "synthetic", 50, 1, "tuned", {"loss": "gbce"}),
            "label_smoothing needs loss: full (with loss: gbce, set it to 0)",
        ),
        (
            ("sasrec", "synthetic", 50, 1, "reference", {"loss": "sampled"}),
            "sasrec × synthetic × 50: negatives (256) must be fewer than the items (200)",
        ),
        (
            ("sasrec", "ml-1m", 50, 1, "reference", {"objective": "prefix", "window_overlap": 0.5}),
            "prefixes overlap by themselves: set window_overlap to 0",
        ),
    ],
)
def test_an_impossible_run_is_refused_in_a_sentence(
    shipped: Catalogue, arguments: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(UsageError) as caught:
        shipped.run_spec(*arguments)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("lr", "abc", "lr: expected a number, not 'abc'."),
        ("lr", "nan", "lr: expected a number, not 'nan'."),
        ("lr", "0", "lr: expected a number greater than 0, not 0."),
        ("lr", "", "lr: expected a number, not nothing."),
        ("epochs", "2.5", "epochs: expected a whole number, not 2.5."),
        ("epochs", "true", "epochs: expected a whole number, not true."),
        ("epochs", "0", "epochs: expected a number of at least 1, not 0."),
        ("dropout", "1", "dropout: expected a number less than 1, not 1."),
        (
            "dtype",
            "flot32",
            "dtype: expected 'auto', 'float32' or 'bfloat16', not 'flot32': "
            "did you mean 'float32'?",
        ),
        ("epoch", "3", "sasrec has no setting 'epoch': did you mean 'epochs'?"),
        ("model", "xlstm", "sasrec has no setting 'model'"),
        ("training.dim", "64", "sasrec has no setting 'training.dim': did you mean 'dim'?"),
        ("", "64", "sasrec has no setting ''"),
        ("gate_soft_cap", "10", "sasrec has no setting 'gate_soft_cap'"),
        ("heads", "3", "sasrec × synthetic × 50: dim (64) must be a multiple of heads (3)."),
        ("objective", "masked", "sasrec is trained with objective: next-item (or prefix)."),
    ],
)
def test_an_impossible_setting_is_refused_in_a_sentence(
    shipped: Catalogue, key: str, value: str, sentence: str
) -> None:
    with pytest.raises(UsageError) as caught:
        shipped.run_spec("sasrec", "synthetic", 50, 1, overrides={key: value})
    message = str(caught.value)
    assert sentence in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("lr", "1e-4", ("training", "lr", 1e-4)),
        ("training.lr", "1", ("training", "lr", 1)),
        ("batch-size", " 64 ", ("training", "batch_size", 64)),
        ("architecture.dim", "32", ("architecture", "dim", 32)),
        ("norm", "post", ("architecture", "norm", "post")),
        ("epochs", 7, ("training", "epochs", 7)),
    ],
)
def test_a_setting_is_checked_and_placed(
    shipped: Catalogue, key: str, value: str | int, expected: tuple[str, str, object]
) -> None:
    assert parse_override(shipped.model("sasrec"), "reference", key, value) == expected


def test_settings_that_fit_only_together_may_come_together(shipped: Catalogue) -> None:
    overrides = {"heads": "3", "dim": "48"}
    architecture = shipped.run_spec("sasrec", "synthetic", 50, 1, overrides=overrides).architecture
    assert (architecture.dim, architecture.heads) == (48, 3)


@given(st.text(max_size=12), st.text(max_size=12))
def test_any_setting_is_taken_or_refused_in_a_sentence(key: str, value: str) -> None:
    shipped = _shipped()
    try:
        spec = shipped.run_spec("xlstm", "synthetic", 50, 1, overrides={key: value})
    except UsageError:
        return
    assert isinstance(spec, RunSpec)


def _shipped(cache: list[Catalogue] = []) -> Catalogue:  # noqa: B006 -- hypothesis has no fixtures
    if not cache:
        cache.append(load_catalogue())
    return cache[0]


@given(
    lr=st.floats(1e-6, 10), epochs=st.integers(1, 10_000), dropout=st.floats(0, 1, exclude_max=True)
)
def test_a_setting_typed_is_the_setting_used(lr: float, epochs: int, dropout: float) -> None:
    overrides: dict[str, str | int | float | bool] = {
        "lr": repr(lr),
        "epochs": str(epochs),
        "dropout": repr(dropout),
    }
    spec = _shipped().run_spec("sasrec", "synthetic", 50, 1, overrides=overrides)
    assert (spec.training.lr, spec.training.epochs) == (lr, epochs)
    assert spec.architecture.dropout == dropout
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


def test_a_fingerprint_tells_runs_apart_by_what_changes_the_result(shipped: Catalogue) -> None:
    def fingerprint(*cell: Any, **overrides: Any) -> str:
        return shipped.run_spec(*cell, overrides=overrides).fingerprint()

    base = fingerprint("sasrec", "synthetic", 50, 1)
    assert base == fingerprint("SAS4Rec", "synthetic", 50, 1)
    assert base == fingerprint("sasrec", "synthetic", 50, 1, lr="0.001")
    others = {
        fingerprint("xlstm", "synthetic", 50, 1),
        fingerprint("sasrec", "ml-100k", 50, 1),
        fingerprint("sasrec", "synthetic", 51, 1),
        fingerprint("sasrec", "synthetic", 50, 2),
        fingerprint("sasrec", "synthetic", 50, 1, lr="0.002"),
    }
    assert len(others | {base}) == 6


RECORDED = {
    ("sasrec", "synthetic"): "ccee91a7c9ad",
    ("sasrec", "ml-100k"): "9c7bad5277ef",
    ("sasrec", "ml-10m"): "3ad5d5d24425",
    ("bert4rec", "synthetic"): "b115756c6043",
    ("bert4rec", "ml-100k"): "9cfea4bc8aed",
    ("xlstm", "ml-10m"): "44004009b145",
}
"""What runs of released versions are known by."""


def test_fingerprints_are_those_that_stored_runs_have(shipped: Catalogue) -> None:
    def stored(spec: RunSpec) -> RunSpec:
        return RunSpec.model_validate(spec.model_dump() | {"protocol": 1})

    found = {cell: stored(shipped.run_spec(*cell, 50, 1)).fingerprint() for cell in RECORDED}
    assert found == RECORDED
    small = {"lr": 0.01, "dim": 32, "heads": 2, "epochs": 3}
    spec = stored(shipped.run_spec("sasrec", "ml-100k", 75, 42, overrides=small))
    assert spec.fingerprint() == "935bae220f79"
    rules = {"split": SplitRule(kind="temporal"), "filter": Filter(min_rating=4, k_core=5)}
    other = spec.model_copy(update={"source": spec.source.model_copy(update=rules)})
    assert other.fingerprint() == "c083eeac1e07"
    moments = SplitRule(kind="temporal", valid_from=880_000_000, test_from=890_000_000)
    other = spec.model_copy(update={"source": spec.source.model_copy(update={"split": moments})})
    assert (other.fingerprint(), other.settings()) == ("6a3a29be985a", "8776e455")
    tuned = stored(shipped.run_spec("xlstm", "ml-1m", 100, 7, profile="tuned"))
    assert tuned.fingerprint() == "7bf3c038a656"


def test_as_many_interactions_are_part_of_what_a_synthetic_set_is(shipped: Catalogue) -> None:
    spec = shipped.run_spec("sasrec", "synthetic", 50, 1)
    fewer = spec.source.model_copy(update={"interactions": spec.source.interactions - 1})
    other = spec.model_copy(update={"source": fewer})
    assert spec.fingerprint() != other.fingerprint()
    assert spec.settings() != other.settings()


# Layers


def test_a_layer_overrides_the_keys_that_it_names_and_adds_entries(
    layer: Path, write: Write
) -> None:
    write("models/mine.yaml", "name: sasrec\nprofiles: {reference: {training: {lr: 0.01}}}\n")
    write(
        "suites/s.yml",
        "name: s\ntitle: S\nmodels: [sasrec]\ndatasets: [synthetic]\nlengths: [50]\nseeds: [1]\n",
    )
    write("settings.yaml", "slots: {gpu: 4}\n")
    catalogue = load_catalogue(layer)
    spec = catalogue.run_spec("sasrec", "synthetic", 50, 1)
    assert (spec.training.lr, spec.training.batch_size) == (0.01, 128)
    assert spec.architecture.dim == 64
    assert catalogue.suite("s").title == "S"
    assert (catalogue.settings.slots.gpu, catalogue.settings.slots.cpu) == (4, "auto")


def test_the_order_is_shipped_then_local_then_chosen(
    layer: Path, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    (here / "configs").mkdir(parents=True)
    (here / "configs/settings.yaml").write_text("retries: 1\nidle_seconds: 1\n")
    write("settings.yaml", "retries: 2\n")
    monkeypatch.chdir(here)
    assert load_catalogue().settings.retries == 1
    settings = load_catalogue(layer).settings
    assert (settings.retries, settings.idle_seconds, settings.slots.gpu) == (2, 1, "auto")
    monkeypatch.setenv("SEQBENCH_CONFIG", str(layer))
    assert load_catalogue().settings.retries == 2
    assert config_layers() == config_layers(layer)


def test_an_empty_layer_changes_nothing(layer: Path, shipped: Catalogue) -> None:
    layer.mkdir()
    assert load_catalogue(layer) == shipped


def test_a_layer_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        load_catalogue(tmp_path / "absent")


def test_editors_files_are_passed_over(layer: Path, write: Write) -> None:
    write("suites/.#s.yaml", "garbage: [")
    write("suites/s.yaml~", "garbage: [")
    write("suites/notes.txt", "garbage: [")
    assert "s" not in load_catalogue(layer).suites


# Suites


def test_a_suite_runs_every_cell_in_every_variant(layer: Path, write: Write) -> None:
    write(
        "suites/v.yaml",
        "name: v\ntitle: V\nmodels: [sasrec]\ndatasets: [synthetic]\n"
        "lengths: [50, 75]\nseeds: [1, 2]\n"
        "overrides: {lr: 0.01, epochs: 7}\nvariants: {whole: {}, slow: {lr: 0.0001}}\n",
    )
    catalogue = load_catalogue(layer)
    specs = catalogue.expand(catalogue.suite("v"))
    assert [(spec.length, spec.recipe, spec.training.lr, spec.seed) for spec in specs] == [
        (length, f"reference/{variant}", lr, seed)
        for length, (variant, lr), seed in product(
            [50, 75], [("whole", 0.01), ("slow", 0.0001)], [1, 2]
        )
    ]
    assert {spec.training.epochs for spec in specs} == {7}


def test_what_a_variant_is_called_changes_no_result(shipped: Catalogue) -> None:
    plain, named = (
        shipped.run_spec("sasrec", "synthetic", 50, 1, variant=variant) for variant in ("", "whole")
    )
    assert plain.fingerprint() == named.fingerprint()
    assert (plain.recipe, named.recipe) == ("reference", "reference/whole")

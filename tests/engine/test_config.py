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

from engine.analysis.provenance import settings_digest
from engine.config import Catalogue, config_layers, load_catalogue, parse_override
from engine.errors import ConfigError, UsageError
from engine.metrics import REFERENCE_COLUMNS
from engine.models.sizes import parameter_count
from engine.spec import RunSpec

Write = Callable[[str, str], Path]

SUITE = "name: s\ntitle: S\nmodels: [sasrec]\ndatasets: [synthetic]\nlengths: [50]\nseeds: [1]\n"
TABLE = "name: t\ntitle: T\nsource: S\nranking: all-items\naggregate: max\ncells:\n"
DATASET = (
    "name: d\ntitle: D\nsize: small\nreader: synthetic\nusers: 9\nitems: 9\ninteractions: 99\n"
)


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load_catalogue()


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    return tmp_path / "mine"


@pytest.fixture
def write(layer: Path) -> Write:
    def write(name: str, text: str) -> Path:
        path = layer / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def complaint(layer: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_catalogue(layer)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{layer}/")


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


def test_the_reference_figures_are_18_cells_whose_parameters_are_ours(shipped: Catalogue) -> None:
    cells = shipped.references["reference-27"].cells
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
            assert dataset.archive is not None
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
        (("popularity", "synthetic", 50, 1), "choose from bert4rec, sasrec, xlstm."),
        (("sasrec", "ml-100", 50, 1), "there is no data set 'ml-100': did you mean 'ml-100k'?"),
        (
            ("sasrec", "synthetic", 1, 1),
            "sasrec × synthetic × 1: length: expected a number of at least 2, not 1.",
        ),
        (("sasrec", "synthetic", 50, -1), "seed: expected a number of at least 0, not -1."),
        (("sasrec", "synthetic", 50, 1, "tuned"), "sasrec has no profile 'tuned': choose from"),
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
        ("objective", "masked", "sasrec is trained with objective: next-item."),
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


def test_as_many_interactions_are_part_of_what_a_synthetic_set_is(shipped: Catalogue) -> None:
    spec = shipped.run_spec("sasrec", "synthetic", 50, 1)
    fewer = spec.source.model_copy(update={"interactions": spec.source.interactions - 1})
    other = spec.model_copy(update={"source": fewer})
    assert spec.fingerprint() != other.fingerprint()
    digests = {settings_digest(each.model_dump(mode="json")) for each in (spec, other)}
    assert len(digests) == 2


# Layers


def test_a_layer_overrides_the_keys_that_it_names_and_adds_entries(
    layer: Path, write: Write
) -> None:
    write("models/mine.yaml", "name: sasrec\nprofiles: {reference: {training: {lr: 0.01}}}\n")
    write("suites/s.yml", SUITE)
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
    assert (settings.retries, settings.idle_seconds, settings.slots.gpu) == (2, 1, 1)
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


# Mistakes: file, line, key, what was expected, the nearest name


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        (
            "suites/s.yaml",
            SUITE + "seed: [2]\n",
            "suites/s.yaml:7: seed: unknown key 'seed': did you mean 'seeds'?",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("title", "titel"),
            "suites/s.yaml:2: titel: unknown key 'titel': did you mean 'title'?",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("title: S\n", ""),
            "suites/s.yaml:1: title: this key is needed.",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("[50]", "[50, x]"),
            "suites/s.yaml:5: lengths.1: expected a whole number, not 'x'.",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("[50]", "50"),
            "suites/s.yaml:5: lengths: expected a list, not 50.",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("[1]", "[]"),
            "suites/s.yaml:6: seeds: expected at least 1 of them, not ().",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("sasrec", "sasrek"),
            "suites/s.yaml:3: models.0: there is no model 'sasrek': did you mean 'sasrec'?",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("synthetic", "synth"),
            "suites/s.yaml:4: datasets.0: there is no data set 'synth': did you mean 'synthetic'?",
        ),
        (
            "suites/s.yaml",
            SUITE + "profile: tuned\n",
            "suites/s.yaml:7: profile: sasrec has reference, not 'tuned'.",
        ),
        (
            "suites/s.yaml",
            SUITE + "overrides:\n  epochs: 3\n  epoch: 4\n",
            "suites/s.yaml:9: overrides.epoch: sasrec has no setting 'epoch': "
            "did you mean 'epochs'?",
        ),
        (
            "suites/s.yaml",
            SUITE + "overrides:\n  lr: [1]\n",
            "suites/s.yaml:8: overrides.lr: "
            "expected text or a whole number or a number or true or false, not (1,).",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("[50]", "[1]"),
            "suites/s.yaml:1: sasrec × synthetic × 1: length: "
            "expected a number of at least 2, not 1.",
        ),
        ("suites/s.yaml", "title: S\n", "suites/s.yaml:1: name: every entry needs its name"),
        ("suites/s.yaml", SUITE.replace("name: s", "name: 5"), "suites/s.yaml:1: name: every"),
        (
            "suites/s.yaml",
            SUITE.replace("name: s", "name: My Suite"),
            "suites/s.yaml:1: name: expected text that matches",
        ),
        (
            "models/m.yaml",
            "name: sasrec\nprofiles:\n  reference:\n    sizes:\n      tiny: {}\n",
            "models/m.yaml:5: profiles.reference.sizes.tiny: "
            "expected 'small', 'medium' or 'large', not 'tiny'.",
        ),
        (
            "models/m.yaml",
            "name: sasrec\nprofiles:\n  reference:\n    sizes:\n      small:\n"
            "        architecture: {hed: 2}\n",
            "models/m.yaml:6: profiles.reference.sizes.small.architecture.hed: "
            "unknown key 'hed': did you mean 'heads'?",
        ),
        (
            "models/m.yaml",
            "name: sasrec\nprofiles:\n  reference:\n    sizes:\n      small:\n"
            "        architecture: {heads: 3}\n",
            "models/m.yaml:6: profiles.reference.sizes.small.architecture: "
            "dim (64) must be a multiple of heads (3).",
        ),
        (
            "models/m.yaml",
            "name: sasrec\nprofiles:\n  reference:\n    sizes:\n      small: {archtecture: {}}\n",
            "models/m.yaml:5: profiles.reference.sizes.small.archtecture: "
            "unknown key 'archtecture': did you mean 'architecture'?",
        ),
        (
            "models/m.yaml",
            "name: sasrec\nprofiles:\n  training:\n    training: {}\n",
            "models/m.yaml:3: profiles.training.architecture: this key is needed.",
        ),
        (
            "models/m.yaml",
            "name: sasrec\nprofiles:\n  reference:\n    training: {lr: fast}\n",
            "models/m.yaml:4: profiles.reference.training.lr: expected a number, not 'fast'.",
        ),
        (
            "models/m.yaml",
            "name: sasrec\nprofiles:\n  reference:\n    architecture: {model: sasrek}\n",
            "models/m.yaml:4: profiles.reference.architecture.model: did you mean 'sasrec'?",
        ),
        (
            "models/m.yaml",
            "name: sasrec\naliases: [100k, XLSTM]\n",
            "models/m.yaml:2: aliases.1: 'XLSTM' names xlstm already.",
        ),
        (
            "datasets/d.yaml",
            DATASET + "synthetic: {sed: 1}\n",
            "datasets/d.yaml:8: synthetic.sed: unknown key 'sed': did you mean 'seed'?",
        ),
        (
            "datasets/d.yaml",
            DATASET,
            "datasets/d.yaml:1: 'synthetic' settings belong to reader 'synthetic'",
        ),
        (
            "datasets/d.yaml",
            DATASET.replace("items: 9", "items: true") + "synthetic: {}\n",
            "datasets/d.yaml:6: items: expected a whole number, not true.",
        ),
        (
            "datasets/d.yaml",
            "name: ml-1m\narchive: {url: 'ftp://x'}\n",
            "datasets/d.yaml:2: archive.url: expected text that matches ^https?://, not 'ftp://x'.",
        ),
        (
            "datasets/d.yaml",
            "name: ml-1m\nfolder: ../../etc\n",
            "datasets/d.yaml:2: folder: expected text that matches",
        ),
        (
            "settings.yaml",
            "slots:\n  cpu: many\n",
            "settings.yaml:2: slots.cpu: expected a whole number or 'auto', not 'many'.",
        ),
        ("settings.yaml", "slots: 3\n", "settings.yaml:1: slots: expected a mapping of keys"),
        ("settings.yaml", "retries: 101\n", "retries: expected a number of at most 100, not 101."),
        ("settings.yaml", "- 1\n", "settings.yaml:1: expected a mapping of keys to values."),
        (
            "reference/t.yaml",
            TABLE + "  - {model: sasrec, dataset: ml-1m, length: 50, figures: {NDCG@10: 1}}\n",
            "reference/t.yaml:7: cells.0.figures.NDCG@10: did you mean 'NDCG@10/test'?",
        ),
        (
            "reference/t.yaml",
            TABLE + "  - {model: sasrek, dataset: ml-1m, length: 50, figures: {}}\n",
            "reference/t.yaml:7: cells.0.model: 'sasrek': did you mean 'sasrec'?",
        ),
        (
            "reference/t.yaml",
            TABLE + "  - {model: sasrec, dataset: ml-1m, length: 50, figures: {}}\n" * 2,
            "reference/t.yaml:8: cells.1: this cell stands twice.",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(
    layer: Path, write: Write, file: str, text: str, sentence: str
) -> None:
    write(file, text)
    assert sentence in complaint(layer)
    assert complaint(layer).startswith(file)


def test_two_files_of_one_layer_must_not_have_one_name(layer: Path, write: Write) -> None:
    first = write("suites/a.yaml", SUITE)
    write("suites/b.yaml", SUITE)
    assert complaint(layer) == f"suites/b.yaml:1: name: {first} has the name 's' too."


def test_a_mistake_in_a_merged_entry_is_told_of_the_file_that_has_it(
    layer: Path, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = tmp_path / "here/configs/suites"
    local.mkdir(parents=True)
    (local / "s.yaml").write_text(SUITE + "nonsense: 1\n")
    monkeypatch.chdir(tmp_path / "here")
    write("suites/s.yaml", "name: s\ntitle: mine\n")
    with pytest.raises(ConfigError) as caught:
        load_catalogue(layer)
    assert str(caught.value).startswith(f"{local / 's.yaml'}:7: nonsense: ")


def test_hostile_text_in_a_message_is_cut_and_escaped(layer: Path, write: Write) -> None:
    write("settings.yaml", 'retries: "\\e[2J' + "x" * 500 + '"\n')
    message = complaint(layer)
    assert "\x1b" not in message
    assert len(message) < 200

"""Several values of settings: the runs are every combination of them, and no other."""

from __future__ import annotations

import shlex
from itertools import product
from math import prod
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.run.relaunch import relaunch_command
from engine.config import Catalogue, load_catalogue
from engine.config.suites import suite_yaml
from engine.errors import UsageError
from engine.order import Order, parse_lengths, parse_seeds, parse_settings, settings_text
from engine.planning import (
    Plan,
    order_of_axes,
    order_of_cells,
    order_suite,
    plan,
    samples,
    swept_settings,
)
from engine.spec import CellKey, Override, RunSpec, Suite, Sweep
from engine.yamlfile import read_yaml

CELLS: list[CellKey] = [("sasrec", "synthetic", 50), ("xlstm", "synthetic", 75)]
VALUES: dict[str, list[str]] = {
    "lr": ["0.1", "0.01", "0.001"],
    "dropout": ["0.1", "0.2", "0.3"],
    "tied": ["true", "false"],
    "lr_decay": ["constant", "linear", "cosine"],
}
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        key: st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(tuple)
        for key, values in VALUES.items()
    },
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def relaunched(catalogue: Catalogue, spec: RunSpec) -> Plan:
    """What the command orders that launches a run again."""
    words = shlex.split(relaunch_command(spec.model_dump(mode="json"), catalogue))
    options = list(zip(words[2::2], words[3::2], strict=True))
    given = dict(options)
    order = order_of_axes(
        catalogue,
        [given["--model"]],
        [given["--dataset"]],
        parse_lengths(given["--length"]),
        parse_seeds(given["--seed"]),
        given["--profile"],
        parse_settings("\n".join(value for name, value in options if name == "--set")),
    )
    return plan(catalogue, order, ())


def fingerprints(found: Plan) -> list[str]:
    return [run.fingerprint for run in found.runs]


@given(
    cells=st.sets(st.sampled_from(CELLS), min_size=1),
    seeds=st.lists(st.integers(0, 9), min_size=1, max_size=2, unique=True).map(tuple),
    settings=SETTINGS,
)
def test_the_runs_are_exactly_the_product(
    catalogue: Catalogue, cells: set[CellKey], seeds: tuple[int, ...], settings: dict[str, Sweep]
) -> None:
    found = plan(catalogue, order_of_cells(catalogue, cells, seeds, settings=settings), ())
    each = [dict(zip(settings, values, strict=True)) for values in product(*settings.values())]
    alone = [
        catalogue.run_spec(*cell, seed, overrides=one)
        for cell, one, seed in product(cells, each, seeds)
    ]
    assert sorted(fingerprints(found)) == sorted({spec.fingerprint() for spec in alone})
    assert len(found.runs) == len(cells) * prod(map(len, settings.values())) * len(seeds)
    assert {run.cell.settings for run in found.runs} == {spec.settings() for spec in alone}
    last = found.runs[-1]
    assert fingerprints(relaunched(catalogue, last.spec)) == [last.fingerprint]


@given(settings=SETTINGS, seeds=st.sampled_from([(1,), (1, 2)]))
def test_a_saved_suite_keeps_its_values(
    catalogue: Catalogue,
    tmp_path_factory: pytest.TempPathFactory,
    settings: dict[str, Sweep],
    seeds: tuple[int, ...],
) -> None:
    order = order_of_cells(catalogue, CELLS, seeds, settings=settings)
    path = tmp_path_factory.mktemp("suite") / "mine.yaml"
    path.write_text(suite_yaml(order_suite(catalogue, order, "mine", "")), encoding="utf-8")
    suite = Suite.model_validate(read_yaml(path).value, strict=True)
    wanted = fingerprints(plan(catalogue, order, ()))
    assert sorted(spec.fingerprint() for spec in catalogue.expand(suite)) == sorted(wanted)
    assert catalogue.run_count(suite) == len(wanted)
    catalogue.suites["mine"] = suite
    typed = "\n".join(f"{key}={value}" for key, value in settings_text(suite.overrides).items())
    again = order_of_cells(catalogue, CELLS, seeds, settings=parse_settings(typed), suite="mine")
    found = plan(catalogue, again, ())
    del catalogue.suites["mine"]
    assert (fingerprints(found), found.label) == (wanted, "mine")


def test_equal_values_are_one_and_the_first_is_shown(catalogue: Catalogue) -> None:
    order = order_of_cells(catalogue, CELLS[:1], settings=parse_settings("lr=0.1,1e-1,0.2 dim=64"))
    runs = plan(catalogue, order, ()).runs
    assert [swept_settings(order.overrides, run.spec) for run in runs] == [{"lr": 0.1}, {"lr": 0.2}]
    assert [spec for spec, _ in samples(catalogue, order, CELLS[0])] == [run.spec for run in runs]


def test_a_cell_is_known_by_all_that_its_sweeps_run(catalogue: Catalogue) -> None:
    settings = parse_settings("lr=0.1,0.2 dim=32,64 epochs=5,6")
    variants = {"few": {"layers": 1}, "many": {"layers": 2, "lr": 0.3}}
    order = Order(frozenset(CELLS[:1]), (1,), overrides=settings, variants=variants)
    found, runs = samples(catalogue, order, CELLS[0]), plan(catalogue, order, ()).runs
    assert len(found) < len(runs)
    assert {number for _, number in found} == {run.parameters for run in runs}
    for name in ("lr", "epochs"):
        values = {getattr(spec.training, name) for spec, _ in found}
        assert values == {getattr(run.spec.training, name) for run in runs}


def test_the_cost_of_each_combination_is_asked(catalogue: Catalogue) -> None:
    asked: list[RunSpec] = []
    order = order_of_cells(catalogue, CELLS[:1], (1, 2), settings=parse_settings("dim=32,64"))
    runs = plan(catalogue, order, (), asked.append).runs
    assert [spec.architecture.dim for spec in asked] == [32, 64]
    assert runs[0].parameters < runs[2].parameters


def test_a_variant_that_says_a_setting_itself_isnt_swept_unless_it_is_typed(
    catalogue: Catalogue,
) -> None:
    typed = {"dtype": ("float32", "bfloat16"), "lr": ("0.1", "0.2")}
    order = order_of_axes(catalogue, ["sasrec"], seeds=[1], settings=typed, suite="dtype-100k")
    assert len(plan(catalogue, order, ()).runs) == 4
    variants = {"auto": {}, "slow": {"lr": 0.001}}
    swept = Order(frozenset(CELLS[:1]), (1,), overrides={"lr": ("0.1", "0.2")}, variants=variants)
    lrs = [(r.spec.variant, r.spec.training.lr) for r in plan(catalogue, swept, ()).runs]
    assert lrs == [("auto", 0.1), ("auto", 0.2), ("slow", 0.001)]


def test_too_many_combinations_are_refused_before_they_are_made(catalogue: Catalogue) -> None:
    values = tuple(str(number) for number in range(1, 3_001))
    settings: dict[str, Sweep] = {"epochs": values, "patience": values, "batch_size": values}
    with pytest.raises(UsageError, match="27,000,000,000 runs"):
        plan(catalogue, order_of_cells(catalogue, CELLS[:1], settings=settings), ())


def test_an_impossible_value_is_named(catalogue: Catalogue) -> None:
    for typed, says in (
        ("lr=0.1,fast", "lr: expected a number, not 'fast'"),
        ("lr=[0.1,0.2]", r"lr: expected a number, not '\[0.1,0.2\]'"),
        ("heads=1,5", r"must be a multiple of heads \(5\)"),
    ):
        order = order_of_cells(catalogue, CELLS[:1], settings=parse_settings(typed))
        with pytest.raises(UsageError, match=says):
            plan(catalogue, order, ())


MARKOV: CellKey = ("markov", "synthetic", 50)
EASE: CellKey = ("ease", "synthetic", 75)


@given(seeds=st.sampled_from([(1,), (1, 2)]), settings=SETTINGS)
def test_overrides_of_training_concern_trained_models_only(
    catalogue: Catalogue, seeds: tuple[int, ...], settings: dict[str, Sweep]
) -> None:
    of_training = {key: settings[key] for key in settings if key in ("lr", "lr_decay")}
    fitted = [MARKOV, EASE]
    alone = plan(catalogue, order_of_cells(catalogue, fitted, seeds), ())
    trained = plan(catalogue, order_of_cells(catalogue, CELLS, seeds, settings=of_training), ())
    order = order_of_cells(catalogue, [*CELLS, *fitted], seeds, settings=of_training)
    found = plan(catalogue, order, ())
    wanted = sorted(fingerprints(trained) + fingerprints(alone))
    assert sorted(fingerprints(found)) == wanted
    assert found.of_training == tuple(of_training)
    assert set(found.untrained) == ({"markov", "ease"} if of_training else set())
    suite = order_suite(catalogue, order, "mixed", "")
    expanded = catalogue.expand(suite)
    assert sorted({spec.fingerprint() for spec in expanded}) == wanted
    assert catalogue.run_count(suite) == len(expanded)
    for cell in fitted:
        spec, _ = samples(catalogue, order, cell)[0]
        assert spec.fingerprint() in wanted
        assert swept_settings(of_training, spec) == {}


def test_variants_of_training_make_one_run_of_a_fitted_cell(catalogue: Catalogue) -> None:
    variants: dict[str, dict[str, Override]] = {
        "plain": {}, "slow": {"training.lr": 1e-4}, "slower": {"lr": 1e-5},
    }  # fmt: skip
    order = Order(frozenset({CELLS[0], MARKOV}), overrides={"epochs": 24}, variants=variants)
    found = plan(catalogue, order, ())
    recipes = [(run.spec.model, run.spec.recipe) for run in found.runs]
    names = ("plain", "slow", "slower")
    assert recipes == [*(("sasrec", f"reference/{name}") for name in names),
                       ("markov", "reference/plain")]  # fmt: skip
    assert found.of_training == ("epochs", "lr")


def test_overrides_of_a_suite_concern_no_fitted_model_that_is_chosen_from_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "mixed.yaml").write_text(
        "name: mixed\ntitle: Mixed\nmodels: [sasrec, markov]\ndatasets: [synthetic]\n"
        "lengths: [50]\nseeds: [1]\noverrides: {epochs: 3}\n"
        "variants: {slow: {lr: 0.1}, slower: {lr: 0.01}}\n"
    )
    catalogue = load_catalogue(tmp_path)
    every = plan(catalogue, order_of_axes(catalogue, suite="mixed"), ())
    wanted = [run.spec.fingerprint() for run in every.runs if run.spec.model == "markov"]
    own: dict[str, Sweep] = {"epochs": 3}
    for order in (
        order_of_axes(catalogue, models=["markov"], suite="mixed"),
        order_of_cells(catalogue, [MARKOV], (1,), settings=own, suite="mixed"),
    ):
        assert fingerprints(plan(catalogue, order, ())) == wanted
    typed: dict[str, Sweep] = {"epochs": 4}
    for order in (
        order_of_axes(catalogue, models=["markov"], suite="mixed", settings=typed),
        order_of_cells(catalogue, [MARKOV], (1,), settings=typed, suite="mixed"),
    ):
        with pytest.raises(UsageError, match="markov is fitted, not trained"):
            plan(catalogue, order, ())


@pytest.mark.parametrize("key", ["epochs", "training.lr", "batch-size"])
def test_of_fitted_models_alone_an_override_of_training_is_a_mistake(
    catalogue: Catalogue, key: str
) -> None:
    order = Order(frozenset({MARKOV, EASE}), overrides={key: "24"})
    sentence = f"is fitted, not trained: it has no setting '{key}' of training."
    for ask in (lambda: plan(catalogue, order, ()), lambda: samples(catalogue, order, EASE)):
        with pytest.raises(UsageError, match=sentence):
            ask()


def test_a_setting_of_no_model_is_a_mistake_in_a_mixed_selection(catalogue: Catalogue) -> None:
    cells = frozenset({CELLS[0], MARKOV})
    for key in ("epoch", "architecture.lr", "dim"):
        with pytest.raises(UsageError, match=f"has no setting '{key}'"):
            plan(catalogue, Order(cells, overrides={key: "24"}), ())

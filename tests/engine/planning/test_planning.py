"""From an order to its runs: which, in which order, which are missing, and under which label."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from engine.config import Catalogue, load_catalogue
from engine.errors import UsageError
from engine.order import Order
from engine.planning import (
    amendments,
    enqueue_amended,
    order_of_axes,
    order_of_cells,
    order_suite,
    plan,
    plan_in_store,
)
from engine.spec import CellKey, RunSpec, Suite
from engine.store.connect import connect_reader
from engine.store.location import store_location
from engine.store.queries import get_run
from engine.store.requests import enqueue


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


SASREC: CellKey = ("sasrec", "synthetic", 50)
XLSTM: CellKey = ("xlstm", "synthetic", 50)


def test_a_setting_is_checked_for_every_model(catalogue: Catalogue) -> None:
    overrides = {"gate_soft_cap": "10"}
    plan(catalogue, Order(frozenset({XLSTM}), overrides=overrides), ())
    both = frozenset({SASREC, XLSTM})
    with pytest.raises(UsageError, match="gate_soft_cap"):
        plan(catalogue, Order(both, overrides=overrides), ())


def test_a_plan_has_one_run_a_cell_and_seed(catalogue: Catalogue) -> None:
    cells = frozenset({("sasrec", "synthetic", 50), ("xlstm", "synthetic", 75)})
    planned = plan(catalogue, Order(cells, (1, 2, 3), overrides={"epochs": "4"}), ())
    assert len(planned.runs) == 6
    for run in planned.runs:
        spec = run.spec
        built = catalogue.run_spec(
            spec.model, spec.dataset, spec.length, spec.seed, overrides={"epochs": "4"}
        )
        assert spec == built
        assert run.fingerprint == built.fingerprint()


def test_only_what_is_not_present_is_missing(catalogue: Catalogue) -> None:
    order = Order(frozenset({SASREC}), (1, 2))
    present = frozenset({plan(catalogue, order, ()).runs[0].fingerprint})
    assert [run.spec.seed for run in plan(catalogue, order, present).missing] == [2]


def test_a_plan_of_one_seed_has_one_of_three_beside_it(catalogue: Catalogue) -> None:
    order = Order(frozenset({SASREC, XLSTM}), (2**31 - 2,), variants={"a": {}, "b": {"lr": 0.1}})
    alone = plan(catalogue, order, ())
    assert (alone.lone, alone.wider) == (frozenset(), None)
    three = replace(order, seeds=(2**31 - 2, 2**31 - 1, 0))
    every = plan(catalogue, three, ())
    present = {run.fingerprint for run in every.runs[1:4]}
    found = plan(catalogue, order, present, seeds_of=lambda cells: {})
    assert found.wider == plan(catalogue, three, present)
    assert found.lone == {run.cell for run in every.runs}
    assert len(found.lone) == 4
    first = alone.runs[0].cell
    for seeds, lone in (((2**31 - 2,), 4), ((2**31 - 2, 7), 3), ((7,), 3)):
        known = plan(catalogue, order, present, seeds_of=lambda _, seeds=seeds: {first: seeds})
        assert len(known.lone) == lone
        assert (first in known.lone) == (lone == 4)
    two = plan(catalogue, replace(order, seeds=(1, 2)), (), seeds_of=lambda cells: {})
    assert (two.lone, two.wider) == (frozenset(), None)


MARKOV: CellKey = ("markov", "synthetic", 50)


def test_a_fitted_model_is_run_once_for_all_seeds(catalogue: Catalogue) -> None:
    order = Order(frozenset({SASREC, MARKOV}), (1, 2, 3))
    found = plan(catalogue, order, ())
    seeds = [(run.spec.model, run.spec.seed) for run in found.runs]
    assert seeds == [("sasrec", 1), ("sasrec", 2), ("sasrec", 3), ("markov", 1)]
    assert found.once == ("markov",)
    there = found.runs[-1].fingerprint
    again = plan(catalogue, replace(order, seeds=(8, 9)), {there})
    assert [run.spec.model for run in again.missing] == ["sasrec", "sasrec"]


def test_a_refit_comes_after_the_run_that_it_refits(catalogue: Catalogue) -> None:
    axes: Any = {"models": ["sasrec", "popularity"], "datasets": ["synthetic"], "seeds": [1, 2]}
    order = order_of_axes(catalogue, **axes, settings={"refit": "true"})
    made = plan(catalogue, order, ())
    told = [(run.spec.model, run.spec.seed, run.spec.training.refit) for run in made.runs]
    assert told == [
        *(("sasrec", seed, refit) for refit in (False, True) for seed in (1, 2)),
        *(("popularity", 1, refit) for refit in (False, True)),
    ]
    plain = plan(catalogue, order_of_axes(catalogue, **axes), ())
    firsts = [run.fingerprint for run in made.runs if not run.spec.training.refit]
    assert firsts == [run.fingerprint for run in plain.runs]
    cells = [run.cell.settings for run in made.runs if run.spec.model == "sasrec"]
    assert cells[0] == cells[1] != cells[2] == cells[3]
    every = {run.fingerprint for run in made.runs}
    assert not plan(catalogue, order, every).missing
    sweep = order_of_axes(catalogue, **axes, settings={"refit": ("true", "false")})
    both = plan(catalogue, sweep, firsts)
    assert {run.fingerprint for run in both.runs} == every
    assert [run.spec.training.refit for run in both.missing] == [True] * 3


def test_a_fitted_model_lacks_no_seeds(catalogue: Catalogue) -> None:
    found = plan(catalogue, Order(frozenset({SASREC, MARKOV})), (), seeds_of=lambda cells: {})
    assert {cell.model for cell in found.lone} == {"sasrec"}
    assert found.once == ()
    assert found.wider is not None
    assert [run.spec.model for run in found.wider.runs] == ["sasrec"] * 3 + ["markov"]
    alone = plan(catalogue, Order(frozenset({MARKOV})), (), seeds_of=lambda cells: {})
    assert (alone.lone, alone.wider) == (frozenset(), None)


def test_fitted_models_are_offered_where_there_is_no_floor(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    order = Order(frozenset({SASREC, ("xlstm", "synthetic", 75), ("sasrec", "ml-100k", 50)}), (7,))
    found = plan_in_store(None, catalogue, order, (), ())
    fitted = {name for name in catalogue.models if catalogue.kind(name) == "fitted"}
    places = {(run.spec.model, run.spec.dataset) for run in found.floor}
    offered = {(model, data) for model in fitted for data in ("synthetic", "ml-100k")}
    assert places == offered - {("recent-popularity", "synthetic")}  # which has no times
    assert {(run.spec.length, run.spec.seed) for run in found.floor} == {(75, 7)}
    asked = plan_in_store(None, catalogue, replace(order, cells=order.cells | {MARKOV}), (), ())
    assert {run.spec.dataset for run in asked.floor} == {"ml-100k"}
    location = store_location(tmp_path / "runs.db")
    enqueue(location, [catalogue.run_spec(*MARKOV, 1)])
    with closing(connect_reader(location)) as con:
        queued = plan_in_store(con, catalogue, order, (), ())
    assert {run.spec.dataset for run in queued.floor} == {"ml-100k"}


def test_more_seeds_than_can_be_launched_are_not_proposed(catalogue: Catalogue) -> None:
    cells = frozenset(("sasrec", "synthetic", length) for length in range(2, 3_400))
    found = plan(catalogue, Order(cells), (), seeds_of=lambda cells: {})
    assert len(found.lone) == 3_398
    assert found.wider is None


def test_too_many_runs_are_refused(catalogue: Catalogue) -> None:
    cells = frozenset(("sasrec", "synthetic", length) for length in range(2, 15))
    with pytest.raises(UsageError, match="13,000 runs"):
        plan(catalogue, Order(cells, tuple(range(1000))), ())
    with pytest.raises(UsageError, match="At most 1,000 seeds"):
        plan(catalogue, Order(frozenset({SASREC}), tuple(range(1001))), ())


def test_data_that_is_not_here_is_named(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    cells = frozenset({("sasrec", "ml-100k", 50), ("sasrec", "synthetic", 50)})
    assert [dataset.name for dataset in plan(catalogue, Order(cells), ()).absent] == ["ml-100k"]


def test_an_order_of_variants_runs_each_cell_in_every_one(catalogue: Catalogue) -> None:
    cells = frozenset({SASREC})
    order = Order(cells, (1, 2), overrides={"lr": "0.01"}, variants={"whole": {}, "b": {"lr": 0.1}})
    runs = plan(catalogue, order, ()).runs
    assert [(run.spec.recipe, run.spec.training.lr, run.spec.seed) for run in runs] == [
        ("reference/whole", 0.01, 1),
        ("reference/whole", 0.01, 2),
        ("reference/b", 0.1, 1),
        ("reference/b", 0.1, 2),
    ]


def test_absent_data_is_told_for_the_runs_that_need_it(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    planned = plan(catalogue, order_of_axes(catalogue, suite="reference-27"), ())
    assert [each.name for each in planned.absent_of(planned.runs)] == ["ml-100k", "ml-1m", "ml-10m"]
    few = [run for run in planned.runs if run.spec.dataset == "ml-1m"]
    assert [each.name for each in planned.absent_of(few)] == ["ml-1m"]
    assert planned.absent_of([]) == []


def test_what_is_typed_takes_precedence_over_variants(catalogue: Catalogue) -> None:
    content = catalogue.suites["smoke"].model_dump() | {
        "overrides": {"lr": 0.01},
        "variants": {"whole": {}, "slow": {"lr": 0.0001}, "small": {"dim": 8, "training.lr": 1}},
    }
    suite = Suite.model_validate(content)
    changed = replace(catalogue, suites={"smoke": suite})
    for same in ("0.01", "1e-2"):
        as_it_is = order_of_cells(changed, [SASREC], settings={"lr": same}, suite="smoke")
        assert as_it_is.variants == suite.variants
    typed = order_of_cells(changed, [SASREC], settings={"lr": "0.02"}, suite="smoke")
    assert typed.variants == {"whole": {}, "slow": {}, "small": {"dim": 8}}
    assert [run.spec.recipe for run in plan(changed, typed, ()).runs] == [
        "reference/whole",
        "reference/small",
    ]


@pytest.mark.parametrize(
    ("choice", "label"),
    [
        ({}, "smoke"),
        ({"suite": "SMOKE"}, "smoke"),
        ({"models": ["sasrec"]}, "smoke"),
        ({"seeds": [1, 2]}, "smoke"),
        ({"settings": {"epochs": "5"}}, "smoke"),
        ({"settings": {"lr": "0.01"}}, None),
        ({"lengths": [50, 75]}, None),
        ({"profile": "tuned"}, None),
        ({"suite": None, "models": ["sasrec"], "datasets": ["synthetic"]}, None),
    ],
)
def test_runs_carry_the_suites_name_only_while_each_is_of_it(
    catalogue: Catalogue, choice: dict[str, Any], label: str | None
) -> None:
    order = order_of_axes(catalogue, **{"suite": "smoke"} | choice)
    assert plan(catalogue, order, ()).label == label


def test_the_label_does_not_depend_on_what_is_there_already(catalogue: Catalogue) -> None:
    order = order_of_axes(catalogue, lengths=[50, 75], suite="smoke")
    strangers = {run.fingerprint for run in plan(catalogue, order, ()).runs if run.spec.length > 50}
    assert plan(catalogue, order, strangers).label is None


def test_runs_go_by_data_model_length_and_seed_however_they_were_asked(
    catalogue: Catalogue,
) -> None:
    order = order_of_axes(
        catalogue, ["xLSTM", "sasrec"], ["ml-1m", "synthetic"], [75, 50], [2, 1, 2]
    )
    runs = plan(catalogue, order, ()).runs
    cells = dict.fromkeys((r.spec.dataset, r.spec.model, r.spec.length) for r in runs)
    assert list(cells) == list(product(["synthetic", "ml-1m"], ["sasrec", "xlstm"], [50, 75]))
    assert [run.spec.seed for run in runs[:4]] == [2, 1, 2, 1]


def test_the_cost_of_a_cell_is_asked_once(catalogue: Catalogue) -> None:
    asked: list[RunSpec] = []
    order = order_of_axes(catalogue, seeds=[1, 2, 3], suite="positions-100k")
    plan(catalogue, order, (), asked.append)
    assert len(asked) == 2 * 3


def test_a_seed_that_cannot_be_is_refused_wherever_it_stands(catalogue: Catalogue) -> None:
    with pytest.raises(UsageError, match="seed: expected a number of at least 0, not -1"):
        plan(catalogue, Order(frozenset({SASREC}), (1, -1)), ())


def test_models_and_data_sets_have_an_order(catalogue: Catalogue) -> None:
    assert catalogue.model_order[:3] == ("sasrec", "bert4rec", "xlstm")
    usual = [n for n in catalogue.dataset_order if not catalogue.datasets[n].optional]
    assert usual == ["synthetic", "ml-100k", "ml-1m", "ml-10m"]
    steam = catalogue.dataset_order.index
    assert steam("ml-1m") < steam("steam") < steam("ml-10m")
    assert catalogue.reference_lengths == (50, 75, 100)


def test_a_suite_of_an_order_has_its_runs(catalogue: Catalogue) -> None:
    order = order_of_axes(catalogue, seeds=[7], settings={"lr": "0.01"}, suite="positions-100k")
    suite = order_suite(catalogue, order, "mine", "")
    assert suite.title == "mine"
    fingerprints = {run.fingerprint for run in plan(catalogue, order, ()).runs}
    assert {spec.fingerprint() for spec in catalogue.expand(suite)} == fingerprints


def test_a_change_of_a_run_is_checked_against_its_recipe(catalogue: Catalogue) -> None:
    changes = amendments(catalogue, "sasrec", "tuned/untied", {"training.lr": "0.1", "dim": "64"})
    assert changes == {"lr": 0.1, "dim": 64}
    with pytest.raises(UsageError, match="gate_soft_cap"):
        amendments(catalogue, "sasrec", "reference", {"gate_soft_cap": "1"})
    with pytest.raises(UsageError, match="lr is given 2 values, and a run has one"):
        amendments(catalogue, "sasrec", "reference", {"lr": ("0.1", "0.2")})
    unkept = amendments(catalogue, "sasrec", "study-one", {"lr": "0.1"})
    assert unkept == {"lr": 0.1}
    same = amendments(catalogue, "sasrec", "reference", {"lr": ("0.1", "1e-1")})
    assert same == {"lr": 0.1}


@pytest.mark.parametrize(
    ("label", "settings", "kept"),
    [
        ("positions-100k", {"lr": 0.5}, False),
        ("positions-100k", {"batch_size": 64, "dropout": 0.4}, False),
        ("positions-100k", {}, True),
        ("positions-100k", {"positions": "rope"}, True),  # what another variant of it is
        ("gone-since", {}, False),
        (None, {}, False),
    ],
)
def test_a_changed_run_has_its_suites_label_while_the_suite_makes_it(
    catalogue: Catalogue, tmp_path: Path, label: str | None, settings: dict[str, Any], kept: bool
) -> None:
    location = store_location(tmp_path / "runs.db")
    spec = next(
        spec
        for spec in catalogue.expand(catalogue.suite("positions-100k"))
        if spec.model == "sasrec" and spec.variant != "rope"
    )
    (run,) = enqueue(location, [spec.model_copy(update={"seed": 77})], label, "cluster")
    changed = enqueue_amended(location, catalogue, run, settings)
    unknown = enqueue_amended(location, None, run, settings)
    with closing(connect_reader(location)) as con:
        new, other = get_run(con, changed), get_run(con, unknown)
    assert new is not None
    assert other is not None
    assert (new.seed, new.launcher, new.suite) == (77, "cluster", label if kept else None)
    assert other.suite is None

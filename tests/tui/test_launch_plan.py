from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import Catalogue, load_catalogue
from engine.errors import UsageError
from engine.spec import Suite
from tui.screens import launch_plan as planning
from tui.screens.launch_plan import Order
from tui.screens.launch_text import summary_text


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def plan_of(catalogue: Catalogue, order: Order, present: frozenset[str] = frozenset()):
    return planning.make_plan(catalogue, order, present, lambda *_: None)


def test_seeds_are_read_as_written() -> None:
    assert planning.parse_seeds("42") == (42,)
    assert planning.parse_seeds("3, 1 - 2 7,1") == (3, 1, 2, 7)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "can't be empty"),
        ("x", "not 'x'"),
        ("-1", "not '-1'"),
        ("5-1", "write 1-5"),
        ("2147483648", "smaller than 2147483648"),
        ("0-5000", "At most 1,000 seeds"),
        ("1.5", "not '1.5'"),
    ],
)
def test_a_wrong_seed_is_a_sentence(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        planning.parse_seeds(text)


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=20))
def test_seeds_come_back_whatever_the_separator(seeds: list[int]) -> None:
    wanted = tuple(dict.fromkeys(seeds))
    assert planning.parse_seeds(", ".join(map(str, seeds))) == wanted
    assert planning.parse_seeds(" ".join(map(str, seeds))) == wanted


@given(st.text(max_size=30))
def test_whatever_is_typed_gives_values_or_a_sentence(text: str) -> None:
    for parse in (planning.parse_seeds, planning.parse_lengths, planning.parse_settings):
        with contextlib.suppress(UsageError):  # any other error fails the test
            parse(text)


def test_lengths_are_sorted_and_bounded() -> None:
    assert planning.parse_lengths("100, 50 50") == (50, 100)
    with pytest.raises(UsageError, match="from 2 to 65,536"):
        planning.parse_lengths("1")


def test_settings_are_lines_of_key_and_value() -> None:
    assert planning.parse_settings("epochs = 3\nlr=0.01, batch_size=64") == {
        "epochs": "3",
        "lr": "0.01",
        "batch_size": "64",
    }
    with pytest.raises(UsageError, match="lines like epochs=20"):
        planning.parse_settings("epochs 3")
    with pytest.raises(UsageError, match="set twice"):
        planning.parse_settings("lr=1 lr=2")


def test_a_setting_is_checked_for_every_model(catalogue: Catalogue) -> None:
    overrides = {"gate_soft_cap": "10"}
    plan_of(catalogue, Order(frozenset({("xlstm", "synthetic", 50)}), overrides=overrides))
    both = frozenset({("sasrec", "synthetic", 50), ("xlstm", "synthetic", 50)})
    with pytest.raises(UsageError, match="gate_soft_cap"):
        plan_of(catalogue, Order(both, overrides=overrides))


def test_a_plan_has_one_run_a_cell_and_seed(catalogue: Catalogue) -> None:
    cells = frozenset({("sasrec", "synthetic", 50), ("xlstm", "synthetic", 75)})
    plan = plan_of(catalogue, Order(cells, (1, 2, 3), overrides={"epochs": "4"}))
    assert len(plan.runs) == 6
    for run in plan.runs:
        spec = run.spec
        built = catalogue.run_spec(
            spec.model, spec.dataset, spec.length, spec.seed, overrides={"epochs": "4"}
        )
        assert spec == built
        assert run.fingerprint == built.fingerprint()


def test_only_what_is_not_present_is_missing(catalogue: Catalogue) -> None:
    order = Order(frozenset({("sasrec", "synthetic", 50)}), (1, 2))
    present = frozenset({plan_of(catalogue, order).runs[0].fingerprint})
    assert [run.spec.seed for run in plan_of(catalogue, order, present).missing] == [2]


def test_too_many_runs_are_refused(catalogue: Catalogue) -> None:
    cells = frozenset(("sasrec", "synthetic", length) for length in range(2, 15))
    with pytest.raises(UsageError, match="13,000 runs"):
        plan_of(catalogue, Order(cells, tuple(range(1000))))


def test_data_that_is_not_here_is_named(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    cells = frozenset({("sasrec", "ml-100k", 50), ("sasrec", "synthetic", 50)})
    assert [dataset.name for dataset in plan_of(catalogue, Order(cells)).absent] == ["ml-100k"]


def test_an_order_of_variants_runs_each_cell_in_every_one(catalogue: Catalogue) -> None:
    cells = frozenset({("sasrec", "synthetic", 50)})
    order = Order(cells, (1, 2), overrides={"lr": "0.01"}, variants={"whole": {}, "b": {"lr": 0.1}})
    runs = plan_of(catalogue, order).runs
    assert [(run.spec.recipe, run.spec.training.lr, run.spec.seed) for run in runs] == [
        ("reference/whole", 0.01, 1),
        ("reference/whole", 0.01, 2),
        ("reference/b", 0.1, 1),
        ("reference/b", 0.1, 2),
    ]


def test_what_is_typed_takes_precedence_over_variants(catalogue: Catalogue) -> None:
    content = catalogue.suites["smoke"].model_dump() | {
        "overrides": {"lr": 0.01},
        "variants": {"whole": {}, "slow": {"lr": 0.0001}, "small": {"dim": 8, "training.lr": 1}},
    }
    suite = Suite.model_validate(content)
    as_suite = planning.variants_of(suite, {"lr": "0.01"})
    assert as_suite == suite.variants
    typed = planning.variants_of(suite, {"lr": "0.02"})
    assert typed == {
        "whole": {"lr": "0.02"},
        "slow": {"lr": "0.02"},
        "small": {"dim": 8, "lr": "0.02"},
    }
    cells = frozenset({("sasrec", "synthetic", 50)})
    order = Order(cells, overrides={"lr": "0.02"}, variants=typed)
    assert [run.spec.recipe for run in plan_of(catalogue, order).runs] == [
        "reference/whole",
        "reference/small",
    ]


def test_a_suite_is_kept_only_while_every_run_is_of_it(catalogue: Catalogue) -> None:
    specs = catalogue.expand(catalogue.suites["smoke"])
    assert planning.suite_of(catalogue, "smoke", specs[:2]) == "smoke"
    stranger = catalogue.run_spec("sasrec", "synthetic", 50, 7)
    assert planning.suite_of(catalogue, "smoke", [*specs, stranger]) is None
    assert planning.suite_of(catalogue, None, specs) is None


def test_models_and_data_sets_have_an_order(catalogue: Catalogue) -> None:
    assert planning.model_order(catalogue)[:3] == ["sasrec", "bert4rec", "xlstm"]
    assert planning.dataset_order(catalogue, ()) == ["synthetic", "ml-100k", "ml-1m", "ml-10m"]
    assert planning.dataset_order(catalogue, ("steam",))[3:] == ["steam", "ml-10m"]
    assert planning.default_lengths(catalogue) == (50, 75, 100)


def test_the_summary_counts_variants(catalogue: Catalogue) -> None:
    cells = frozenset({("sasrec", "synthetic", 50)})
    order = Order(cells, (1, 2, 3), variants={"whole": {}, "slow": {"lr": 0.0001}})
    text = summary_text(plan_of(catalogue, order), by_hand=True, problem="").plain
    assert text.startswith("1 cell × 2 variants × 3 seeds = 6 runs · 6 to launch")

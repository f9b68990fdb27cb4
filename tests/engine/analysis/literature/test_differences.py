"""Whether a published result is comparable with a run of ours, and else in what it differs."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.literature.differences import NAMES, about, agree, compared, setup_words
from engine.analysis.literature.figures import (
    BOTH,
    PublishedFigure,
    Setup,
    figures_of,
    setup_of,
)
from engine.config import Catalogue, load_catalogue
from engine.store.compare.comparison import comparison_columns

FIELDS = [field.name for field in fields(Setup)]

VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(
        ("users", "items", "interactions", "length", "negatives"), st.sampled_from([1, 50, 3706])
    ),
    "split": st.sampled_from(["leave-one-out", "temporal", "given"]),
    "quantile": st.sampled_from([0.8, 0.9]),
    "targets": st.sampled_from(["last", "first", "random", "successive", "all"]),
    "ties": st.sampled_from(["file", "item", "unstable"]),
    "candidates": st.sampled_from(["all", "100 uniform", "100 popular"]),
    "seen": st.sampled_from(["ranked", "masked", "input-masked"]),
    "loss": st.sampled_from(["full", "sampled", "bce", "gbce", "bpr"]),
    "calibration": st.sampled_from([0.5, 0.75]),
    "refit": st.booleans(),
}
PARTLY = st.builds(
    Setup,
    **{name: VALUES[name] if name == "refit" else st.none() | VALUES[name] for name in FIELDS},
)
WHOLE = st.builds(Setup, **{name: VALUES[name] for name in FIELDS})


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def figures(catalogue: Catalogue) -> list[PublishedFigure]:
    return figures_of(catalogue.published.values())


def _named(figures: list[PublishedFigure], table: str, label: str, name: str) -> PublishedFigure:
    (found,) = [
        each
        for each in figures
        if (each.table, each.label, each.dataset, each.name) == (table, label, "ml-1m", name)
    ]
    return found


def _spec(catalogue: Catalogue, length: int, **overrides: Any) -> dict[str, Any]:
    spec = catalogue.run_spec("sasrec", "ml-1m", length, 1, overrides=overrides)
    return spec.model_dump(mode="json")


def test_a_sentence_says_in_what_a_figure_differs(
    catalogue: Catalogue, figures: list[PublishedFigure]
) -> None:
    plus = _named(figures, "klenitskiy-vasilev", "SASRec+", "HitRate@10")
    assert compared(plus, setup_of(_spec(catalogue, 50))).sentence == (
        "published 0.3152: L = 200, 3,416 items and 999,611 interactions; yours L = 50, "
        "3,706 items and 1,000,209 interactions"
    )
    ranked = replace(setup_of(_spec(catalogue, 50)), users=None, items=None, interactions=None)
    assert compared(plus, replace(ranked, seen="ranked")).sentence == (
        "published 0.3152: L = 200 and seen items masked; yours L = 50 and seen items ranked"
    )


def test_a_refit_differs_from_what_was_trained_without_validation(
    catalogue: Catalogue, figures: list[PublishedFigure]
) -> None:
    figure = _named(figures, "esasrec", "SASRec+SS, 1-4 layers", "NDCG@10")
    ours = setup_of(_spec(catalogue, 200, loss="sampled", negatives=256, refit=True))
    found = compared(figure, ours)
    assert not found.comparable
    assert found.verdict == "trained without validation; yours trained with validation"
    again = replace(figure, setup=replace(figure.setup, refit=True))
    assert compared(again, ours).verdict == "comparable"
    assert "trained with validation" in setup_words(again.setup)
    assert "validation" not in setup_words(figure.setup)


def test_a_run_with_the_settings_of_a_benchmark_is_comparable_with_it(
    catalogue: Catalogue, figures: list[PublishedFigure]
) -> None:
    ours = setup_of(_spec(catalogue, 200, loss="sampled", negatives=256))
    found = about(figures, "sasrec", "ml-1m", ours)
    first = [each for each in found if each.comparable and not each.unknown]
    assert {each.figure.label for each in first} == {"SASRec+SS, 1-4 layers"}
    assert [each.verdict for each in first] == ["comparable"] * len(first)
    assert {each.figure.source for each in first} == {
        "test_ndcg_masked_best",
        "test_recall_masked_best",
    }
    assert found[: len(first)] == first


def test_a_file_of_other_counts_is_another_data_set_even_under_the_same_name(
    catalogue: Catalogue, figures: list[PublishedFigure]
) -> None:
    ours = setup_of(_spec(catalogue, 200))
    found = about(figures, "sasrec", "ml-1m", ours)
    other = [each for each in found if each.figure.setup.items == 3416]
    assert other
    assert not any(each.comparable for each in other)
    core = replace(ours, items=3416, interactions=999_611)
    under_another_name = about(figures, "sasrec", "mine", core)
    assert {each.figure.table for each in under_another_name} >= {
        "klenitskiy-vasilev",
        "gsasrec",
        "time-to-split",
    }
    assert about(figures, "sasrec", "mine", ours) == [
        each
        for each in about(figures, "sasrec", "mine", ours)
        if each.figure.setup.interactions == 1_000_209
    ]


def test_a_result_is_compared_with_the_column_of_its_metric_k_and_ranking(
    figures: list[PublishedFigure],
) -> None:
    columns = set(comparison_columns())
    assert {figure.source for figure in figures} - {None} <= columns
    grid = {(f.name, f.source) for f in figures if f.table == "time-to-split"}
    assert grid == {
        ("NDCG@10", "test_ndcg_masked_best"),
        ("HitRate@10", "test_hit_masked_best"),
        ("MRR@10", "test_mrr_masked_best"),
        ("NDCG@20", "test_ndcg_masked_at_20"),
        ("HitRate@100", "test_recall_masked_at_100"),
    }
    deep = [figure for figure in figures if figure.k == 200]
    assert deep
    assert {figure.source for figure in deep} == {None}
    reference = {f.source for f in figures if f.table == "reference-27"}
    assert reference == {f"valid_{metric}_max" for metric in ("hit", "recall", "mrr", "ndcg")}


@pytest.mark.parametrize(
    ("overrides", "loss", "negatives", "calibration"),
    [
        ({}, "full", None, None),
        ({"loss": "sampled", "negatives": 7}, "sampled", 7, None),
        ({"loss": "gbce"}, "gbce", 256, 0.75),
        ({"loss": "gbce", "gbce_calibration": 0, "negatives": 1}, "bce", 1, None),
    ],
)
def test_the_setup_of_a_run_is_that_of_its_specification(
    catalogue: Catalogue,
    overrides: dict[str, Any],
    loss: str,
    negatives: int | None,
    calibration: float | None,
) -> None:
    assert setup_of(_spec(catalogue, 50, **overrides)) == Setup(
        users=6040, items=3706, interactions=1_000_209, split="leave-one-out", targets="last",
        ties="file", candidates="all", seen=BOTH, length=50, loss=loss, negatives=negatives,
        calibration=calibration,
    )  # fmt: skip


def test_the_setup_of_a_temporal_split_has_its_time_and_targets(catalogue: Catalogue) -> None:
    spec = _spec(catalogue, 50)
    spec["source"]["split"] = {"kind": "temporal", "test_share": 0.1}
    found = setup_of(spec)
    assert (found.split, found.quantile, found.targets) == ("temporal", 0.9, "first")
    spec["source"]["split"] |= {"targets": "successive", "test_from": 5, "valid_from": 1}
    found = setup_of(spec)
    assert (found.quantile, found.targets) == (None, "successive")


def test_of_an_imported_run_only_its_length_is_known(catalogue: Catalogue) -> None:
    assert setup_of({**_spec(catalogue, 75), "origin": "history"}) == Setup(length=75)
    assert setup_of({}) == Setup()


def test_a_models_own_loss_is_not_known() -> None:
    own = setup_of({"length": 5, "source": {}, "training": {"objective": "own", "loss": "full"}})
    assert own.loss is None


@given(WHOLE)
def test_equal_setups_are_comparable_and_nothing_is_unknown(setup: Setup) -> None:
    found = compared(_figure(setup), setup)
    assert (found.differences, found.unknown, found.verdict) == ((), (), "comparable")
    assert agree(setup, setup)


@given(PARTLY, PARTLY)
def test_every_field_agrees_differs_or_is_unknown(theirs: Setup, ours: Setup) -> None:
    found = compared(_figure(theirs), ours)
    differing = {each.field for each in found.differences}
    assert not differing & set(found.unknown)
    for name in FIELDS:
        published, own = getattr(theirs, name), getattr(ours, name)
        if name in differing:
            assert published is not None
            assert own is not None
            assert published != own
        if name in found.unknown:
            assert published is None or own is None
    mirrored = compared(_figure(ours), theirs)
    assert {each.field for each in mirrored.differences} == differing
    for each in found.differences:
        assert each.published in found.sentence
        assert each.ours in found.sentence
        assert each.published != each.ours
    if found.comparable:
        for name in found.unknown:
            assert NAMES[name] in found.sentence
    if agree(theirs, ours):
        assert found.comparable


@given(WHOLE, st.sampled_from(["users", "length", "ties", "candidates", "seen", "split", "loss"]))
def test_one_other_field_is_the_one_difference(setup: Setup, name: str) -> None:
    other = {"split": "given", "loss": "full", "seen": "input-masked"}.get(name, 9_999)
    if name in ("ties", "candidates"):
        other = {"ties": "item", "candidates": "100 uniform"}[name]
    changed = replace(setup, **{name: other})
    found = compared(_figure(setup), changed)
    expected = [] if changed == setup else [name]
    assert [each.field for each in found.differences] == expected


@given(PARTLY)
def test_a_setup_in_words_names_all_that_is_known(setup: Setup) -> None:
    known = sum(getattr(setup, name) not in (None, False) for name in FIELDS)
    assert len(setup_words(setup).split(", ")) == max(1, known)


def _figure(setup: Setup) -> PublishedFigure:
    return PublishedFigure(
        "t", "T", "", None, "", "sasrec", "SASRec", "ml-1m", "ndcg", 10, "NDCG@10",
        Decimal("0.1"), None, None, "test", "best", setup,
    )  # fmt: skip

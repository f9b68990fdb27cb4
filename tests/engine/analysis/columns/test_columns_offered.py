"""The list of columns: order, presets, what users stored and what they type."""

from __future__ import annotations

import pytest

from engine.analysis.columns.definitions import columns
from engine.analysis.columns.offered import (
    DEFAULT,
    HELD,
    PRESETS,
    choosable,
    chosen_columns,
    column_named,
    every_column,
    preset,
    shown_columns,
    stored_columns,
)
from engine.errors import UsageError
from engine.metrics import CUTOFFS, LIST_MEASURES, SCOPE_METRICS, SCOPES


def test_quality_leads_the_default_columns() -> None:
    assert DEFAULT[:3] == ("NDCG@10/test", "Recall@10/test", "MRR@10/test")
    assert 10 <= len(HELD) + len(DEFAULT) <= 14
    assert [column.name for column in shown_columns("best")] == [*HELD, *DEFAULT]


def test_every_column_of_the_comparison_is_offered_once() -> None:
    offered = list(every_column("best"))
    assert {column.name for column in columns()} <= set(offered)
    assert offered == [*HELD, *choosable()]
    assert len(offered) == len(set(offered))


@pytest.mark.parametrize("name", PRESETS)
def test_presets_name_columns_that_may_be_chosen(name: str) -> None:
    assert set(preset(name)) <= set(choosable())
    assert chosen_columns([name.upper()]) == preset(name)
    equal = {"HitRate@10/test", "Recall@10/test"} <= set(preset(name))
    assert equal == (name == "all")


def test_presets_of_results_have_every_cut_off_and_every_part_of_the_items() -> None:
    words = [column_named(name).source for name in preset("cutoffs")]
    assert "test_ndcg_best" in words
    assert {f"test_recall_at_{k}" for k in CUTOFFS if k != 10} < set(words)
    assert len(words) == 2 * len(CUTOFFS)
    items = {column_named(name).source for name in preset("items")}
    assert {f"test_{metric}_{scope}" for metric in SCOPE_METRICS for scope in SCOPES} < items
    assert {f"test_{measure}_at_10" for measure in LIST_MEASURES} < items
    offered = choosable()
    assert offered.index("NDCG@20/test") > offered.index("Users/s (batch 256)")


def test_a_unit_may_be_left_out() -> None:
    assert chosen_columns(["energytoquality", "TotalEnergy"]) == (
        "EnergyToQuality (J)",
        "TotalEnergy (J)",
    )


def test_columns_are_named_in_any_case_and_as_the_store_does() -> None:
    typed = ["ndcg@10/TEST", " note", "state", "cost", "created", "queued"]
    assert chosen_columns(typed) == tuple(
        dict.fromkeys(["NDCG@10/test", "note", *preset("cost"), "age"])
    )
    with pytest.raises(UsageError, match="no column 'ndgc@10/test': did you mean 'NDCG@10/test'"):
        chosen_columns(["ndgc@10/test"])


@pytest.mark.parametrize("kept", [None, 3, [], ["nothing"], [1, None], {"a": 1}])
def test_what_was_stored_may_be_anything(kept: object) -> None:
    assert stored_columns(kept) == DEFAULT


def test_stored_columns_of_another_version_are_renamed_or_left_out() -> None:
    assert stored_columns(["note", "gone", "queued", "note"]) == ("note", "age")

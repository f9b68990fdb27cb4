"""The floor beside pairs of cells."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from floor_stores import STANDINGS, floor_store
from measured_runs import MeasuredStore

from engine.analysis.comparison import compare_rows
from engine.analysis.pairs.cells import ranked_cells
from engine.analysis.pairs.floored import THE_FLOOR, FlooredPairs, floored_pairs
from engine.analysis.pairs.text import format_pairs
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MeasuredStore:
    return floor_store(tmp_path_factory.mktemp("floor"))


def floored(store: MeasuredStore, filter_: str = "") -> FlooredPairs:
    with closing(connect_reader(store.location)) as con:
        rows = compare_rows(con, filter=filter_)
        cells, _ = ranked_cells(store.location, rows, counted_runs(con, Choice(filter_)))
        return floored_pairs(
            con, store.location, cells, "ndcg", masked=False, catalogue=store.catalogue
        )


def models(found: FlooredPairs) -> Sequence[set[str]]:
    return [{pair.a.cell.model, pair.b.cell.model} for pair in found.pairs]


def test_a_floor_that_is_among_the_cells_is_a_side_once(store: MeasuredStore) -> None:
    found = floored(store)
    assert len(found.pairs) == 10
    assert models(found).count({"sasrec", "markov"}) == 1
    marks = {cell.model: mark for cell, mark in found.marks.items()}
    assert marks == STANDINGS | {"markov": THE_FLOOR}


def test_a_floor_that_the_filter_leaves_out_is_a_side_all_the_same(store: MeasuredStore) -> None:
    found = floored(store, "model:sasrec,xlstm")
    assert models(found) == [{"sasrec", "xlstm"}, {"sasrec", "markov"}, {"xlstm", "markov"}]
    against = {pair.a.cell.model: pair.verdict for pair in found.pairs if pair.b.fitted}
    assert against == {"sasrec": "better", "xlstm": "worse"}
    assert models(floored(store, "model:sasrec")) == [{"sasrec", "markov"}]


def test_rows_name_the_floor_and_the_standings(store: MeasuredStore) -> None:
    found = floored(store, "model:xlstm,bert4rec")
    rows = json.loads(format_pairs(found.pairs, "ndcg", "json", masked=False, marks=found.marks))
    by_model = {row["a"].split()[0]: row["a vs floor"] for row in rows}
    assert by_model["xlstm"] == "below"
    assert by_model["bert4rec"] == "not told from"
    assert {row["b vs floor"] for row in rows[1:]} == {THE_FLOOR}
    text = format_pairs(found.pairs, "ndcg", "md", masked=False, marks=found.marks)
    assert "Markov counts (floor)" in text
    assert "▽" in text
    assert "≈" in text


def test_without_a_floor_there_is_no_mark(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    for model in ("sasrec", "xlstm"):
        store.add(model)
    assert floored(store) == FlooredPairs([], [], {})

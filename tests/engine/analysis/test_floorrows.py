"""The floor beside the rows of runs and of cells."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from floor_stores import STANDINGS, floor_store
from measured_runs import MeasuredStore

from engine.analysis.comparison import Row, by_cell, column_of, compare_rows
from engine.analysis.export import format_rows
from engine.analysis.floor import COLUMN, COLUMN_STANDING
from engine.analysis.floorrows import FlooredRows, with_floors
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MeasuredStore:
    store = floor_store(tmp_path_factory.mktemp("floor"))
    store.add("sasrec", dataset="ml-1m")
    store.add("sasrec", seed=9, end="failed")
    return store


def floored(store: MeasuredStore, *, cells: bool) -> FlooredRows:
    with closing(connect_reader(store.location)) as con:
        rows = compare_rows(con)
        some = by_cell(rows, counted_runs(con, Choice())) if cells else rows
        return with_floors(con, store.location, some, store.catalogue, cells=cells)


@pytest.mark.parametrize("cells", [False, True])
def test_each_row_names_its_floor_and_its_standing(store: MeasuredStore, cells: bool) -> None:
    found = floored(store, cells=cells)
    (floor,) = found.floors
    for row in found.rows:
        there = row["dataset"] == "ml-100k"
        done = cells or row["state"] == "done"
        if done:
            assert row[COLUMN] == (f"Markov counts {floor.value:.4f}" if there else None)
        expected = STANDINGS.get(str(row["model"])) if there and done else None
        assert row[COLUMN_STANDING] == expected
    assert column_of(found.rows, COLUMN_STANDING) == [row[COLUMN_STANDING] for row in found.rows]
    assert "not told from" in str(format_rows(found.rows, "csv"))


def test_without_a_floor_the_keys_are_there_all_the_same(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    store.add("sasrec")
    row: Row = floored(store, cells=False).rows[0]
    assert (row[COLUMN], row[COLUMN_STANDING]) == (None, None)
    (row,) = floored(store, cells=True).rows
    assert (row[COLUMN], row[COLUMN_STANDING]) == (None, None)


@pytest.mark.parametrize("cells", [False, True])
def test_no_row_at_all_is_no_row_with_a_floor_in_the_store(
    store: MeasuredStore, cells: bool
) -> None:
    with closing(connect_reader(store.location)) as con:
        none = compare_rows(con, filter="model:gru4rec")
        rows = by_cell(none, {}) if cells else none
        found = with_floors(con, store.location, rows, store.catalogue, cells=cells)
    assert (list(found.rows), found.floors) == ([], ())

"""Differences to a baseline: which figures have one, and that none is a verdict."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measured_runs import MeasuredStore

from engine.analysis.baseline import run_of_baseline, with_baseline
from engine.analysis.comparison import Row, by_cell, compare_rows
from engine.analysis.export import format_rows
from engine.analysis.labels.stored import cell_of_run
from engine.cell import Cell, is_cell_name
from engine.spec import SplitRule
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader
from engine.store.requests import request_delete

NDCG, DIFFERENCE = "NDCG@10/test", "NDCG@10/test (difference)"


@pytest.fixture
def store(tmp_path: Path) -> tuple[MeasuredStore, dict[str, str]]:
    store = MeasuredStore(tmp_path)
    runs = {
        "base": store.add("sasrec", seed=1),
        "again": store.add("sasrec", seed=2),
        "other": store.add("xlstm", seed=1),
        "apart": store.add("sasrec", seed=1, split=SplitRule(kind="temporal")),
        "marked": store.add("bert4rec", seed=1),
        "elsewhere": store.add("sasrec", seed=1, dataset="ml-1m"),
    }
    store.set(runs["marked"], marks="shared changed-data")
    return store, runs


def rows_with(store: MeasuredStore, run: str, *, cells: bool = False, where: str = "") -> list[Row]:
    with closing(connect_reader(store.location)) as con:
        rows = compare_rows(con, filter=where)
        if cells:
            rows = by_cell(rows, counted_runs(con, Choice(where)))
        return with_baseline(con, rows, run, "best", cells=cells) or []


def test_the_baseline_is_first_and_comparable_runs_have_differences(
    store: tuple[MeasuredStore, dict[str, str]],
) -> None:
    measured, runs = store
    rows = rows_with(measured, runs["base"])
    assert rows[0]["run"] == runs["base"]
    assert len(rows) == len(runs)
    by_run = {row["run"]: row for row in rows}
    for name in ("again", "other"):
        row = by_run[runs[name]]
        assert row[DIFFERENCE] == float(row[NDCG] or 0) - float(rows[0][NDCG] or 0)
    for name in ("base", "apart", "marked", "elsewhere"):
        assert by_run[runs[name]][DIFFERENCE] is None
    assert "seed (difference)" not in rows[0]
    keys = list(rows[0])
    assert keys[keys.index(NDCG) + 1] == DIFFERENCE


def test_among_cells_the_baseline_is_the_runs_cell(
    store: tuple[MeasuredStore, dict[str, str]],
) -> None:
    measured, runs = store
    base, *others = rows_with(measured, runs["base"], cells=True)
    assert (base["model"], base["seeds"]) == ("sasrec", 2)
    (xlstm,) = (row for row in others if row["model"] == "xlstm")
    assert xlstm[DIFFERENCE] == float(xlstm[NDCG] or 0) - float(base[NDCG] or 0)


@pytest.mark.parametrize("cells", [False, True])
def test_a_filter_doesnt_hide_the_baseline(
    store: tuple[MeasuredStore, dict[str, str]], cells: bool
) -> None:
    measured, runs = store
    rows = rows_with(measured, runs["base"], cells=cells, where="xlstm")
    assert [row["model"] for row in rows] == ["sasrec", "xlstm"]
    assert rows[1][DIFFERENCE] is not None


def test_a_baseline_that_is_gone_is_none(store: tuple[MeasuredStore, dict[str, str]]) -> None:
    assert rows_with(store[0], "no-such-run") == []


def test_a_cell_stays_the_baseline_whatever_its_runs_are(
    store: tuple[MeasuredStore, dict[str, str]],
) -> None:
    measured, runs = store

    def base(*, cells: bool) -> Row:
        return rows_with(measured, cell, cells=cells)[0]

    with closing(connect_reader(measured.location)) as con:
        found = cell_of_run(con, runs["base"])
        assert found is not None
        cell = found.name
    assert base(cells=False)["run"] == max(runs["base"], runs["again"])
    assert base(cells=True)["seeds"] == 2
    newer = measured.add("sasrec", seed=3)
    assert base(cells=False)["run"] == max(runs["base"], runs["again"], newer)
    assert base(cells=True)["seeds"] == 3
    for gone in (newer, runs["again"]):
        with closing(connect_reader(measured.location)) as con:
            assert run_of_baseline(con, cell, (gone,)) not in (None, gone)
        request_delete(measured.location, [gone])
    assert base(cells=False)["run"] == runs["base"]
    assert base(cells=True)["seeds"] == 1
    request_delete(measured.location, [runs["base"]])
    assert rows_with(measured, cell, cells=True) == []


@given(st.text() | st.lists(st.text() | st.integers(), max_size=7).map(json.dumps))
def test_a_cells_name_is_told_from_a_runs_id(text: str) -> None:
    if is_cell_name(text):
        assert Cell.named(text).name == json.dumps(json.loads(text))
    assert not is_cell_name("sasrec-ml-100k-l50-s1-abcde")
    assert is_cell_name(Cell("m", "d", 50, "p", "", "").name)


@pytest.mark.parametrize("cells", [False, True])
def test_differences_are_written_with_their_sign_and_no_verdict(
    store: tuple[MeasuredStore, dict[str, str]], cells: bool
) -> None:
    measured, runs = store
    rows = rows_with(measured, runs["base"], cells=cells, where="model:xlstm length:50")
    text = format_rows(rows, "md")
    assert DIFFERENCE in text
    assert f"−{abs(float(rows[1][DIFFERENCE] or 0)):.4f}" in text
    assert "better" not in text
    assert "worse" not in text

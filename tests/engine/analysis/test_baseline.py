"""Differences to a baseline: which figures have one, and that none is a verdict."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from measured_runs import MeasuredStore

from engine.analysis.baseline import with_baseline
from engine.analysis.comparison import Row, by_cell, compare_rows
from engine.analysis.export import format_rows
from engine.spec import SplitRule
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader

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

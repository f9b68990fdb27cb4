"""Costs of runs that are marked for their times are shown, and compared with nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from measured_runs import MeasuredStore

from engine.analysis.columns.definitions import COSTS, columns
from engine.analysis.columns.offered import column_named
from engine.analysis.diff import compare_sides, difference_text, run_side
from engine.analysis.leaders import cell_leaders, leaders
from engine.analysis.pivot import stored
from engine.analysis.pivot.arranged import COLUMNS, PivotRow
from engine.analysis.pivot.text import format_pivot
from engine.analysis.scatter import scatter
from engine.marks import BUSY, OTHER_COPY, SHARED
from engine.store.compare.grouping import Choice
from engine.store.connect import connect_reader

TIME = column_named("EpochTime")
QUALITY = column_named("NDCG@10/test")
QUICK = 2
"""A seed whose epochs are quick, in `measured_runs`."""
KEPT = {None: True, "": True, OTHER_COPY: True, BUSY: False, f"{SHARED} {OTHER_COPY}": False}
"""Whether costs of a run with these marks are compared."""


@pytest.fixture
def store(tmp_path: Path) -> MeasuredStore:
    return MeasuredStore(tmp_path)


@pytest.fixture
def pair(store: MeasuredStore) -> tuple[str, str]:
    """Two runs, the first quicker and better."""
    runs = store.add("sasrec", seed=QUICK), store.add("xlstm")
    with closing(connect_reader(store.location)) as con:
        assert seconds_of(con, runs[0]) < seconds_of(con, runs[1])
    return runs


@pytest.fixture(params=KEPT, ids=repr)
def marked(
    request: pytest.FixtureRequest, store: MeasuredStore, pair: tuple[str, str]
) -> Iterator[tuple[sqlite3.Connection, bool]]:
    """A store whose quicker run has marks, and whether its costs are compared all the same."""
    store.set(pair[0], marks=request.param)
    with closing(connect_reader(store.location)) as con:
        yield con, KEPT[request.param]


def seconds_of(con: sqlite3.Connection, run: str) -> float:
    found = con.execute("SELECT train_seconds_median FROM summaries WHERE run = ?", (run,))
    return float(found.fetchone()[0])


def test_a_marked_run_leads_in_no_cost(
    marked: tuple[sqlite3.Connection, bool], pair: tuple[str, str]
) -> None:
    con, kept = marked
    best = seconds_of(con, pair[0] if kept else pair[1])
    key = ("ml-100k", TIME.source)
    assert leaders(con, columns())[key] == best
    assert cell_leaders(con, columns(), Choice())[key] == best
    rows = stored.stored_pivot(con, Choice(), "best").rows
    assert stored.leaders(rows, "best")["ml-100k", COLUMNS.index("EpochTime")] == best
    ndcg = max(row[0] for row in con.execute("SELECT test_ndcg_best FROM summaries"))
    assert leaders(con, columns())["ml-100k", QUALITY.source] == ndcg


def test_a_marked_run_is_on_no_front_of_a_cost(
    marked: tuple[sqlite3.Connection, bool], pair: tuple[str, str]
) -> None:
    con, kept = marked
    found = scatter(con, Choice(), TIME, QUALITY, 80, 24)
    assert found.runs == 2
    assert {point.run for point in found.points} == set(pair)
    assert (pair[0] in {point.run for point in found.points if point.front}) == kept
    of_metrics = scatter(con, Choice(), column_named("NDCG@10/valid"), QUALITY, 80, 24)
    assert pair[0] in {point.run for point in of_metrics.points if point.front}


def test_two_runs_costs_differ_in_nothing_that_is_said(
    marked: tuple[sqlite3.Connection, bool], pair: tuple[str, str]
) -> None:
    con, kept = marked
    sides = [run_side(con, run, "best") for run in pair]
    found = compare_sides(con, sides[0], sides[1], "best")
    for one in found.figures:
        if one.column.name in COSTS:
            assert one.left is not None
            assert (one.difference is not None) == kept
            assert bool(difference_text(one)) == kept
        elif one.left and one.right:
            assert one.difference is not None
    assert any("Costs aren't compared" in text for text in found.warnings) != kept


def test_published_costs_stand_beside_marked_ones_without_a_difference(
    marked: tuple[sqlite3.Connection, bool], store: MeasuredStore
) -> None:
    con, kept = marked
    tables = store.catalogue.published.values()
    found = stored.stored_pivot(con, Choice(), "best", tables).published
    times = [each.figures["EpochTime"] for each in found if each.reference.figures]
    assert len(times) == 2
    assert all(time.alike is not None for time in times)
    assert sum(time.difference is None for time in times) == (0 if kept else 1)
    assert all(each.figures["NDCG@10/test"].difference is not None for each in found)


def test_a_pivot_says_which_cell_is_marked(store: MeasuredStore, pair: tuple[str, str]) -> None:
    def rows() -> tuple[PivotRow, ...]:
        with closing(connect_reader(store.location)) as con:
            return stored.stored_pivot(con, Choice(), "best").rows

    assert "!" not in str(format_pivot(rows(), "csv"))
    store.set(pair[0], marks=BUSY)
    assert [row.marks for row in rows() if row.label == "50 !"] == [(BUSY,)]
    assert [row.marks for row in rows() if row.label == "50"] == [()]
    for format_ in ("csv", "json"):
        assert str(format_pivot(rows(), format_)).count(BUSY) == 1

"""A refit stands in every table, and is no best value, maximum or front where there are others."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from measured_runs import MeasuredStore, journal

from engine.analysis.columns.definitions import SORT, columns
from engine.analysis.columns.offered import column_named
from engine.analysis.comparison import by_cell, compare_rows
from engine.analysis.leaders import cell_leaders, leaders
from engine.analysis.pivot import stored
from engine.analysis.refits import is_refit
from engine.analysis.scatter import scatter
from engine.metrics import METRIC_COLUMNS
from engine.planning import enqueue_refits
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader, connect_writer
from engine.store.intake.folders import save_unsaved

QUALITY, TIME = column_named(SORT), column_named("EpochTime")
KEY = ("ml-100k", QUALITY.source)


def refit(store: MeasuredStore, run: str) -> str:
    """A refit that is far better than the run and takes less time."""
    (found,) = enqueue_refits(store.location, store.catalogue, [run])
    with closing(connect_writer(store.location)) as connection:
        save_unsaved(connection, store.location)
    lines = journal("sasrec", "ml-100k", 50, 1, 14, "done")
    for line in lines:
        if line["kind"] == "epoch":
            line["train_seconds"] = 0.1
            for name in METRIC_COLUMNS:
                line[name] = None if name.startswith("valid") else 0.9
    store.ran(found, lines)
    return found


@pytest.fixture
def first(tmp_path: Path) -> tuple[MeasuredStore, str]:
    store = MeasuredStore(tmp_path)
    return store, store.add(seed=1)


def best(con: sqlite3.Connection) -> list[float | None]:
    """The best test NDCG@10 of runs, of cells, in the pivot's total and in its leaders."""
    rows = stored.stored_pivot(con, Choice(), "best").rows
    place = list(stored.COLUMNS).index(SORT)
    return [
        leaders(con, columns()).get(KEY),
        cell_leaders(con, columns(), Choice()).get(KEY),
        rows[-1].figures[place],
        stored.leaders(rows, "best")["ml-100k", place],
    ]


def test_it_leads_in_nothing_beside_the_run_that_it_refits(
    first: tuple[MeasuredStore, str],
) -> None:
    store, run = first
    with closing(connect_reader(store.location)) as con:
        own = best(con)
    again = refit(store, run)
    with closing(connect_reader(store.location)) as con:
        assert best(con) == own
        found = scatter(con, Choice(), TIME, QUALITY, 80, 24)
        assert {point.run: point.front for point in found.points} == {run: True, again: False}
        cells = [row for row in stored.stored_pivot(con, Choice(), "best").rows if row.is_cell]
        assert sorted(row.refit for row in cells) == [False, True]


def test_it_leads_where_there_are_refits_alone(first: tuple[MeasuredStore, str]) -> None:
    store, run = first
    again = refit(store, run)
    store.set(run, state="failed")
    with closing(connect_reader(store.location)) as con:
        assert best(con) == [0.9] * 4
        found = scatter(con, Choice(), TIME, QUALITY, 80, 24)
        assert [(point.run, point.front) for point in found.points] == [(again, True)]


def test_rows_and_filters_tell_it(first: tuple[MeasuredStore, str]) -> None:
    store, run = first
    again = refit(store, run)
    with closing(connect_reader(store.location)) as con:
        beside = [column_named("refits")]
        rows = compare_rows(con, beside=beside)
        assert {row["run"]: (row["refits"], is_refit(row)) for row in rows} == {
            run: (None, False),
            again: (run, True),
        }
        assert [row["run"] for row in compare_rows(con, filter="refits:*")] == [again]
        assert [row["run"] for row in compare_rows(con, filter=f"refits={run}")] == [again]
        assert [row["run"] for row in compare_rows(con, filter="-refits:*")] == [run]
        cells = by_cell(rows, counted_runs(con, Choice()))
        assert sorted(is_refit(cell) for cell in cells) == [False, True]

"""Every cell at once: the same figures as cell by cell, and differences run by run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from statistics import fmean, stdev

import pytest
from measured_runs import MeasuredStore, filled_store

from engine.errors import UsageError
from engine.store.compare.comparison import runs_by_id
from engine.store.compare.grouping import Choice, cell_figures, cell_table, runs_of_cell
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write

NDCG = ("test_ndcg_max", "test_ndcg_best")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> MeasuredStore:
    return filled_store(tmp_path_factory.mktemp("celltable"))[0]


@pytest.fixture
def con(measured: MeasuredStore) -> Iterator[sqlite3.Connection]:
    with closing(connect_reader(measured.location)) as connection:
        yield connection


def test_its_figures_are_those_of_each_cell(con: sqlite3.Connection) -> None:
    names = ["test_ndcg_best", "train_seconds_max", "parameters", "gpu_memory_mib_max"]
    rows = cell_table(con, Choice(), names)
    assert len(rows) == 10
    assert [(row.cell.model, row.cell.length) for row in rows[:3]] == [
        ("bert4rec", n) for n in (50, 75, 100)
    ]
    single = cell_figures(con, Choice(), [row.cell.name for row in rows], names)
    for row in rows:
        assert {name: each.spread for name, each in row.figures.items()} == single[row.cell.name]
        runs = runs_of_cell(con, Choice(), row.cell.name)
        assert (row.seeds, row.run) == (len(runs), max(runs))
        values = [value for (value,) in runs_by_id(con, ["test_ndcg_best"], runs)]
        seen = row.figures["test_ndcg_best"]
        assert (seen.lowest, seen.highest) == (min(values), max(values))


@pytest.mark.parametrize("both", [NDCG, ("test_hit_best", "test_ndcg_best")])
def test_a_difference_is_taken_run_by_run(con: sqlite3.Connection, both: tuple[str, str]) -> None:
    for row in cell_table(con, Choice("model:sasrec"), [both]):
        runs = runs_by_id(con, list(both), runs_of_cell(con, Choice(), row.cell.name))
        gaps = [first - second for first, second in runs]
        found = row.figures[both]
        assert found.spread.mean == pytest.approx(fmean(gaps))
        assert found.spread.deviation == (pytest.approx(stdev(gaps)) if len(gaps) > 1 else None)
        assert (found.lowest, found.highest) == (min(gaps), max(gaps))


def test_only_runs_that_match_and_are_done_count(con: sqlite3.Connection) -> None:
    (row,) = cell_table(con, Choice("model:xlstm length:75 seed:42"), ["test_ndcg_best"])
    assert row.seeds == 1
    assert row.figures["test_ndcg_best"].spread.deviation is None
    assert cell_table(con, Choice("state:failed"), ["test_ndcg_best"]) == []
    assert cell_table(con, Choice("model:xlstm", without=(row.run,)), [])[1].seeds == 1
    with pytest.raises(UsageError, match="There is no column 'ndgc'"):
        cell_table(con, Choice(), ["ndgc"])


def test_what_is_not_finite_is_no_figure(tmp_path_factory: pytest.TempPathFactory) -> None:
    store, runs = filled_store(tmp_path_factory.mktemp("infinite"))
    with closing(connect_writer(store.location)) as connection, write(connection):
        connection.execute(
            "UPDATE summaries SET loss_sum_best = 9e999 WHERE run = ?", (runs["xlstm-75-1"],)
        )
    with closing(connect_reader(store.location)) as connection:
        measures = ["loss_sum_best", "test_ndcg_best"]
        (row,) = cell_table(connection, Choice("model:xlstm length:75"), measures)
    assert [row.figures[name].spread.count for name in measures] == [1, 2]

"""Cells: their runs, means and deviations, order and pages, as the command line has them."""

from __future__ import annotations

import statistics
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from measured_runs import MeasuredStore, filled_store

from engine.analysis.columns.definitions import STD, columns
from engine.analysis.columns.offered import column_named
from engine.analysis.comparison import by_cell, compare_rows
from engine.analysis.leaders import cell_leaders
from engine.cell import Cell
from engine.store import queries
from engine.store.compare.comparison import comparison
from engine.store.compare.grouping import (
    Choice,
    cell_figures,
    counted_runs,
    runs_of_cell,
)
from engine.store.compare.lines import CellLine, cell_lines
from engine.store.compare.ordering import Ordering
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import StoreConnection, write

MEASURED = [column.source for column in columns() if column.kind != "text"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MeasuredStore:
    measured, _ = filled_store(tmp_path_factory.mktemp("grouping"))
    for seed in (1, 2, 3):
        measured.add("xlstm", dataset="ml-1m", seed=seed, length=50)
    measured.add("xlstm", dataset="ml-1m", seed=3, length=50)  # once more
    return measured


@pytest.fixture
def con(store: MeasuredStore) -> StoreConnection:
    return connect_reader(store.location)


def test_figures_are_those_of_the_command_line(con: StoreConnection) -> None:
    choice = Choice()
    _, lines = cell_lines(con, choice, "test_ndcg_best", True)
    found = cell_figures(con, choice, [line.cell for line in lines], MEASURED)
    rows = by_cell(compare_rows(con), counted_runs(con, choice))
    assert len(rows) == len(lines) == 11
    by_key = {(r["model"], r["dataset"], r["length"], r["settings"]): r for r in rows}
    deviations = 0
    for line in lines:
        cell = Cell.named(line.cell)
        row = by_key[*cell.place, cell.settings]
        assert row["seeds"] == line.seeds
        assert row["checksum"] == cell.checksum
        for entry in columns():
            if entry.source not in MEASURED or entry.name in ("length", "seed"):
                continue
            spread = found[line.cell].get(entry.source)
            assert row[entry.name] == (spread and pytest.approx(spread.mean, rel=1e-12))
            deviation = spread.deviation if spread else None
            if entry.setting:
                assert not deviation
                continue
            wanted = row[entry.name + STD]
            assert deviation == (
                wanted if wanted is None else pytest.approx(wanted, rel=1e-9, abs=1e-13)
            )
            deviations += bool(deviation)
    assert deviations > 100


def test_a_seed_that_ran_twice_counts_once(store: MeasuredStore, con: StoreConnection) -> None:
    cell = cell_of(con, "xlstm", "ml-1m")
    runs = runs_of_cell(con, Choice(), cell)
    assert [queries.get_run(con, run).seed for run in runs] == [1, 2, 3]  # type: ignore[union-attr]
    every = comparison(con, ["id"], "id", False, "dataset:ml-1m seed:3 state:done")
    assert len(every) == 2
    assert runs[2] == max(row[0] for row in every)


def cell_of(con: StoreConnection, model: str, dataset: str) -> str:
    _, lines = cell_lines(con, Choice(), "model", False)
    wanted = (model, dataset)
    return next(
        line.cell
        for line in lines
        if (Cell.named(line.cell).model, Cell.named(line.cell).dataset) == wanted
    )


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", ["test_ndcg_best", "loss_mean", "parameters", "best_epoch"])
def test_cells_go_by_their_mean(con: StoreConnection, sort: str, descending: bool) -> None:
    _, lines = cell_lines(con, Choice(), sort, descending)
    figures = cell_figures(con, Choice(), [line.cell for line in lines], [sort])
    means = [figures[line.cell][sort].mean for line in lines]
    assert means == sorted(means, reverse=descending)


def test_cells_go_by_name_and_number_of_seeds(con: StoreConnection) -> None:
    _, lines = cell_lines(con, Choice(), "model", False)
    names = [Cell.named(line.cell).model for line in lines]
    assert names == sorted(names)  # type: ignore[type-var]
    _, lines = cell_lines(con, Choice(), "seed", True)
    assert [line.seeds for line in lines][:1] == [3]
    assert all(a.seeds >= b.seeds for a, b in pairwise(lines))
    total, lines = cell_lines(con, Choice(), "note", False)
    assert total == len(lines) == 11


def test_pages_are_slices_with_the_runs_of_unfolded_cells(con: StoreConnection) -> None:
    _, plain = cell_lines(con, Choice(), "test_ndcg_best", True)
    unfolded = {plain[0].cell, plain[4].cell}
    total, every = cell_lines(con, Choice(), "test_ndcg_best", True, unfolded)
    assert total == len(every) == 11 + plain[0].seeds + plain[4].seeds
    assert [line for line in every if line.run is None] == plain
    assert [line.run for line in every[1 : 1 + plain[0].seeds]] == runs_of_cell(
        con, Choice(), plain[0].cell
    )
    pieces: list[CellLine] = []
    for start in range(0, total, 4):
        count, part = cell_lines(con, Choice(), "test_ndcg_best", True, unfolded, 4, start)
        assert count == total
        pieces += part
    assert pieces == every
    assert cell_lines(con, Choice(), "test_ndcg_best", True, unfolded, 4, 100) == (total, [])


def test_the_filter_and_what_is_left_out_decide_which_runs_count(con: StoreConnection) -> None:
    cell = cell_of(con, "xlstm", "ml-1m")
    runs = runs_of_cell(con, Choice(), cell)
    choice = Choice("model:xlstm", without=(runs[0],))
    total, lines = cell_lines(con, choice, "test_ndcg_best", True)
    assert total == 4
    assert {line.cell: line.seeds for line in lines}[cell] == 2
    values = [
        row[0]
        for run in runs[1:]
        for row in comparison(con, ["loss_best"], "id", True, f"run={run}")
    ]
    spread = cell_figures(con, choice, [cell], ["loss_best"])[cell]["loss_best"]
    assert spread.mean == pytest.approx(statistics.fmean(values))
    assert spread.deviation == pytest.approx(statistics.stdev(values))
    assert cell_lines(con, Choice("state:failed"), "id", True) == (0, [])
    assert cell_figures(con, choice, [], ["loss_best"]) == {}


def test_other_data_under_one_name_is_another_cell(tmp_path: Path) -> None:
    measured, runs = filled_store(tmp_path)
    run = runs["sasrec-50-1"]
    with closing(connect_writer(measured.location)) as connection, write(connection):
        connection.execute("UPDATE runs SET checksum = 'other' WHERE id = ?", (run,))
    with closing(connect_reader(measured.location)) as con:
        total, lines = cell_lines(con, Choice(), "model", False)
    assert total == 11
    assert [line.seeds for line in lines if Cell.named(line.cell).checksum == "other"] == [1]


def test_the_best_mean_of_each_data_set(con: StoreConnection) -> None:
    judged = [column_named("NDCG@10/test"), column_named("Loss/train (per target)")]
    best = cell_leaders(con, judged, Choice())
    for dataset in ("ml-100k", "ml-1m"):
        choice = Choice(f"dataset={dataset}")
        _, lines = cell_lines(con, choice, "test_ndcg_best", True)
        top = cell_figures(con, choice, [lines[0].cell], ["test_ndcg_best"])[lines[0].cell]
        assert best[dataset, "test_ndcg_best"] == top["test_ndcg_best"].mean
        _, lines = cell_lines(con, choice, "loss_best", False)
        low = cell_figures(con, choice, [lines[0].cell], ["loss_best"])[lines[0].cell]
        assert best[dataset, "loss_best"] == low["loss_best"].mean
    assert cell_leaders(con, [], Choice()) == {}


@pytest.mark.parametrize("sort", ["test_ndcg_best", "model", "loss_mean"])
def test_a_kept_order_has_the_same_pages(con: StoreConnection, sort: str) -> None:
    ordering = Ordering(con)
    for choice in (Choice("-state:failed ndcg:* OR seed:7"), Choice()):
        ordering.make(choice, sort, True)
        for start in (0, 5, 20, 40):
            page = ordering.page(["id", "test_ndcg_best"], start, 7)
            assert page == comparison(
                con, ["id", "test_ndcg_best"], sort, True, choice.filter, 7, start
            )

"""Columns that are computed when they are read: whom test metrics are of, costs to a quality."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from measured_runs import MeasuredStore, journal

from engine.analysis.columns.offered import column_named, of_figures
from engine.analysis.comparison import by_cell, compare_rows
from engine.analysis.pivot.stored import leaders, stored_pivot
from engine.analysis.provenance import EVALUATED
from engine.analysis.quality import DEFAULT, parse_quality, with_costs_to_quality
from engine.store.compare.comparison import comparison, runs_by_id
from engine.store.compare.grouping import Choice, cell_figures, counted_runs
from engine.store.compare.lines import cell_lines
from engine.store.connect import connect_reader
from engine.store.series import epochs

TO_QUALITY = ("TimeToQuality", "EnergyToQuality (J)")
SOURCES = ("seconds_to_quality", "joules_to_quality")
TOLD = {"test_users": 166, "test_cold_users": 97, "test_targets": 9924, "test_cold": 12,
        "test_ceiling": 0.75}  # fmt: skip


def add(store: MeasuredStore, level: float = 1.0, joules: float | None = 2.0, **given: int) -> str:
    """A run whose metrics are multiplied by ``level``, with these joules in each epoch."""
    cell = {"length": 50, "seed": 1, **given}
    run = store.add(**cell)
    lines = journal("sasrec", "ml-100k", cell["length"], cell["seed"], 14, "done")
    lines[0] |= TOLD
    for line in lines:
        if line["kind"] == "epoch":
            line |= {name: level * line[name] for name in ("valid_ndcg", "test_ndcg")}
            line["gpu_joules"] = joules
    store.ran(run, lines)
    return run


@pytest.fixture
def store(tmp_path: Path) -> MeasuredStore:
    return MeasuredStore(tmp_path)


def test_whom_metrics_are_of_is_a_column_a_field_and_a_figure_of_cells(
    store: MeasuredStore,
) -> None:
    told = add(store)
    before = store.add("xlstm")  # its start has users and cold items alone
    with closing(connect_reader(store.location)) as con:
        known = {row["run"]: [row[name] for name in EVALUATED] for row in compare_rows(con)}
        assert known[told] == list(TOLD.values())
        assert known[before] == [943, 0, 943, 0, 1.0]
        rows = comparison(con, ["id", *EVALUATED], "test_targets", True)
        assert [list(row) for row in rows] == [[run, *known[run]] for run in (told, before)]
        assert {run: rest for run, *rest in runs_by_id(con, ["id", *EVALUATED], [told])} == {
            told: known[told]
        }
        for text in ("test_cold_users>0", "test_targets=9924", "ceiling<0.8", "test_cold:12"):
            assert [row["run"] for row in compare_rows(con, filter=text)] == [told]
        assert [column_named(name).name for name in EVALUATED] == list(EVALUATED)
        assert of_figures(EVALUATED) == EVALUATED
        pivot = stored_pivot(con, Choice(), "best", names=EVALUATED)
        assert [list(row.figures) for row in pivot.rows if row.is_cell] == [
            known[told],
            known[before],
        ]


def _to_quality(con: sqlite3.Connection, run: str, level: float) -> tuple[float, float] | None:
    seconds = joules = 0.0
    for epoch in epochs(con, run):
        seconds += epoch["train_seconds"]
        joules += epoch["gpu_joules"]
        if epoch["valid_ndcg"] >= level:
            return seconds, joules
    return None


def test_costs_to_quality_are_to_95_percent_of_the_best_of_the_same_data(
    store: MeasuredStore,
) -> None:
    runs = [add(store, 0.97), add(store, 1.0, seed=2), add(store, 0.5, length=75)]
    other = store.add("sasrec", dataset="ml-1m")
    with closing(connect_reader(store.location)) as con:
        best = max(epoch["valid_ndcg"] for run in runs for epoch in epochs(con, run))
        wanted = [_to_quality(con, run, 0.95 * best) for run in runs]
        assert wanted[2] is None
        found = {run: tuple(rest) for run, *rest in runs_by_id(con, ["id", *SOURCES], runs)}
        for run, each in zip(runs, wanted, strict=True):
            assert found[run] == (pytest.approx(each) if each else (None, None))
        ((alone, none),) = runs_by_id(con, SOURCES, [other])
        assert (alone > 0, none) == (True, None)
        asked = with_costs_to_quality(con, compare_rows(con), parse_quality(DEFAULT))
        by_run = {row["run"]: tuple(row[name] for name in TO_QUALITY) for row in asked}
        assert {run: by_run[run] for run in runs} == found
        # No filter changes what a run's level is.
        (alike,) = with_costs_to_quality(
            con, compare_rows(con, filter=f"run={runs[0]}"), parse_quality(DEFAULT)
        )
        assert tuple(alike[name] for name in TO_QUALITY) == found[runs[0]]
        quick = compare_rows(con, filter="dataset:ml-100k quality_energy>0 quality_time>0")
        assert {row["run"] for row in quick} == set(runs[:2])


def test_a_cell_and_the_pivot_have_them_if_every_seed_does(store: MeasuredStore) -> None:
    for level, length, seed in ((1.0, 50, 1), (1.0, 50, 2), (1.0, 75, 1), (0.5, 75, 2)):
        add(store, level, length=length, seed=seed)
    columns = [column_named(name) for name in TO_QUALITY]
    with closing(connect_reader(store.location)) as con:
        cells = by_cell(
            compare_rows(con, beside=columns), counted_runs(con, Choice()), beside=TO_QUALITY
        )
        shown = {cell["length"]: [cell[name] for name in TO_QUALITY] for cell in cells}
        assert shown[75] == [None, None]
        _, lines = cell_lines(con, Choice(), "joules_to_quality", descending=False)
        figures = cell_figures(con, Choice(), [line.cell for line in lines], SOURCES)
        assert [bool(figures[line.cell]) for line in lines] == [True, False]
        means = [figures[lines[0].cell][name].mean for name in SOURCES]
        assert shown[50] == pytest.approx(means)
        pivot = stored_pivot(con, Choice(), "best", names=TO_QUALITY)
        assert [row.figures for row in pivot.rows if row.is_cell] == [
            tuple(pytest.approx(mean) for mean in means),
            (None, None),
        ]
        best = leaders(pivot.rows, "best", TO_QUALITY)
        assert best == {("ml-100k", place): pytest.approx(mean) for place, mean in enumerate(means)}

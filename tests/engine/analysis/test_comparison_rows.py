"""Rows of a comparison: names, aggregates, order, and the same bytes after a rebuild."""

from __future__ import annotations

import sqlite3
import statistics
from contextlib import closing
from pathlib import Path

import pytest
from measured_runs import CHECKSUM, filled_store

from engine.analysis.columns.definitions import AGGREGATES, columns, result_columns
from engine.analysis.columns.offered import column_named
from engine.analysis.columns.text import figure
from engine.analysis.comparison import Row, by_cell, column_names, compare_rows
from engine.analysis.export import FORMATS, format_rows
from engine.analysis.leaders import leaders
from engine.errors import UsageError
from engine.metrics import REFERENCE_COLUMNS
from engine.spec.settings import SETTINGS
from engine.store import series
from engine.store.compare.comparison import comparison_columns
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader
from engine.store.intake.rebuild import rebuild


def run_of(rows: list[Row], cell: tuple[str, int, int]) -> Row:
    return next(row for row in rows if (row["model"], row["length"], row["seed"]) == cell)


def test_columns_are_the_reference_tables_in_its_order_and_exist_in_the_store() -> None:
    known = set(comparison_columns())
    for aggregate in AGGREGATES:
        assert {entry.source for entry in columns(aggregate)} <= known
        names = column_names(aggregate)
        assert len(names) == len(set(names))
        first = names.index("EpochTime")
        assert tuple(names[first : first + 12]) == tuple(REFERENCE_COLUMNS)


def test_a_done_run_has_every_column_but_those_of_a_gpu(con: sqlite3.Connection) -> None:
    for row in compare_rows(con, filter="state:done"):
        empty = {name for name, value in row.items() if value is None and name not in SETTINGS}
        speeds = {"Users/s (batch 1)", "Users/s (batch 256)"}  # not in these journals
        empty -= {column.name for column in result_columns()}  # nor are these
        energy = {"EpochEnergy (J)", "EnergyToBest (J)", "TotalEnergy (J)"}
        of_gpu = {"GPU/Memory(MiB)", "GPU/Utilization(%)"}
        budget = {"Trials", "TuningTime"}  # no study chose its settings
        assert empty == {"EpochCPUTime", "marks", *of_gpu, *speeds, *energy, *budget}
        assert list(row) == column_names()
        assert row["checksum"] == CHECKSUM


def test_best_is_the_epoch_chosen_on_validation(con: sqlite3.Connection) -> None:
    for row in compare_rows(con, filter="state:done"):
        epochs = series.epochs(con, str(row["run"]))
        chosen = max(epochs, key=lambda epoch: epoch["valid_ndcg"])
        assert row["BestEpoch"] == chosen["epoch"]
        assert row["NDCG@10/test"] == chosen["test_ndcg"]
        assert row["Recall@10/test (seen masked)"] == chosen["test_recall_masked"]
        assert row["EpochTime"] == statistics.median(epoch["train_seconds"] for epoch in epochs)


@pytest.mark.parametrize(
    ("aggregate", "of"),
    [("max", max), ("min", min), ("last", lambda values: values[-1]), ("mean", statistics.fmean)],
)
def test_other_aggregates(con: sqlite3.Connection, aggregate: str, of: object) -> None:
    rows = compare_rows(con, aggregate=aggregate, filter="xlstm length:50 seed:42")
    assert len(rows) == 1
    epochs = series.epochs(con, str(rows[0]["run"]))
    assert callable(of)
    for name, measure in REFERENCE_COLUMNS.items():
        if measure in epochs[0] and epochs[0][measure] is not None:
            how = statistics.median if name == "EpochTime" and aggregate != "max" else of
            assert rows[0][name] == pytest.approx(how([epoch[measure] for epoch in epochs]))
    assert rows[0]["Total Epoch Trained"] == len(epochs)
    assert rows[0]["aggregate"] == aggregate


def test_sorting_by_any_column_puts_what_is_unknown_last(con: sqlite3.Connection) -> None:
    every = {row["run"] for row in compare_rows(con)}
    for entry in columns():
        for descending in (True, False):
            rows = compare_rows(con, sort=entry.name, descending=descending)
            assert {row["run"] for row in rows} == every
            values = [row[entry.name] for row in rows]
            known = [value for value in values if value is not None]
            assert values[len(known) :] == [None] * (len(values) - len(known))
            assert known == sorted(known, reverse=descending)  # type: ignore[type-var]


def test_a_limit_gives_the_first_rows(con: sqlite3.Connection) -> None:
    whole = compare_rows(con, sort="LearningRate")
    assert compare_rows(con, sort="LearningRate", limit=6) == whole[:6]
    assert compare_rows(con, limit=0) == []


def test_settings_are_equal_whatever_the_seed(con: sqlite3.Connection) -> None:
    rows = compare_rows(con, filter="sasrec ml-100k length:50")
    settings = {row["seed"]: row["settings"] for row in rows}
    assert settings[1] == settings[42] != settings[9]


def test_wrong_names_are_answered_with_the_nearest(con: sqlite3.Connection) -> None:
    with pytest.raises(UsageError, match="did you mean 'NDCG@10/test'"):
        compare_rows(con, sort="NDCG@10/tst")
    with pytest.raises(UsageError, match="did you mean 'mean'"):
        compare_rows(con, aggregate="meen")
    assert column_named("ndcg@10/TEST").source == column_named("test_ndcg_best").source


def test_a_rebuilt_store_gives_the_same_bytes(tmp_path: Path) -> None:
    own_store, runs = filled_store(tmp_path)
    own_store.set(runs["other"], note="=1+1 | [bold]µ[/]")

    def everything() -> list[str]:
        with closing(connect_reader(own_store.location)) as connection:
            rows = compare_rows(connection)
            cells = by_cell(rows, counted_runs(connection, Choice()))
            return [format_rows(kind, form) for form in FORMATS for kind in (rows, cells)]

    before = everything()
    for suffix in ("", "-wal", "-shm"):
        own_store.location.db.with_name(f"runs.db{suffix}").unlink(missing_ok=True)
    assert rebuild(own_store.location) == len(runs)
    assert everything() == before


def test_by_cell_means_over_seeds_of_equal_settings_only(con: sqlite3.Connection) -> None:
    rows = compare_rows(con)
    cells = by_cell(rows, counted_runs(con, Choice()))
    at_50 = [cell for cell in cells if (cell["model"], cell["length"]) == ("sasrec", 50)]
    assert sorted(str(cell["seeds"]) for cell in at_50) == ["1", "2"], "lr=0.002 stands apart"
    pair = next(cell for cell in at_50 if cell["seeds"] == 2)
    both = [run_of(rows, ("sasrec", 50, seed))["NDCG@10/test"] for seed in (1, 42)]
    assert pair["NDCG@10/test"] == pytest.approx(statistics.fmean(map(float, both)))  # type: ignore[arg-type]
    assert pair["NDCG@10/test (std)"] == pytest.approx(statistics.stdev(map(float, both)))  # type: ignore[arg-type]
    alone = next(cell for cell in at_50 if cell["seeds"] == 1)
    assert alone["NDCG@10/test (std)"] is None
    assert all(cell["model"] != "bert4rec" or cell["seeds"] == 2 for cell in cells)


def test_leaders_are_the_best_done_runs_of_a_data_set(con: sqlite3.Connection) -> None:
    found = leaders(con, columns())
    rows = compare_rows(con, filter="state:done dataset:ml-100k")
    for entry in columns():
        values = [float(row[entry.name]) for row in rows if entry.better and row[entry.name]]  # type: ignore[arg-type]
        if values:
            best = max(values) if entry.better == "higher" else min(values)
            assert found["ml-100k", entry.source] == best
    assert ("ml-1m", "test_ndcg_best") not in found, "a cancelled run leads nothing"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.06123, "metric", "0.0612"),
        (270_291, "whole", "270,291"),
        (220.684, "seconds", "220.68"),
        (0.001, "rate", "0.001"),
        (4888.11, "real", "4,888.11"),
        (6.3721, "real", "6.372"),
        (None, "metric", "–"),
        ("cpu", "text", "cpu"),
    ],
)
def test_figures(value: float | str | None, kind: str, text: str) -> None:
    assert figure(value, kind) == text  # type: ignore[arg-type]

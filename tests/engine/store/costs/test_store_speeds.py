"""What a run's end says of its model's speed, and what runs cost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

import pytest
from measured_runs import MeasuredStore
from reported_runs import add_reported
from sqlite_utils import Database

from engine.analysis.comparison import compare_rows
from engine.analysis.run.details import run_details
from engine.errors import UsageError
from engine.store import queries, series
from engine.store.connect import connect_reader, create_or_migrate
from engine.store.costs.runs import Reached, run_costs, spent_to_reach
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.migrations import migrations

SPEEDS = ("Users/s (batch 1)", "Users/s (batch 256)")


@pytest.fixture
def store(tmp_path: Path) -> MeasuredStore:
    return MeasuredStore(tmp_path)


@pytest.fixture
def con(store: MeasuredStore) -> Iterator[sqlite3.Connection]:
    with closing(connect_reader(store.location)) as connection:
        yield connection


def test_speeds_are_columns_and_a_run_of_before_has_none(
    store: MeasuredStore, con: sqlite3.Connection
) -> None:
    old, new = store.add(), add_reported(store, "xlstm", 50, 1)
    rows = {str(row["run"]): row for row in compare_rows(con, sort=SPEEDS[0])}
    assert list(rows) == [new, old]
    assert [rows[old][name] for name in SPEEDS] == [None, None]
    one, many = (rows[new][name] for name in SPEEDS)
    assert 150 < one < 300 < many
    details = run_details(con, new)
    assert details is not None
    assert details.figures["users_per_second_1"] == one
    found = compare_rows(con, filter="users_per_second_1>100 users_per_second_256<1M")
    assert [row["run"] for row in found] == [new]


def test_a_rebuilt_store_has_them_again(store: MeasuredStore) -> None:
    add_reported(store, "sasrec", 50, 1)
    with closing(connect_reader(store.location)) as con:
        before = compare_rows(con)
    rebuild(store.location)
    with closing(connect_reader(store.location)) as con:
        assert compare_rows(con) == before


def test_a_store_of_before_is_brought_up_to_date(tmp_path: Path) -> None:
    location = StoreLocation(tmp_path / "old.db")
    with closing(sqlite3.connect(location.db)) as old:
        migrations().apply(Database(old), stop_before="speeds")
        old.commit()
    create_or_migrate(location)
    with closing(connect_reader(location)) as con:
        assert compare_rows(con, filter="users_per_second_1>1", sort=SPEEDS[1]) == []
        for table in ("runs", "attempts"):
            names = {row[1] for row in con.rows(f"PRAGMA table_info({table})")}
            assert {"users_per_second_1", "users_per_second_256"} <= names


def test_costs_are_sums_and_extremes_of_what_was_recorded(
    store: MeasuredStore, con: sqlite3.Connection
) -> None:
    run = add_reported(store, "bert4rec", 100, 2)
    epochs = series.epochs(con, run)
    best = queries.get_run(con, run).best_epoch
    cost = run_costs(con, [run, "absent"])[run]
    seconds = [epoch["train_seconds"] for epoch in epochs]
    assert cost.seconds_to_best == pytest.approx(sum(seconds[:best]))
    assert cost.epoch_seconds == median(seconds)
    assert cost.gpu_memory_mib is None
    assert cost.host_memory_mib == max(
        row["process_memory_mib"] for row in series.telemetry(con, run)
    )


def test_a_level_is_reached_once_or_never(store: MeasuredStore, con: sqlite3.Connection) -> None:
    run = store.add()
    levels = [epoch["valid_ndcg"] for epoch in series.epochs(con, run)]
    first = series.epochs(con, run)[0]["train_seconds"]
    reached = spent_to_reach(con, "valid_ndcg", {run: min(levels)})
    assert reached == {run: Reached(pytest.approx(first), joules=None)}
    assert spent_to_reach(con, "valid_ndcg", {run: max(levels) + 0.01}) == {}
    with pytest.raises(UsageError, match="no figure 'id; --'"):
        spent_to_reach(con, "id; --", {})

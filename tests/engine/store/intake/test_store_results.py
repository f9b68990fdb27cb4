"""What a finished run has beside its epochs: columns, fields of the filter, and where they come
from in runs of this version and of earlier ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from measured_runs import MeasuredStore, journal
from sqlite_utils import Database

from engine.analysis.comparison import compare_rows
from engine.errors import UsageError
from engine.metrics import RANK_RESULTS, RESULT_OF
from engine.results.cutoffs import rank_results
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.intake.ingest import ingest
from engine.store.intake.rebuild import rebuild
from engine.store.migrations import migrations

FROM_RANKS = [name for name, result in RANK_RESULTS.items() if not result.scope]


@pytest.fixture
def store(tmp_path: Path) -> MeasuredStore:
    return MeasuredStore(tmp_path)


@pytest.fixture
def con(store: MeasuredStore) -> Iterator[sqlite3.Connection]:
    with closing(connect_reader(store.location)) as connection:
        yield connection


def stored(con: sqlite3.Connection, run: str) -> dict[str, float | None]:
    names = ", ".join(RESULT_OF)
    row = con.execute(f"SELECT {names} FROM summaries WHERE run = ?", (run,)).fetchone()
    return dict(zip(RESULT_OF, row, strict=True))


def finish(store: MeasuredStore, seed: int, results: object) -> str:
    """Add a run whose journal's end tells its results."""
    run = store.add(seed=seed, epochs=0)
    lines = journal("sasrec", "ml-100k", 50, seed, 14, "done")
    lines[-1]["results"] = results
    store.ran(run, lines)
    return run


def give_ranks(store: MeasuredStore, run: str) -> dict[str, float]:
    ranks = np.random.default_rng(7).integers(1, 200, (2, 60), dtype=np.int32)
    np.save(store.location.folder(run).test_ranks, ranks, allow_pickle=False)
    return rank_results(ranks)


def test_results_are_columns_to_sort_and_to_filter_by(
    store: MeasuredStore, con: sqlite3.Connection
) -> None:
    low = finish(store, 1, {"test_ndcg_at_20": 0.1, "test_recall_at_20": 0.2})
    high = finish(store, 2, {"test_ndcg_at_20": 0.3, "test_coverage_at_10": 0.25})
    without = store.add(seed=3)
    rows = compare_rows(con, sort="ndcg@20")
    assert [row["run"] for row in rows] == [high, low, without]
    assert [row["NDCG@20/test"] for row in rows] == [0.3, 0.1, None]
    assert rows[0]["Coverage@10/test"] == 0.25
    for words, runs in {
        "ndcg@20>0.2": {high},
        "NDCG@20/test<0.2": {low},
        "hit@20=0.2": {low},
        "coverage@10>0": {high},
        "ndcg@20<0.2 seed:1": {low},
        "-ndcg@20>0.2": {low, without},
    }.items():
        assert {row["run"] for row in compare_rows(con, filter=words)} == runs
    with pytest.raises(UsageError, match="did you mean 'ndcg@50'"):
        compare_rows(con, sort="ndcg@30")
    at_ten = compare_rows(con, filter="ndcg@10>0", sort="ndcg@10")
    assert [row["run"] for row in at_ten] == [row["run"] for row in compare_rows(con, sort="ndcg")]


def test_what_is_no_number_is_told_and_the_rest_is_kept(
    store: MeasuredStore, con: sqlite3.Connection
) -> None:
    run = finish(store, 1, {"test_ndcg_at_20": "much", "test_mrr_at_5": 0.5, "of_another": 1.0})
    found = stored(con, run)
    assert (found["test_ndcg_at_20"], found["test_mrr_at_5"]) == (None, 0.5)
    (problem,) = con.execute("SELECT problem FROM warnings WHERE run = ?", (run,)).fetchone()
    assert problem == "end: test_ndcg_at_20 is not what it should be"
    nothing = finish(store, 2, ["much"])
    assert set(stored(con, nothing).values()) == {None}


def test_a_run_of_an_earlier_version_has_what_its_ranks_give(store: MeasuredStore) -> None:
    run = store.add(seed=1, epochs=0)
    wanted = give_ranks(store, run)
    store.ran(run, journal("sasrec", "ml-100k", 50, 1, 14, "done"))
    cancelled = store.add(seed=2, epochs=0)
    give_ranks(store, cancelled)
    store.ran(cancelled, journal("sasrec", "ml-100k", 50, 2, 3, "cancelled"))
    for _ in range(2):
        with closing(connect_reader(store.location)) as con:
            found = stored(con, run)
            assert {name: found[name] for name in FROM_RANKS} == wanted
            assert set(stored(con, cancelled).values()) == {None}
        rebuild(store.location)


def test_a_later_line_of_the_journal_leaves_them(store: MeasuredStore) -> None:
    run = finish(store, 1, {"test_ndcg_at_20": 0.3})
    folder = store.location.folder(run)
    with closing(connect_writer(store.location)) as connection:
        with write(connection):
            connection.execute("UPDATE attempts SET offset = 0 WHERE run = ?", (run,))
        ingest(connection, folder, 1)
        assert stored(connection, run)["test_ndcg_at_20"] == 0.3


def test_a_store_of_the_version_before_gets_them_from_ranks(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    run, without = store.add(seed=1), store.add(seed=2)
    wanted = give_ranks(store, run)
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old)) as con:
        migrations().apply(Database(con), stop_before="results")
        con.execute("ATTACH ? AS new", (str(store.location.db),))
        for table in ("runs", "specs", "summaries"):
            names = ", ".join(row[1] for row in con.execute(f"PRAGMA main.table_info({table})"))
            con.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM new.{table}")
        con.commit()
    old.replace(store.location.db)
    with closing(connect_reader(store.location)) as con:
        found = stored(con, run)
        assert {name: found[name] for name in FROM_RANKS} == wanted
        assert set(stored(con, without).values()) == {None}

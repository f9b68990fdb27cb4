"""A store of an earlier version, opened by this one: its schema, its settings, its figures."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from engine.analysis.comparison import by_cell, compare_rows
from engine.analysis.pivot.stored import stored_pivot
from engine.lifecycle import STATES
from engine.metrics import AGGREGATES, EPOCH_MEASURES, RESULT_OF, RUN_ENERGY, SPEEDS
from engine.process import ProcessIdentity
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import StoreConnection, open_database
from engine.store.intake.folders import save_unsaved
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.migrations import migrations
from engine.store.places import launch_cells
from engine.store.schema import (
    EPOCH_INTEGERS,
    RESULT_INDEXES,
    RUN_TABLES,
    SCHEMA_VERSION,
    SUMMARY_MEASURES,
    TELEMETRY_MEASURES,
)
from engine.store.transitions import live_attempts

OLD = Path(__file__).parent / "stores" / "2d91d01.sql"
SHOWN: dict[str, Any] = json.loads(OLD.with_suffix(".json").read_text())


@pytest.fixture
def location(tmp_path: Path) -> StoreLocation:
    found = StoreLocation(tmp_path / "runs.db")
    with closing(sqlite3.connect(found.db)) as con:
        con.executescript(OLD.read_text())
    return found


@pytest.fixture
def con(location: StoreLocation) -> Iterator[StoreConnection]:
    with closing(connect_reader(location)) as connection:
        yield connection


def schema(con: sqlite3.Connection) -> dict[str, str]:
    """Every statement without its blanks, by the name of what it makes."""
    rows = con.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return {name: re.sub(r"\s+", "", sql) for name, sql in rows if "_sqlite" not in name}


def test_released_migrations_make_what_they_made() -> None:
    with closing(sqlite3.connect(":memory:")) as old, closing(sqlite3.connect(":memory:")) as new:
        old.executescript(OLD.read_text())
        migrations().apply(Database(new), stop_before="settings_anew")
        assert schema(new) == schema(old)


def test_the_schema_has_the_columns_that_the_code_names(con: StoreConnection) -> None:
    def columns(table: str) -> list[str]:
        return sorted(row["name"] for row in con.rows(f"PRAGMA table_info({table})"))

    keys = ["run", "epoch", "attempt", "seq", "t"]
    assert columns("epochs") == sorted([*keys, *EPOCH_INTEGERS, *EPOCH_MEASURES, "settings"])
    assert columns("telemetry") == sorted(["run", "attempt", "seq", "t", *TELEMETRY_MEASURES])
    totals = ["run", "best_epoch", "epochs_trained", "total_seconds", *RUN_ENERGY, "joules_of"]
    assert columns("summaries") == sorted([*totals, *SUMMARY_MEASURES, *RESULT_OF])
    assert set(SPEEDS) <= set(columns("runs")) & set(columns("attempts"))
    for table in RUN_TABLES:
        assert "run" in columns(table)
    indexes = {row[0] for row in con.rows("SELECT name FROM sqlite_schema WHERE type = 'index'")}
    assert {f"summaries_{how}" for how in (*AGGREGATES, "totals")} <= indexes
    assert RESULT_INDEXES.keys() <= indexes
    (states,) = con.rows("SELECT sql FROM sqlite_schema WHERE name = 'runs'")
    listed = re.search(r"state IN \(([^)]*)\)", " ".join(states[0].split()))
    assert listed is not None
    assert tuple(re.findall(r"'(\w+)'", listed[1])) == (*STATES, "paused")
    assert con.rows("PRAGMA user_version")[0][0] == SCHEMA_VERSION == len(migrations()._migrations)


def cells(con: sqlite3.Connection, *, imported: bool = True) -> list[dict[str, Any]]:
    found = by_cell(compare_rows(con), counted_runs(con, Choice(imported=imported)))
    names = SHOWN["by_cell"][0]
    return [{name: row[name] for name in names} for row in found]


def alike(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    return len(found) == len(wanted) and all(
        ours.keys() == theirs.keys()
        and all(
            ours[name] == pytest.approx(value, abs=1e-12)
            if isinstance(value, float)
            else ours[name] == value
            for name, value in theirs.items()
        )
        for ours, theirs in zip(found, wanted, strict=True)
    )


def test_cells_that_were_right_are_as_they_were(con: StoreConnection) -> None:
    for model, profile in (("bert4rec", "reference"), ("sasrec", "imported")):
        ours, theirs = (
            [row for row in rows if (row["model"], row["profile"]) == (model, profile)]
            for rows in (cells(con), SHOWN["by_cell"])
        )
        assert len(ours) == 1
        assert alike(ours, theirs)


def test_two_splits_of_one_name_are_two_cells(con: StoreConnection) -> None:
    (together,) = (row for row in SHOWN["by_cell"] if row["model"] == "sasrec" and row["checksum"])
    apart = [row for row in cells(con, imported=False) if row["model"] == "sasrec"]
    assert (together["seeds"], [row["seeds"] for row in apart]) == (4, [2, 2])
    mean = sum(row["NDCG@10/test"] for row in apart) / 2
    assert mean == pytest.approx(together["NDCG@10/test"])
    rows = [row for row in stored_pivot(con, Choice(), "best").rows if row.model == "sasrec"]
    assert {(row.label, row.seeds, row.apart) for row in rows if row.is_cell} == {
        ("50 · split leave-one-out", 2, ("split",)),
        ("50 · split temporal", 2, ("split",)),
    }


def test_a_specification_that_lacks_a_later_setting_is_of_the_same_cell(
    con: StoreConnection,
) -> None:
    split = [row["seeds"] for row in SHOWN["by_cell"] if row["model"] == "xlstm"]
    found = [row["seeds"] for row in cells(con) if row["model"] == "xlstm"]
    assert (split, sorted(found)) == ([1, 1, 1], [1, 2])


def test_launch_shows_the_newest_run_of_a_seed_as_the_comparison_does(
    con: StoreConnection,
) -> None:
    averaged = next(row for row in SHOWN["launch"] if row["model"] == "bert4rec")
    row = next(row for row in cells(con) if row["model"] == "bert4rec")
    score = launch_cells(con)["bert4rec", "ml-100k", 50].score
    assert score is not None
    assert score.mean == pytest.approx(row["NDCG@10/test"])
    assert score.mean != pytest.approx(averaged["mean"], abs=1e-4)
    assert score.deviation == pytest.approx(row["NDCG@10/test (std)"])


def test_attempts_of_earlier_versions_have_processes_of_their_own(location: StoreLocation) -> None:
    with closing(sqlite3.connect(location.db)) as old:
        old.execute("UPDATE attempts SET exited = NULL, pid = 7, boot_id = 'b', start_ticks = 9")
        (count,) = old.execute("SELECT count(*) FROM attempts").fetchone()
        old.commit()
    with closing(connect_writer(location)) as con:
        live = live_attempts(con)
    assert len(live) == count > 0
    assert {(each.worker, each.identity) for each in live} == {
        (None, ProcessIdentity(7, "b", 9)),
    }


KILLED = """
import os, signal, sys
from pathlib import Path
import engine.spec
from engine.store.database import migrate
real, seen = engine.spec.settings_digest, []

def dying(spec):
    seen.append(spec)
    if len(seen) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(spec)

engine.spec.settings_digest = dying
migrate(Path(sys.argv[1]))
"""


def test_a_migration_that_is_killed_leaves_the_store_as_it_was(location: StoreLocation) -> None:
    def content() -> tuple[int, dict[str, str], dict[str, str]]:
        with closing(open_database(location.db, "rw")) as con:
            assert con.rows("PRAGMA integrity_check")[0][0] == "ok"
            return con.rows("PRAGMA user_version")[0][0], schema(con), settings_of(con)

    before = content()
    killed = subprocess.run([sys.executable, "-c", KILLED, location.db], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert content() == before
    with closing(connect_reader(location)) as con:
        assert settings_of(con) != before[2]


def test_what_is_rebuilt_from_its_folders_shows_the_same(location: StoreLocation) -> None:
    with closing(connect_writer(location)) as con:
        con.execute("UPDATE runs SET revision = saved + 1 WHERE origin = ''")
        save_unsaved(con, location)
        events = con.rows("SELECT run, fields, seq, t, kind FROM events ORDER BY run, seq")
        before = settings_of(con)
        assert events
    assert rebuild(location) == len(before)
    with closing(connect_reader(location)) as con:
        assert settings_of(con) == before


def settings_of(con: StoreConnection) -> dict[str, str]:
    return dict(map(tuple, con.rows("SELECT id, settings FROM runs WHERE origin = ''")))


def test_nothing_that_stands_in_the_table_of_specifications_stops_the_migration(
    tmp_path: Path,
) -> None:
    location = StoreLocation(tmp_path / "runs.db")
    with closing(sqlite3.connect(location.db)) as con:
        con.executescript(OLD.read_text())
        ids = [row[0] for row in con.execute("SELECT id FROM runs WHERE origin = '' ORDER BY id")]
        whole = json.loads(
            con.execute("SELECT spec FROM specs WHERE run = ?", ids[:1]).fetchone()[0]
        )
        texts = (
            "no JSON", "[]", "{}", "null", "[" * 10_000,
            json.dumps(whole | {"later": 1}), json.dumps(whole | {"later": 2}),
            json.dumps(whole | {"architecture": {"model": "later", "dim": 1}, "source": 7}),
            json.dumps(whole | {"architecture": [], "training": None, "protocol": {}}),
        )  # fmt: skip
        con.executemany("UPDATE specs SET spec = ? WHERE run = ?", zip(texts, ids, strict=False))
        con.execute("DELETE FROM specs WHERE run = ?", (ids[-1],))
        con.commit()
    with closing(connect_reader(location)) as con:
        settings = settings_of(con)
        assert [settings[run] for run in (*ids[:2], *ids[3:5], ids[-1])] == [""] * 5
        counted = [settings[run] for run in ids[5:9]]
        assert len(set(counted)) == 4, "what isn't known counts"
        assert all(len(each) == 8 for each in counted)
        cells(con)
        stored_pivot(con, Choice(), "best")

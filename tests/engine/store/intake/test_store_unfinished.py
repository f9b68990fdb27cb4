"""Which runs are marked as still improving at their epoch limit: in a store that grows, made
anew, or migrated."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from measured_runs import MeasuredStore, journal
from sqlite_utils import Database
from test_store_old import OLD

from engine.analysis.comparison import compare_rows
from engine.metrics import METRIC_COLUMNS
from engine.store.compare.grouping import Choice, cells_marked
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.intake.folders import save_unsaved
from engine.store.intake.ingest import ingest
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.migrations import migrations
from engine.store.requests import enqueue

MARK = "still-improving"


def marks(location: StoreLocation) -> dict[str, str | None]:
    with closing(connect_reader(location)) as con:
        return dict(map(tuple, con.rows("SELECT id, marks FROM runs")))


def add(
    store: MeasuredStore,
    valid: list[float],
    limit: int,
    end: str | None = "done",
    *,
    fitted: bool = False,
) -> str:
    """A run with these values of the metric that chooses the epoch, and a limit of epochs."""
    spec = store.catalogue.run_spec("sasrec", "ml-100k", 50, 1, overrides={"epochs": limit})
    (run,) = enqueue(store.location, [spec])
    lines = journal("sasrec", "ml-100k", 50, 1, len(valid), end)
    lines[0]["epochs"] = limit
    for line, value in zip(lines[1:], valid, strict=False):
        line |= dict.fromkeys(METRIC_COLUMNS, value) | ({"settings": {}} if fitted else {})
    folder = store.location.folder(run)
    with closing(connect_writer(store.location)) as con:
        save_unsaved(con, store.location)
        with write(con):
            con.execute("UPDATE runs SET state = 'running' WHERE id = ?", (run,))
        # Line by line, as they come: what is known at the end decides.
        for number, line in enumerate(lines):
            with folder.journal(1).open("a") as file:
                file.write(json.dumps({"seq": number, **line}) + "\n")
            ingest(con, folder, 1)
        save_unsaved(con, store.location)
    return run


@pytest.mark.parametrize(
    ("valid", "limit", "end", "marked"),
    [
        ([0.1, 0.2, 0.3], 3, "done", True),
        ([0.1], 1, "done", True),
        ([0.0], 1, "done", True),
        ([0.1, 0.3, 0.2], 3, "done", False),
        # Equal is no improvement: the first of the best is chosen.
        ([0.1, 0.3, 0.3], 3, "done", False),
        ([0.0, 0.0, 0.0], 3, "done", False),
        # Stopped before its limit.
        ([0.1, 0.2, 0.3], 9, "done", False),
        ([0.1, 0.2, 0.3], 3, "failed", False),
        ([0.1, 0.2, 0.3], 3, "cancelled", False),
        ([0.1, 0.2, 0.3], 3, None, False),
    ],
)
def test_a_run_is_marked_whose_best_epoch_is_the_last_that_its_limit_allowed(
    tmp_path: Path, valid: list[float], limit: int, end: str | None, marked: bool
) -> None:
    store = MeasuredStore(tmp_path)
    run = add(store, valid, limit, end)
    expected = {run: MARK if marked else None}
    assert marks(store.location) == expected
    rebuild(store.location)
    assert marks(store.location) == expected
    with closing(connect_reader(store.location)) as con:
        assert list(cells_marked(con, Choice()).values()) == ([(MARK,)] if marked else [])
        for words in (f"marks:{MARK}", f"mark:{MARK}", "mark:still*"):
            assert len(compare_rows(con, filter=words)) == marked


def test_the_mark_stands_beside_others(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    run = store.add(epochs=6, improving=True)
    told = {"t": 1, "kind": "telemetry", "gpu_others": 1, "gpu_throttle": 0}
    for found in (f"shared {MARK}", f"shared {MARK}"):
        with store.location.folder(run).journal(1).open("a") as file:
            file.write(json.dumps({"seq": 900, **told}) + "\n")
        with closing(connect_writer(store.location)) as con:
            ingest(con, store.location.folder(run), 1)
        assert marks(store.location) == {run: found}
        rebuild(store.location)
        assert marks(store.location) == {run: found}


def test_a_fitted_model_is_not_marked(tmp_path: Path) -> None:
    """Its epochs are all the combinations that there are."""
    store = MeasuredStore(tmp_path)
    run = add(store, [0.1, 0.2, 0.3], 3, fitted=True)
    assert marks(store.location) == {run: None}


def test_an_imported_run_is_not_marked(tmp_path: Path) -> None:
    """Nothing is known of its limit."""
    store = MeasuredStore(tmp_path)
    run = store.add(epochs=6, improving=True)
    store.set(run, origin="imported-csv", marks=None)
    with closing(connect_writer(store.location)) as con:
        ingest(con, store.location.folder(run), 1)
    assert marks(store.location) == {run: None}


def test_a_store_of_before_is_marked_as_one_made_anew(tmp_path: Path) -> None:
    location = StoreLocation(tmp_path / "runs.db")
    cases: list[tuple[dict[str, Any], str | None]] = [
        ({}, MARK),
        ({"marks": ""}, MARK),
        ({"marks": "shared changed-data"}, f"shared changed-data {MARK}"),
        ({"best_epoch": 2}, None),
        ({"state": "cancelled"}, None),
        ({"origin": "imported-csv"}, None),
        ({"best_epoch": None}, None),
    ]
    with closing(sqlite3.connect(location.db)) as con:
        con.executescript(OLD.read_text())
        migrations().apply(Database(con), stop_before="unfinished_training")
        assert con.execute("PRAGMA user_version").fetchone() == (9,)
        ids = [row[0] for row in con.execute("SELECT id FROM runs ORDER BY id LIMIT 7")]
        for run, (given, _) in zip(ids, cases, strict=True):
            of = {"state": "done", "origin": "", "epochs": 3, "best_epoch": 3, "marks": None}
            places = ", ".join(f"{name} = :{name}" for name in of)
            con.execute(f"UPDATE runs SET {places} WHERE id = :id", of | given | {"id": run})
        con.commit()
    found = marks(location)
    assert [found[run] for run in ids] == [mark for _, mark in cases]

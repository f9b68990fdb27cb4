"""What attempts say of their data marks the run: in a store that grows, made anew, or migrated."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from measured_runs import MeasuredStore, journal
from sqlite_utils import Database
from test_store_old import OLD

from engine.store.compare.grouping import Choice, cells_marked
from engine.store.connect import connect_reader, connect_writer
from engine.store.intake.ingest import ingest
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.migrations import migrations

Attempt = tuple[str, int, bool | None]
"""Checksum of the data, the epoch resumed from, and whether the copy was confirmed."""

CASES: list[tuple[Sequence[Attempt], str | None, str]] = [
    ([("a", 0, None)], None, "a"),
    ([("a", 0, True), ("a", 2, True)], None, "a"),
    ([("a", 0, False)], "other-copy", "a"),
    ([("a", 0, False), ("a", 2, True)], "other-copy", "a"),
    ([("a", 0, None), ("b", 2, None)], "changed-data", "b"),
    ([("a", 0, None), ("b", 2, None), ("b", 3, None)], "changed-data", "b"),
    ([("a", 0, False), ("b", 2, None)], "other-copy changed-data", "b"),
    # From the start again: nothing of the first attempts is left.
    ([("a", 0, False), ("b", 0, True)], None, "b"),
    ([("a", 0, None), ("b", 2, None), ("b", 0, None)], None, "b"),
]


def add(store: MeasuredStore, attempts: Sequence[Attempt]) -> str:
    run = store.add(epochs=0, end=None)
    folder = store.location.folder(run)
    with closing(connect_writer(store.location)) as con:
        con.execute("UPDATE runs SET state = 'running' WHERE id = ?", (run,))
        for number, (checksum, resumed, confirmed) in enumerate(attempts, 1):
            lines = journal("sasrec", "ml-100k", 50, 42, 3, "done")
            told = {} if confirmed is None else {"confirmed": confirmed}
            lines[0] |= {"checksum": checksum, "resumed_epoch": resumed, "attempt": number} | told
            text = "".join(json.dumps({"seq": n, **line}) + "\n" for n, line in enumerate(lines))
            folder.journal(number).write_text(text)
            con.execute("UPDATE runs SET attempt = ? WHERE id = ?", (number, run))
            ingest(con, folder, number)
    return run


def shown(location: StoreLocation, run: str) -> tuple[str | None, str]:
    with closing(connect_reader(location)) as con:
        marks, checksum = con.rows("SELECT marks, checksum FROM runs WHERE id = ?", (run,))[0]
        by_cell = cells_marked(con, Choice())
    assert list(by_cell.values()) == ([tuple(marks.split())] if marks else [])
    return marks, checksum


@pytest.mark.parametrize(("attempts", "marks", "checksum"), CASES)
def test_a_run_is_marked_by_the_data_of_its_attempts(
    tmp_path: Path, attempts: Sequence[Attempt], marks: str | None, checksum: str
) -> None:
    store = MeasuredStore(tmp_path)
    run = add(store, attempts)
    assert shown(store.location, run) == (marks, checksum)
    rebuild(store.location)
    assert shown(store.location, run) == (marks, checksum)


def test_a_store_of_before_is_marked_as_one_made_anew(tmp_path: Path) -> None:
    location = StoreLocation(tmp_path / "runs.db")
    cases = [case for case in CASES if all(each[2] is None for each in case[0])]
    with closing(sqlite3.connect(location.db)) as con:
        con.executescript(OLD.read_text())
        migrations().apply(Database(con), stop_before="data_of_attempts")
        ids = [row[0] for row in con.execute("SELECT id FROM runs ORDER BY id LIMIT 9")]
        for run, (attempts, _, _) in zip(ids, cases, strict=False):
            con.execute("DELETE FROM attempts WHERE run = ?", (run,))
            con.execute("DELETE FROM events WHERE run = ?", (run,))
            for number, (checksum, resumed, _) in enumerate(attempts, 1):
                begun: dict[str, Any] = {"checksum": checksum, "resumed_epoch": resumed}
                con.execute(
                    "INSERT INTO events VALUES (?, ?, 0, 1, 'start', ?)",
                    (run, number, json.dumps(begun)),
                )
                con.execute(
                    "INSERT INTO attempts (run, attempt, status, resumed_epoch)"
                    " VALUES (?, ?, 'done', ?)",
                    (run, number, resumed),
                )
        con.execute("UPDATE runs SET marks = 'shared' WHERE id = ?", (ids[2],))
        con.commit()
    with closing(connect_reader(location)) as con:
        found = dict(map(tuple, con.rows("SELECT id, marks FROM runs")))
        checksums = {
            (row[0], row[1]): row[2]
            for row in con.rows("SELECT run, attempt, checksum FROM attempts")
        }
    for place, (run, (attempts, marks, _)) in enumerate(zip(ids, cases, strict=False)):
        before = "shared" if place == 2 else None
        assert found[run] == (" ".join(filter(None, (before, marks))) or None)
        assert [checksums[run, n] for n in range(1, len(attempts) + 1)] == [a[0] for a in attempts]

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from engine.errors import StoreError, UsageError
from engine.spec import RunSpec
from engine.store import database, queries
from engine.store.connect import KeptReader, connect_reader, connect_writer, create_or_migrate
from engine.store.database import (
    StoreConnection,
    StoreReplacedError,
    is_current,
    storage_note,
    write,
)
from engine.store.filesystem import filesystem_kind, network_filesystem
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation, store_location
from engine.store.requests import enqueue
from engine.store.schema import RUN_TABLES, SCHEMA_VERSION


def test_location_prefers_the_flag_then_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert store_location().db == tmp_path / "runs.db"
    monkeypatch.setenv("SEQBENCH_DB", str(tmp_path / "b.db"))
    assert store_location().db == tmp_path / "b.db"
    assert store_location(Path("c.db")).db == tmp_path / "c.db"
    assert store_location(Path("c.db")).runs == tmp_path / "runs"
    with pytest.raises(UsageError, match="is a folder"):
        store_location(tmp_path)
    with pytest.raises(UsageError, match="isn't a name in UTF-8: rename it"):
        store_location(Path(os.fsdecode(b"lab\xff.db")))


def test_where_no_database_can_be_a_sentence_says_so(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.db")
    (tmp_path / "circle.db").symlink_to("circle.db")
    for name, problem in {
        "pipe.db": "is not a file",
        "circle.db": "links lead in a circle|symbolic links",
        "a" * 300: "can't be opened .*too long",
        "a" * 240: "is too long a name: at most 200 bytes",
    }.items():
        with pytest.raises(UsageError, match=problem):
            store_location(tmp_path / name)
    assert store_location(tmp_path / ("a" * 200)).db.parent == tmp_path


def test_a_store_is_made_once_and_opens_with_wal(location: StoreLocation) -> None:
    create_or_migrate(location)
    first = location.db.stat().st_ino
    create_or_migrate(location)
    assert location.db.stat().st_ino == first
    with closing(connect_reader(location)) as con:
        assert con.rows("PRAGMA journal_mode")[0][0] == "wal"
        assert con.rows("PRAGMA user_version")[0][0] == SCHEMA_VERSION
        tables = {row[0] for row in con.rows("SELECT name FROM sqlite_schema")}
    assert {"runs", "summaries", "requests", "supervisor", *RUN_TABLES} <= tables
    assert [path.name for path in location.db.parent.glob(".*")] == []


def test_many_makers_at_once_make_one_store(location: StoreLocation) -> None:
    errors: list[StoreError] = []

    def make() -> None:
        try:
            with closing(connect_writer(location)) as con, write(con):
                con.execute("INSERT INTO requests (action, run, created) VALUES ('x', 'y', 0)")
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with closing(connect_reader(location)) as con:
        assert con.rows("SELECT count(*) FROM requests")[0][0] == 8


def test_an_empty_file_becomes_a_store(location: StoreLocation) -> None:
    location.db.parent.mkdir()
    location.db.touch()
    create_or_migrate(location)
    with closing(connect_reader(location)) as con:
        assert queries.queue(con) == []


def test_no_store_yet_says_what_makes_one(location: StoreLocation) -> None:
    with pytest.raises(StoreError, match=r"no store at .*`seqbench run` makes one\."):
        connect_reader(location)
    assert not location.runs.exists()


def test_a_damaged_store_says_to_rebuild(location: StoreLocation) -> None:
    create_or_migrate(location)
    location.db.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(StoreError, match=r"damaged.*`seqbench db rebuild`"):
        connect_reader(location)


def test_damage_met_in_a_query_says_to_rebuild(location: StoreLocation) -> None:
    create_or_migrate(location)
    with closing(connect_reader(location)) as con:
        page = con.rows("PRAGMA page_size")[0][0]
        roots = con.rows("SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'runs' AND rootpage")
    with location.db.open("r+b") as file:
        for row in roots:
            file.seek((row[0] - 1) * page)
            file.write(b"\xff" * page)
    with (
        closing(connect_reader(location)) as con,
        pytest.raises(StoreError, match=r"damaged.*rebuild"),
    ):
        queries.list_runs(con)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("PRAGMA user_version = 999", "made by a newer seqbench"),
        ("CREATE TABLE recipes (name)", "a database of another program"),
    ],
)
def test_other_databases_are_left_alone(location: StoreLocation, sql: str, problem: str) -> None:
    location.db.parent.mkdir()
    with closing(sqlite3.connect(location.db)) as con:
        con.execute(sql)
        con.commit()
    before = location.db.read_bytes()
    for use in (connect_reader, create_or_migrate):
        with pytest.raises(StoreError, match=problem):
            use(location)
    if "recipes" in sql:
        with pytest.raises(StoreError, match=problem):
            rebuild(location)
    assert location.db.read_bytes() == before


@pytest.mark.parametrize("place", ["/proc/seqbench/runs.db", "/dev/null/runs.db"])
def test_a_place_that_cannot_be_written_is_one_sentence(
    place: str, make_spec: Callable[..., RunSpec]
) -> None:
    with pytest.raises(StoreError, match=r"can't be created at .* with --db\.$"):
        enqueue(StoreLocation(Path(place)), [make_spec()])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_cannot_be_written_is_one_sentence(
    location: StoreLocation, make_spec: Callable[..., RunSpec]
) -> None:
    create_or_migrate(location)
    location.db.chmod(0o444)
    with pytest.raises(StoreError, match="can't be written"):
        enqueue(location, [make_spec()])


def test_readers_see_the_last_commit_while_a_writer_writes(
    location: StoreLocation, writer: StoreConnection, make_spec: Callable[..., RunSpec]
) -> None:
    enqueue(location, [make_spec()])
    with closing(connect_reader(location)) as con:
        before = queries.data_version(con)
        with write(writer):
            writer.execute("UPDATE runs SET state = 'running'")
            assert [run.state for run in queries.queue(con)] == ["queued"]
            assert queries.data_version(con) == before
        assert queries.data_version(con) != before
        assert [run.state for run in queries.queue(con)] == ["running"]


def test_a_busy_store_is_one_sentence(
    location: StoreLocation,
    writer: StoreConnection,
    make_spec: Callable[..., RunSpec],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with write(writer), pytest.raises(StoreError, match="busy"):
        enqueue(location, [make_spec()])


def test_a_transaction_that_fails_leaves_nothing(writer: StoreConnection) -> None:
    def fail() -> None:
        with write(writer):
            writer.execute("INSERT INTO requests (action, run, created) VALUES ('x', 'y', 0)")
            writer.execute("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(StoreError, match="no such table"):
        fail()
    assert writer.rows("SELECT * FROM requests") == []
    with write(writer):
        writer.execute("INSERT INTO requests (action, run, created) VALUES ('x', 'y', 0)")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [(2**70, "no numbers as large"), ("half \ud800 a character", "only text in UTF-8")],
)
def test_a_value_that_sqlite_cannot_hold_is_a_store_error(
    writer: StoreConnection, value: object, sentence: str
) -> None:
    with pytest.raises(StoreError, match=sentence):
        writer.execute("SELECT ?", (value,))


def test_a_replaced_database_is_noticed(location: StoreLocation, writer: StoreConnection) -> None:
    assert is_current(writer)
    rebuild(location)
    assert not is_current(writer)
    with pytest.raises(StoreReplacedError), write(writer):
        pass
    location.db.unlink()
    assert not is_current(writer)


def test_reading_needs_neither_sqlite_utils_nor_anything_heavy(location: StoreLocation) -> None:
    create_or_migrate(location)
    program = f"""
import sys
from pathlib import Path
from engine.store import queries, requests
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.supervisor.start import supervisor_running
location = StoreLocation(Path({str(location.db)!r}))
queries.queue(connect_reader(location))
supervisor_running(location)
heavy = {{"sqlite_utils", "numpy", "pandas", "torch", "pydantic", "yaml"}}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_innermost_mount_decides_the_filesystem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "proc"))
    assert filesystem_kind(Path("/x")) is None
    mounts = tmp_path / "proc/self/mounts"
    mounts.parent.mkdir(parents=True)
    mounts.write_text(
        "/dev/sda1 / ext4 rw 0 0\n"
        "server:/home /home nfs4 rw 0 0\n"
        "tmpfs /home/me/local tmpfs rw 0 0\n"
        "gone\n"
        "old:/over /over xfs rw 0 0\n"
        "new:/over /over ceph rw 0 0\n"
        f"lustre@tcp:/x {tmp_path}/with\\040space lustre rw 0 0\n"
    )
    kinds = {
        "/data/runs.db": ("ext4", None),
        "/home/me/runs.db": ("nfs4", "nfs4"),
        "/home/me/local/runs.db": ("tmpfs", None),
        "/homeless/runs.db": ("ext4", None),
        "/over/runs.db": ("ceph", "ceph"),
        f"{tmp_path}/with space/runs.db": ("lustre", "lustre"),
    }
    for path, (kind, network) in kinds.items():
        assert filesystem_kind(Path(path)) == kind
        assert network_filesystem(Path(path)) == network


def test_on_a_network_filesystem_there_is_no_wal_and_a_note(
    location: StoreLocation, monkeypatch: pytest.MonkeyPatch, make_spec: Callable[..., RunSpec]
) -> None:
    assert storage_note(location) is None
    monkeypatch.setattr(database, "network_filesystem", lambda path: "nfs4")
    enqueue(location, [make_spec()])
    with closing(connect_reader(location)) as con:
        assert con.rows("PRAGMA journal_mode")[0][0] == "delete"
        assert con.rows("PRAGMA synchronous")[0][0] == 2
        assert len(queries.queue(con)) == 1
    assert "(nfs4)" in (storage_note(location) or "")


def test_a_transaction_within_another_is_rolled_back_alone_and_kept_with_it(
    writer: StoreConnection,
) -> None:
    def names() -> list[str]:
        return [row[0] for row in writer.rows("SELECT run FROM requests ORDER BY run")]

    def ask(name: str) -> None:
        writer.execute("INSERT INTO requests (action, run, created) VALUES ('x', ?, 0)", (name,))

    def ask_and_fail(name: str) -> None:
        with write(writer):
            with write(writer):
                ask(name)
            raise ValueError(name)

    with write(writer):
        ask("a")
        with pytest.raises(ValueError, match="b"):
            ask_and_fail("b")
        with write(writer):
            ask("c")
    assert names() == ["a", "c"]
    with pytest.raises(ValueError, match="d"):
        ask_and_fail("d")
    assert names() == ["a", "c"]


def test_a_kept_reader_opens_the_store_once_and_another_in_its_place(
    location: StoreLocation, writer: StoreConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[StoreConnection] = []

    def counted(where: StoreLocation) -> StoreConnection:
        opened.append(connect_reader(where))
        return opened[-1]

    monkeypatch.setattr("engine.store.connect.connect_reader", counted)
    reader = KeptReader(location)

    def requests() -> int:
        with reader.reading() as con:
            return int(con.rows("SELECT count(*) FROM requests")[0][0])

    assert requests() == 0
    with write(writer):
        writer.execute("INSERT INTO requests (action, run, created) VALUES ('x', 'y', 0)")
    assert (requests(), len(opened)) == (1, 1)
    rebuild(location)
    assert (requests(), len(opened)) == (0, 2)
    with pytest.raises(StoreError, match="nothing"), reader.reading() as con:
        con.execute("SELECT nothing")
    assert (requests(), len(opened)) == (0, 3)
    reader.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[-1].commit()
    assert (requests(), len(opened)) == (0, 4)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[-1].commit()

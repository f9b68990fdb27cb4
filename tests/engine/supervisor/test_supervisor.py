"""Supervisor processes, as commands start them."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from rehearsal import SECONDS, SUPERVISOR, Look, go, wait_for

from engine.errors import StoreError
from engine.files.lock import read_holder
from engine.machine.environment import background_environment
from engine.process import identify
from engine.store import queries, transitions
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.intake.folders import save_folder
from engine.store.intake.rebuild import rebuild
from engine.store.intake.trash import KEPT_DAYS, deleted_runs, throw_away
from engine.store.location import StoreLocation
from engine.store.requests import request_cancel
from engine.supervisor.start import ensure_supervisor, supervisor_running

Add = Callable[..., list[str]]


@pytest.fixture
def start(location: StoreLocation, tmp_path: Path) -> Callable[[], None]:
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "settings.yaml").write_text("slots: {cpu: 2}\nidle_seconds: 0.2\n")
    return lambda: ensure_supervisor(location, configs, SUPERVISOR)


def supervisor_pid(location: StoreLocation, after: int = 0) -> int:
    """Of the one that holds the lock, once it has said so in place of the one ``after``."""

    def holder() -> int:
        found = read_holder(location.supervisor_lock) if supervisor_running(location) else None
        return int(found["pid"]) if found else after

    wait_for(lambda: holder() != after, "a supervisor")
    return holder()


def log(location: StoreLocation) -> str:
    return location.supervisor_log.read_text()


def test_it_works_the_queue_and_ends_when_idle(
    location: StoreLocation, add: Add, start: Callable[[], None], look: Look
) -> None:
    runs = add("quick", "quick", "fail")
    start()
    wait_for(lambda: look.states() == ["done", "done", "failed"], "the runs to end")
    with closing(connect_reader(location)) as con:
        said = queries.supervisor_state(con)
    assert said is not None
    assert [slot["threads"] for slot in said.slots] == [
        slot["threads"] for slot in said.slots[:1]
    ] * 2
    wait_for(lambda: not supervisor_running(location), "the supervisor to end")
    wait_for(lambda: "ends" in log(location), "its last word")
    assert "Traceback" not in log(location)
    for run in runs:
        assert location.folder(run).meta.exists()
    start()
    wait_for(lambda: not supervisor_running(location), "another one to end")


def test_what_was_deleted_long_ago_is_removed_for_good(
    location: StoreLocation, add: Add, start: Callable[[], None], look: Look
) -> None:
    now = time.time()
    for run, days in (("old", KEPT_DAYS + 0.5), ("new", KEPT_DAYS - 0.5)):
        location.folder(run).path.mkdir(parents=True)
        location.folder(run).spec.write_text("{}")
        throw_away(location, run, now - days * 86_400)
    add("quick")
    start()
    wait_for(lambda: look.states() == ["done"], "the run to end")
    assert [each.run for each in deleted_runs(location)] == ["new"]
    assert len(list(location.trash.iterdir())) == 1
    assert "permanently removed deleted runs: 1" in log(location)


def test_killed_it_is_replaced_by_one_that_takes_the_worker_over(
    location: StoreLocation, add: Add, start: Callable[[], None], look: Look
) -> None:
    (run,) = add("hold")
    start()
    wait_for(lambda: look.holds(run), "the run to hold")
    worker = look.live(run)
    first = supervisor_pid(location)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not supervisor_running(location), "the lock to be free")
    assert look.alive(worker)
    start()
    supervisor_pid(location, after=first)
    go(location, run)
    wait_for(lambda: look.run(run).state == "done", "the run to end")
    assert look.run(run).attempt == 1
    assert look.steps(run) == list(range(1, 17))


def test_asked_to_end_it_leaves_its_workers(
    location: StoreLocation, add: Add, start: Callable[[], None], look: Look
) -> None:
    (run,) = add("hold")
    start()
    wait_for(lambda: look.holds(run), "the run to hold")
    worker = look.live(run)
    os.kill(supervisor_pid(location), signal.SIGTERM)
    wait_for(lambda: not supervisor_running(location), "the supervisor to end")
    assert look.alive(worker)
    wait_for(lambda: "ends" in log(location), "its last word")
    go(location, run)
    wait_for(lambda: not look.alive(worker), "the worker to end by itself")
    assert look.run(run).state == "running"
    start()
    wait_for(lambda: look.run(run).state == "done", "its end to be read")
    assert look.run(run).attempt == 1


def test_a_hang_up_does_not_end_it(
    location: StoreLocation, add: Add, start: Callable[[], None], look: Look
) -> None:
    (run,) = add("hold")
    start()
    wait_for(lambda: look.holds(run), "the run to hold")
    pid = supervisor_pid(location)
    os.kill(pid, signal.SIGHUP)
    go(location, run)
    wait_for(lambda: look.run(run).state == "done", "the run to end")
    assert supervisors(location) == [pid]


def test_a_folder_that_cannot_be_looked_at_for_a_moment_does_not_end_it(
    location: StoreLocation, add: Add, start: Callable[[], None], look: Look
) -> None:
    (run,) = add("hold")
    start()
    wait_for(lambda: look.holds(run), "the run to hold")
    lock = location.supervisor_lock
    aside = lock.rename(lock.with_name("aside"))
    lock.symlink_to(lock)  # whoever opens it is told of too many links
    wait_for(lambda: "symbolic links" in log(location), "the supervisor to miss it")
    aside.replace(lock)
    go(location, run)
    wait_for(lambda: look.states() == ["done"], "the run to end")


def test_what_cannot_be_adopted_at_once_is_adopted_later(
    location: StoreLocation, add: Add, start: Callable[[], None], look: Look
) -> None:
    (run,) = add("quick")
    with closing(connect_writer(location)) as writer:
        location.runs.mkdir(parents=True, exist_ok=True)
        lock = save_folder(writer, location, run).lock
        # As a supervisor leaves it that was killed just before it started the attempt.
        with write(writer):
            transitions.begin_attempt(writer, run, "cpu/0", socket.gethostname(), "cpu-0")
    lock.symlink_to(lock)  # whoever opens it is told of too many links
    start()
    wait_for(lambda: "symbolic links" in log(location), "the supervisor to miss it")
    lock.unlink()
    wait_for(lambda: look.states() == ["done"], "the run to end")
    assert (look.run(run).attempt, look.run(run).losses) == (1, 0)


@pytest.mark.slow
def test_of_many_started_at_once_one_works(
    location: StoreLocation, add: Add, start: Callable[[], None], look: Look
) -> None:
    (holding,) = add("hold")
    for _ in range(2):
        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_for(lambda: look.holds(holding), "the run to hold")
        wait_for(lambda: supervisors(location) == [supervisor_pid(location)], "the others to end")
        pid = supervisor_pid(location)
        assert identify(pid) is not None
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not supervisor_running(location), "the lock to be free")
    assert look.run(holding).attempt == 1
    assert [path.name for path in location.folder(holding).path.glob("journal-*")] == [
        "journal-1.jsonl"
    ]


@pytest.mark.parametrize("rounds", [2, pytest.param(50, marks=pytest.mark.slow)])
def test_of_two_started_at_once_one_works_and_no_run_starts_twice(
    location: StoreLocation, add: Add, look: Look, tmp_path: Path, rounds: int
) -> None:
    for number in range(rounds):
        (run,) = add("hold", epochs=3)
        text = two_supervisors(location, tmp_path / str(number), look, run)
        assert text.count(" works /") == text.count("another supervisor works here") == 1, text
        assert look.run(run).attempt == 1
        starts = [path.read_text().count('"start"') for path in location.runs.glob("*/journal-*")]
        assert starts == [1] * (number + 1)


def two_supervisors(location: StoreLocation, said: Path, look: Look, run: str) -> str:
    """What they say from their start until the run, which holds until one of them has ended, is
    done and they are asked to end."""
    command = [*SUPERVISOR, "--db", str(location.db)]
    with said.open("wb") as file:
        pair = [
            subprocess.Popen(command, stderr=file, env=background_environment()) for _ in range(2)
        ]
        wait_for(lambda: any(one.poll() == 0 for one in pair), "the second to see the first")
        go(location, run)
        wait_for(lambda: look.run(run).state == "done", "the run to end")
        for one in pair:
            one.terminate()
        assert [one.wait(SECONDS) for one in pair] == [0, 0]
    return said.read_text()


def supervisors(location: StoreLocation) -> list[int]:
    """Every living one of this store."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return [pid for pid in pids if runs_supervisor(pid, location) and identify(pid) is not None]


def runs_supervisor(pid: int, location: StoreLocation) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"rehearsal_supervisor" in command and str(location.db).encode() in command


def test_the_store_can_be_deleted_and_rebuilt_under_it(
    location: StoreLocation,
    add: Add,
    start: Callable[[], None],
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REHEARSAL_GONE_SECONDS", f"{SECONDS}")  # longer than rebuilding takes
    holding, *_ = add("hold", "quick")
    start()
    wait_for(lambda: look.holds(holding) and look.states()[1] == "done", "the other to end")
    worker = look.live(holding)
    for suffix in ("", "-wal", "-shm"):
        location.db.with_name(location.db.name + suffix).unlink(missing_ok=True)
    assert rebuild(location) == 2
    assert look.live(holding).identity == worker.identity
    request_cancel(location, [holding])
    wait_for(lambda: look.run(holding).state == "cancelled", "the cancel")
    assert "was replaced" in log(location)
    assert log(location).count(" works ") == 1


def test_a_store_that_is_put_back_is_used_again(
    location: StoreLocation,
    add: Add,
    start: Callable[[], None],
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is the same file: what tells another file apart doesn't tell it."""
    monkeypatch.setenv("REHEARSAL_GONE_SECONDS", f"{SECONDS}")
    holding, *_ = add("hold", "quick")
    start()
    wait_for(lambda: look.holds(holding) and look.states()[1] == "done", "the other to end")
    aside = location.db.with_name("aside.db")
    os.link(location.db, aside)
    for suffix in ("", "-wal", "-shm"):
        location.db.with_name(location.db.name + suffix).unlink(missing_ok=True)
    wait_for(lambda: "is gone" in log(location), "the supervisor to miss it")
    os.link(aside, location.db)
    request_cancel(location, [holding])
    wait_for(lambda: look.run(holding).state == "cancelled", "the cancel")


def test_a_deleted_store_is_made_anew_under_it(
    location: StoreLocation,
    add: Add,
    start: Callable[[], None],
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REHEARSAL_GONE_SECONDS", "1")
    holding, *_ = add("hold", "quick")
    start()
    wait_for(lambda: look.holds(holding) and look.states()[1] == "done", "the other to end")
    for suffix in ("", "-wal", "-shm"):
        location.db.with_name(location.db.name + suffix).unlink(missing_ok=True)
    wait_for(location.db.exists, "the store to be rebuilt")
    assert "is gone: it will be rebuilt" in log(location)
    go(location, holding)
    wait_for(lambda: look.states() == ["done", "done"], "both to end")
    assert look.epochs(holding) == [1, 2, 3, 4]


def test_a_damaged_store_is_put_aside_and_made_anew_under_it(
    location: StoreLocation, add: Add, start: Callable[[], None], look: Look
) -> None:
    holding, *_ = add("hold", "quick")
    start()
    wait_for(lambda: look.holds(holding) and look.states()[1] == "done", "the other to end")
    os.kill(supervisor_pid(location), signal.SIGTERM)
    wait_for(lambda: not supervisor_running(location), "the supervisor to end")
    size = location.db.stat().st_size
    with location.db.open("r+b") as file:
        for place in range(0, size, 4096):
            file.seek(place + 100)
            file.write(os.urandom(1000))
    start()
    aside = location.db.with_name("runs.db.damaged")
    wait_for(aside.exists, "the damaged store to be put aside")
    wait_for(lambda: "was rebuilt from 2 run folders" in log(location), "the new one")
    go(location, holding)
    wait_for(lambda: look.states() == ["done", "done"], "both to end")
    assert look.epochs(holding) == [1, 2, 3, 4]
    with closing(connect_reader(location)) as connection:
        assert connection.rows("PRAGMA integrity_check")[0][0] == "ok"


@pytest.mark.slow
def test_a_store_locked_for_a_minute_is_waited_for(
    location: StoreLocation, add: Add, start: Callable[[], None], look: Look
) -> None:
    (holding,) = add("hold")
    start()
    wait_for(lambda: look.holds(holding), "it to hold")
    with closing(sqlite3.connect(location.db, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        go(location, holding)
        folder = location.folder(holding)
        wait_for(lambda: b'"end"' in folder.journal(1).read_bytes(), "training to go on")
        time.sleep(62)
        assert supervisor_running(location)
        assert "is busy" in log(location)
        other.execute("ROLLBACK")
    wait_for(lambda: look.run(holding).state == "done", "the rest to be taken in")
    assert look.epochs(holding) == [1, 2, 3, 4]


def test_work_that_comes_while_it_idles_out_is_done(
    location: StoreLocation, add: Add, start: Callable[[], None], look: Look
) -> None:
    runs: list[str] = []
    for _ in range(4):
        runs += add("quick", epochs=1)
        start()
        wait_for(lambda: set(look.states()) == {"done"}, "all to be done")
    assert len(look.states()) == 4


def test_one_folder_is_one_stores(
    location: StoreLocation, add: Add, start: Callable[[], None]
) -> None:
    add("hold")
    start()
    supervisor_pid(location)
    other = StoreLocation(location.db.with_name("other.db"))
    with pytest.raises(StoreError, match=r"other\.db into a folder of its own"):
        ensure_supervisor(other, None, SUPERVISOR)
    ensure_supervisor(location, None, SUPERVISOR)


def test_a_place_that_cannot_be_written_is_one_sentence() -> None:
    location = StoreLocation(Path("/proc/seqbench/runs.db"))
    assert not supervisor_running(location)
    with pytest.raises(StoreError, match="No background process can be started"):
        ensure_supervisor(location, None, SUPERVISOR)
    done = subprocess.run(
        [*SUPERVISOR, "--db", str(location.db)],
        capture_output=True,
        text=True,
        check=False,
        env=background_environment(),
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "engine.supervisor"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--db" in done.stderr

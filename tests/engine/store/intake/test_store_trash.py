"""Deleted runs lie in the trash and come back as they were, whoever is killed on the way."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from measured_runs import MeasuredStore
from written_journals import dump

from engine.interchange.pack import pack
from engine.interchange.unpack import unpack
from engine.store import transitions
from engine.store.connect import connect_writer
from engine.store.database import StoreConnection, write
from engine.store.intake.folders import save_unsaved
from engine.store.intake.rebuild import rebuild
from engine.store.intake.trash import (
    Facts,
    bring_back,
    deleted_runs,
    empty,
    throw_away,
    undo_deletion,
)
from engine.store.location import StoreLocation
from engine.store.requests import change_tags, enqueue, request_delete, request_retry, set_note
from engine.supervisor.requests import answer


@pytest.fixture
def measured(tmp_path: Path) -> MeasuredStore:
    return MeasuredStore(tmp_path)


def end_processes(location: StoreLocation) -> None:
    """Let no worker live any more, as far as the store knows."""
    with closing(connect_writer(location)) as connection:
        with write(connection):
            for live in transitions.live_attempts(connection):
                transitions.mark_exited(connection, live.run, live.attempt)
        assert save_unsaved(connection, location) == set()


def work(location: StoreLocation) -> None:
    """Do what is asked of the supervisor."""
    end_processes(location)
    with closing(connect_writer(location)) as connection:
        for request in transitions.requests(connection):
            answer(connection, location, request)


def known(location: StoreLocation) -> set[str]:
    with closing(connect_writer(location)) as connection:
        return {str(row[0]) for row in connection.rows("SELECT id FROM runs")}


def everything(location: StoreLocation) -> Any:
    with closing(connect_writer(location)) as connection:
        return dump(connection)


def thrown(location: StoreLocation) -> list[str]:
    return [each.run for each in deleted_runs(location)]


def test_runs_come_back_as_they_were(measured: MeasuredStore) -> None:
    location = measured.location
    runs = [
        measured.add(seed=1),
        measured.add(seed=2, epochs=0, end="failed"),
        measured.add(seed=3, epochs=3, end="cancelled"),
        *enqueue(location, [measured.catalogue.run_spec("sasrec", "synthetic", 50, 4)], "smoke"),
        retried := measured.add(seed=5, epochs=0, end="failed"),
    ]
    request_retry(location, [retried])
    work(location)
    change_tags(location, runs[:2], ["paper", "größer"], [])
    for run in runs:
        set_note(location, run, f"über {run}\nzweite Zeile")
    end_processes(location)
    set_note(location, runs[0], "and nobody has saved it")
    before = everything(location)
    request_delete(location, runs)
    with closing(connect_writer(location)) as connection:
        for request in transitions.requests(connection):
            answer(connection, location, request)
    assert known(location) == set()
    assert not any(location.folders())
    assert sorted(thrown(location)) == sorted(runs)
    back = bring_back(location, runs)
    assert (sorted(back.runs), back.problems) == (sorted(runs), ())
    assert everything(location) == before
    assert thrown(location) == []
    assert list(location.trash.iterdir()) == []


def test_a_rebuild_leaves_the_trash_where_it_is(measured: MeasuredStore) -> None:
    location, run, other = measured.location, measured.add(seed=1), measured.add(seed=2)
    request_delete(location, [run])
    work(location)
    for suffix in ("", "-wal", "-shm"):
        Path(f"{location.db}{suffix}").unlink(missing_ok=True)
    assert rebuild(location) == 1
    assert known(location) == {other}
    assert bring_back(location, [run]).runs == (run,)
    assert known(location) == {run, other}


def test_what_is_only_asked_for_is_taken_back(measured: MeasuredStore) -> None:
    location, run = measured.location, measured.add()
    set_note(location, run, "not saved in its folder yet")
    request_delete(location, [run])
    before = everything(location)
    (asked,) = deleted_runs(location)
    assert (asked.run, asked.facts) == (run, Facts("done", "not saved in its folder yet"))
    assert undo_deletion(location).runs == (run,)
    assert thrown(location) == []
    work(location)
    assert known(location) == {run}
    assert location.folder(run).meta.is_file()
    assert thrown(location) == []
    assert everything(location) == before
    assert undo_deletion(location).runs == ()


def test_deletions_are_undone_from_the_last_on(measured: MeasuredStore) -> None:
    location = measured.location
    runs = [measured.add(seed=seed) for seed in range(4)]
    for batch in (runs[:2], runs[2:3]):
        request_delete(location, batch)
        work(location)
    request_delete(location, runs[3:])
    assert undo_deletion(location).runs == (runs[3],)
    assert undo_deletion(location).runs == (runs[2],)
    assert sorted(undo_deletion(location).runs) == sorted(runs[:2])
    assert undo_deletion(location).runs == ()
    assert known(location) == set(runs)


def test_a_place_that_is_taken_stays_what_it_is(measured: MeasuredStore) -> None:
    location, run = measured.location, measured.add()
    request_delete(location, [run])
    shutil.copytree(location.folder(run).path, location.db.parent / "copy")
    work(location)
    shutil.move(location.db.parent / "copy", location.folder(run).path)
    rebuild(location)
    set_note(location, run, "the new one")
    before = everything(location)
    (problem,) = bring_back(location, [run]).problems
    assert f"another run {run}" in problem
    assert everything(location) == before
    assert thrown(location) == [run]
    (problem,) = bring_back(location, ["sasrec-nowhere"]).problems
    assert "no deleted run" in problem


def test_an_equal_run_is_told(measured: MeasuredStore) -> None:
    location, run = measured.location, measured.add(seed=1)
    request_delete(location, [run])
    work(location)
    equal = measured.add(seed=1)
    back = bring_back(location, [run])
    assert back.runs == (run,)
    assert back.notes == (f"{run} has the settings, data and seed of {equal}.",)


def test_what_is_old_is_emptied_out(measured: MeasuredStore) -> None:
    location = measured.location
    runs = [measured.add(seed=seed) for seed in range(3)]
    shared = location.folder(runs[0]).path / "checkpoint-1.pt"
    shared.write_bytes(b"x" * 1_000_000)
    (location.folder(runs[2]).path / "checkpoint-0.pt").hardlink_to(shared)
    outside = location.db.parent / "precious"
    outside.write_text("x")
    (location.folder(runs[0]).path / "link").symlink_to(outside)
    for run in runs[:2]:
        request_delete(location, [run])
        work(location)
    newest, oldest = deleted_runs(location)
    assert (newest.run, oldest.run) == (runs[1], runs[0])
    assert 0 < oldest.bytes < 1_000_000  # the other name of the checkpoint stays
    assert empty(location, before=oldest.when) == (0, 0)
    size = oldest.bytes
    assert empty(location, before=newest.when) == (1, size)
    assert thrown(location) == [runs[1]]
    assert (location.folder(runs[2]).path / "checkpoint-0.pt").is_file()
    assert outside.read_text() == "x"
    assert empty(location, before=time.time())[0] == 1
    assert list(location.trash.iterdir()) == []
    assert list(location.runs.glob(".trash-*")) == []


def test_settings_that_no_run_has_are_emptied_out(measured: MeasuredStore) -> None:
    location = measured.location
    kept, gone = measured.add(seed=1), measured.add(seed=1, lr=0.0005, dropout=0.3)
    measured.add(seed=2)  # has those of the first

    def kept_settings() -> dict[int, int]:
        with closing(connect_writer(location)) as connection:
            rows = connection.rows("SELECT configuration, count(*) FROM settings GROUP BY 1")
            return dict(map(tuple, rows))

    with closing(connect_writer(location)) as connection:
        of_run = dict(map(tuple, connection.rows("SELECT id, configuration FROM runs")))
    before = kept_settings()
    assert set(before) == {of_run[kept], of_run[gone]}
    empty(location, before=time.time())
    assert kept_settings() == before
    request_delete(location, [gone])
    work(location)
    empty(location, before=0)
    assert kept_settings() == {of_run[kept]: before[of_run[kept]]}
    assert bring_back(location, [gone]).runs == (gone,)
    assert kept_settings() == before


# Killed on the way

every_step = pytest.mark.parametrize("apart", [5, pytest.param(1, marks=pytest.mark.slow)])
"""How far the steps are apart at which something is killed."""


def killed_at(step: int, act: Callable[[], object]) -> bool:
    """Act in a process that is killed before its step of that number; return whether it was. A
    step is a statement of SQL, or a file that is opened, moved, made or removed."""
    child = os.fork()
    if child == 0:
        steps = count()

        def take(*_: object) -> None:
            if next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        execute = StoreConnection.execute

        def counted(self: StoreConnection, *arguments: Any) -> Any:
            take()
            return execute(self, *arguments)

        StoreConnection.execute = counted  # type: ignore[method-assign]
        changing = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "open"}
        sys.addaudithook(lambda event, _: take() if event in changing else None)
        try:
            act()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def files(location: StoreLocation, run: str) -> dict[str, bytes]:
    """The run's files, which are in one of the two places."""
    places = [location.folder(run).path, *location.trash.glob(f"*/{run}")]
    (found,) = [place for place in places if (place / "journal-1.jsonl").exists()]
    return {path.name: path.read_bytes() for path in found.iterdir()}


@every_step
def test_a_deletion_that_is_killed_anywhere_is_done_or_undone(
    measured: MeasuredStore, apart: int
) -> None:
    location, run = measured.location, measured.add(epochs=3)
    end_processes(location)
    set_note(location, run, "mind this")
    end_processes(location)
    before, content = everything(location), files(location, run)
    for step in count(0, apart):
        request_delete(location, [run])
        killed = killed_at(step, lambda: work(location))
        assert files(location, run).keys() == content.keys()
        if step % 3 == 0:
            work(location)  # the next supervisor
            assert (known(location), thrown(location)) == (set(), [run])
        elif step % 3 == 1:
            rebuild(location)
        back = bring_back(location, [run])
        assert (back.runs, back.problems) == ((run,), ()), step
        work(location)
        assert (known(location), thrown(location)) == ({run}, [])
        assert files(location, run) == content
        assert everything(location) == before
        if not killed:
            break
    assert step > 5


@every_step
def test_an_undoing_that_is_killed_anywhere_is_done_or_done_again(
    measured: MeasuredStore, apart: int
) -> None:
    location, run = measured.location, measured.add(epochs=3)
    end_processes(location)
    set_note(location, run, "mind this")
    end_processes(location)
    before, content = everything(location), files(location, run)
    for step in count(0, apart):
        request_delete(location, [run])
        work(location)
        killed = killed_at(step, lambda: bring_back(location, [run]))
        assert files(location, run) == content
        if step % 2 and not thrown(location):
            rebuild(location)
        if run not in known(location):
            assert bring_back(location, [run]).runs == (run,), step
        assert everything(location) == before
        assert files(location, run) == content
        assert thrown(location) == []
        if not killed:
            break
    assert step > 5


def test_what_is_written_between_a_kill_and_the_next_supervisor_is_kept(
    measured: MeasuredStore,
) -> None:
    location, run = measured.location, measured.add()
    request_delete(location, [run])
    with closing(connect_writer(location)) as connection:
        (request,) = transitions.requests(connection)
    throw_away(location, run, request.created)  # and killed
    set_note(location, run, "a last word")
    rebuild(location)
    work(location)
    assert bring_back(location, [run]).runs == (run,)
    with closing(connect_writer(location)) as connection:
        row = connection.row("SELECT note, state FROM runs WHERE id = ?", (run,))
        assert row is not None
        assert tuple(row) == ("a last word", "done")
        assert connection.rows("SELECT count(*) FROM epochs")[0][0] == 14


@every_step
def test_an_import_that_is_killed_anywhere_adds_the_run_whole_or_not(
    measured: MeasuredStore, tmp_path: Path, apart: int
) -> None:
    location, run = measured.location, measured.add(epochs=3)
    end_processes(location)
    rebuild(location)
    before, archive = everything(location), tmp_path / "runs.tar.gz"
    with closing(connect_writer(location)) as connection:
        pack(connection, location, archive)
    for step in count(0, apart):
        request_delete(location, [run])
        work(location)
        empty(location, time.time())
        killed = killed_at(step, lambda: unpack(archive, location))
        if run in known(location):
            assert everything(location) == before, step
        else:
            assert unpack(archive, location).added == (run,)
            assert everything(location) == before, step
        if not killed:
            break
    assert step > 5

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from written_journals import dump, journal_lines, to_bytes

from engine.errors import StoreError
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import load_spec, load_spec_file
from engine.store import queries, series, transitions
from engine.store.compare.comparison import comparison, comparison_columns
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import StoreConnection, write
from engine.store.intake.check import SHOWN, check
from engine.store.intake.folders import discard_folder, load_meta, save_unsaved
from engine.store.intake.ingest import ingest
from engine.store.intake.rebuild import rebuild
from engine.store.jobs import JobFacts, record_job
from engine.store.location import StoreLocation
from engine.store.places import launch_cells
from engine.store.requests import enqueue, request_cancel, request_delete, set_note

AddRun = Callable[..., RunFolder]
Make = Callable[..., RunSpec]


def begin(writer: StoreConnection, folder: RunFolder) -> int:
    with write(writer):
        return transitions.begin_attempt(writer, folder.run_id, "cpu/0", "elsewhere")


def work(
    writer: StoreConnection, folder: RunFolder, lines: list[dict[str, Any]], exits: bool = True
) -> int:
    """One attempt, as supervisor and worker do it together."""
    attempt = begin(writer, folder)
    folder.journal(attempt).write_bytes(to_bytes(lines))
    ingest(writer, folder, attempt)
    if exits:
        with write(writer):
            transitions.mark_exited(writer, folder.run_id, attempt)
    return attempt


@pytest.fixture
def laboratory(location: StoreLocation, writer: StoreConnection, add_run: AddRun) -> StoreLocation:
    """A run in every state, with every kind of history."""
    done, failed, resumed, lost, killed, queued, running, never, requeued = (
        add_run(seed=seed, length=50 + seed) for seed in range(9)
    )
    work(writer, done, journal_lines())
    work(writer, failed, journal_lines(epochs=range(1, 2), end="failed"))
    set_note(location, failed.run_id, "größer\nmehrzeilig")

    work(writer, resumed, journal_lines(1, range(1, 4), end="preempted"))
    with write(writer):
        transitions.requeue(writer, resumed.run_id, counts=False)
    work(writer, resumed, journal_lines(2, range(3, 6), resumed=2, lead=0.5))

    for folder, status in ((lost, "lost"), (killed, "cancelled")):
        attempt = work(writer, folder, journal_lines(1, range(1, 3), end=None))
        with write(writer):
            transitions.end_attempt(writer, folder.run_id, attempt, status, status, "So it ended.")
    work(writer, running, journal_lines(1, range(1, 3), end=None), exits=False)
    with write(writer):
        transitions.cancel_queued(writer, never.run_id)
    work(writer, requeued, journal_lines(1, range(1, 3), end="failed"))
    with write(writer):
        transitions.retry(writer, requeued.run_id)
    assert queued.path.is_dir()
    assert save_unsaved(writer, location) == set()
    return location


def problems(location: StoreLocation) -> list[str]:
    with closing(connect_reader(location)) as connection:
        return check(connection, location)


def everything(location: StoreLocation) -> tuple[Any, ...]:
    with closing(connect_writer(location)) as connection:
        compared = comparison(connection, comparison_columns(), "valid_ndcg_best", True)
        return (
            dump(connection),
            queries.queue(connection),
            launch_cells(connection),
            compared,
        )


def test_everything_shown_comes_from_the_run_folders(laboratory: StoreLocation) -> None:
    before = everything(laboratory)
    states = {run.state for run in before[1]}
    assert states == {"queued", "running", "done", "failed", "cancelled", "lost"}
    for suffix in ("", "-wal", "-shm"):
        laboratory.db.with_name(laboratory.db.name + suffix).unlink(missing_ok=True)
    assert rebuild(laboratory) == 9
    assert everything(laboratory) == before
    # And again, over a whole one.
    assert rebuild(laboratory) == 9
    assert everything(laboratory) == before
    assert problems(laboratory) == []


def test_live_attempts_are_live_after_a_rebuild(
    laboratory: StoreLocation, writer: StoreConnection
) -> None:
    (before,) = transitions.live_attempts(writer)
    rebuild(laboratory)
    with closing(connect_writer(laboratory)) as connection:
        (after,) = transitions.live_attempts(connection)
    assert after.identity is not None
    assert after.identity.boot_id == "another-boot"
    assert (after.run, after.attempt, after.slot, after.identity) == (
        before.run,
        before.attempt,
        before.slot,
        before.identity,
    )


def test_a_missing_database_is_made_from_the_folders_when_first_needed(
    laboratory: StoreLocation, make_spec: Make
) -> None:
    before = everything(laboratory)[3]
    laboratory.db.unlink()
    with pytest.raises(StoreError, match="`seqbench db rebuild` builds it from the run folders"):
        connect_reader(laboratory)
    (added,) = enqueue(laboratory, [make_spec(seed=99)])
    after = everything(laboratory)[3]
    assert [row for row in after if row[0] != added] == before


def test_a_damaged_database_is_put_aside(laboratory: StoreLocation) -> None:
    before = everything(laboratory)[3]
    laboratory.db.write_bytes(b"\x00damaged" * 1000)
    assert rebuild(laboratory) == 9
    assert everything(laboratory)[3] == before
    assert laboratory.db.with_name("runs.db.damaged").read_bytes().startswith(b"\x00damaged")


def test_what_no_folder_has_yet_is_kept(location: StoreLocation, make_spec: Make) -> None:
    ids = enqueue(location, [make_spec(seed=seed) for seed in (3, 1, 2)], suite="mine")
    set_note(location, ids[1], "mind this")
    request_cancel(location, [ids[2]])
    assert not location.folder(ids[0]).path.exists()
    assert rebuild(location) == 3
    with closing(connect_writer(location)) as connection:
        runs = queries.queue(connection)
        assert [run.id for run in runs] == ids
        assert [run.note for run in runs] == ["", "mind this", ""]
        (request,) = transitions.requests(connection)
        assert (request.action, request.run) == ("cancel", ids[2])


def test_folders_that_take_too_long_are_left_for_the_next_time(
    location: StoreLocation, make_spec: Make, writer: StoreConnection
) -> None:
    runs = enqueue(location, [make_spec(seed=seed) for seed in range(4)])
    for saved in (1, 2):
        assert save_unsaved(writer, location, seconds=0) == set()
        there = [location.folder(run).meta.exists() for run in runs]
        assert there == [index < saved for index in range(4)]
    assert save_unsaved(writer, location) == set()
    assert all(location.folder(run).meta.exists() for run in runs)
    assert writer.rows("SELECT id FROM runs WHERE revision > saved") == []


def test_a_run_that_was_started_just_before_is_taken_as_running(
    location: StoreLocation, writer: StoreConnection, add_run: AddRun
) -> None:
    folder = add_run()
    folder.journal(1).write_bytes(to_bytes(journal_lines(end=None)))
    location.db.unlink()
    assert rebuild(location) == 1
    with closing(connect_writer(location)) as connection:
        (run,) = queries.queue(connection)
        assert (run.state, run.attempt, run.epoch) == ("running", 1, 3)
        (live,) = transitions.live_attempts(connection)
        assert live.identity is not None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"format": 1}',
        b"\xff\xff",
        b'{"format": 99, "run": "x"}',
        b"[" * 100_000,
    ],
)
def test_a_folder_that_cannot_be_read_is_passed_over_and_named(
    laboratory: StoreLocation, content: bytes
) -> None:
    victim = next(laboratory.folders())
    victim.spec.write_bytes(content)
    with pytest.raises(StoreError, match=r"damaged|newer"):
        load_spec(victim)
    assert rebuild(laboratory) == 8
    (sentence,) = problems(laboratory)
    assert sentence.startswith(f"{victim.run_id}: {victim.spec} ")


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format":1,"attempt":[]}', b"\x00"])
def test_a_lost_meta_file_loses_only_what_it_held(
    laboratory: StoreLocation, writer: StoreConnection, content: bytes
) -> None:
    (done,) = [run for run in queries.list_runs(writer, ["done"]) if run.attempt == 1]
    folder = laboratory.folder(done.id)
    folder.meta.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        load_meta(folder)
    assert rebuild(laboratory) == 9
    with closing(connect_writer(laboratory)) as connection:
        after = queries.get_run(connection, done.id)
        assert after is not None
        assert (after.state, after.best_valid_ndcg) == ("done", done.best_valid_ndcg)


def test_hostile_values_in_a_folder_stop_nothing(laboratory: StoreLocation) -> None:
    victim = next(laboratory.folders())
    content = json.loads(victim.spec.read_text())
    for change in ({"parameters": 10**30}, {"suite": "\ud800"}, {"spec": {"model": "x"}}):
        victim.spec.write_text(json.dumps({**content, **change}))
        assert rebuild(laboratory) == 8
    for change in ({"length": 10**9}, {"seed": None}, {"source": []}, {"model": "../x"}):
        victim.spec.write_text(json.dumps({**content, "spec": content["spec"] | {**change}}))
        assert rebuild(laboratory) == 8


def test_a_configuration_of_another_version_is_kept_with_its_figures(
    laboratory: StoreLocation,
) -> None:
    before = everything(laboratory)[3]
    for folder in laboratory.folders():
        content = json.loads(folder.spec.read_text())
        content["spec"] |= {"later": {"x": 1}}
        del content["spec"]["training"]["window_overlap"]
        folder.spec.write_text(json.dumps(content))
    assert rebuild(laboratory) == 9
    found = everything(laboratory)[3]
    epochs = comparison_columns().index("epochs")
    assert [[*row[:epochs], *row[epochs + 1 :]] for row in found] == [
        [*row[:epochs], *row[epochs + 1 :]] for row in before
    ]
    assert rebuild(laboratory) == 9
    assert everything(laboratory)[3] == found
    with closing(connect_writer(laboratory)) as connection:
        run = queries.list_runs(connection, ["done"])[0].id
        with pytest.raises(StoreError, match="of another version"):
            queries.run_spec(connection, run)


@pytest.mark.parametrize(
    "spec",
    [
        {"origin": "imported-csv", "came_from": "old.csv"},
        {"later": {"x": 1}, "code": {"of": "another version"}},
    ],
    ids=["imported", "of another version"],
)
def test_a_lost_folder_is_made_again_whoever_wrote_its_configuration(
    location: StoreLocation, writer: StoreConnection, add_run: AddRun, spec: dict[str, Any]
) -> None:
    folder = add_run()
    content = json.loads(folder.spec.read_text())
    named = {name: content["spec"][name] for name in ("model", "dataset", "length", "seed")}
    content["spec"] = spec | (named if "origin" in spec else content["spec"])
    folder.spec.write_text(json.dumps(content))
    rebuild(location)
    written = load_spec_file(folder)
    shutil.rmtree(folder.path)
    set_note(location, folder.run_id, "where is it?")
    with closing(connect_writer(location)) as connection:
        assert save_unsaved(connection, location) == set()
        assert connection.rows("SELECT id FROM runs WHERE revision > saved") == []
    assert load_spec_file(folder) == written
    shutil.rmtree(folder.path)
    set_note(location, folder.run_id, "and now?")
    assert rebuild(location) == 1
    assert load_meta(folder)["note"] == "and now?"


def test_strangers_in_the_runs_folder_are_left_alone(laboratory: StoreLocation) -> None:
    (laboratory.runs / "notes").mkdir()
    (laboratory.runs / "README").write_text("mine")
    (laboratory.runs / ".trash-x").mkdir()
    assert rebuild(laboratory) == 9
    assert (laboratory.runs / "notes").is_dir()


def test_check_names_folders_and_rows_without_each_other(laboratory: StoreLocation) -> None:
    first, second = list(laboratory.folders())[:2]
    shutil.copytree(first.path, laboratory.runs / "copied-run")
    shutil.rmtree(second.path)
    orphan, widow = problems(laboratory)
    assert "runs/copied-run isn't in the store" in orphan
    assert f"The folder of {second.run_id} is gone" in widow
    assert rebuild(laboratory) == 9
    assert problems(laboratory) == []
    for number in range(SHOWN + 5):
        shutil.copytree(first.path, laboratory.runs / f"copied-run-{number}")
    assert problems(laboratory)[SHOWN:] == ["5 more like the last one."]


def test_a_run_that_waits_for_its_deletion_lacks_no_folder(
    laboratory: StoreLocation, writer: StoreConnection
) -> None:
    (run, *_) = [run.id for run in queries.list_runs(writer, ["done"])]
    shutil.rmtree(laboratory.folder(run).path)
    assert len(problems(laboratory)) == 1
    request_delete(laboratory, [run])
    assert problems(laboratory) == []


def test_a_discarded_folder_takes_nothing_outside_with_it(
    location: StoreLocation, add_run: AddRun
) -> None:
    folder = add_run()
    outside = location.db.parent / "precious"
    outside.mkdir()
    (outside / "data").write_text("x")
    (folder.path / "link").symlink_to(outside)
    discard_folder(location, folder.path)
    assert not folder.path.exists()
    folder.path.symlink_to(outside)
    discard_folder(location, folder.path)
    assert not folder.path.is_symlink()
    assert (outside / "data").read_text() == "x"
    assert list(location.runs.glob(".trash-*")) == []


def test_spec_files_hold_the_whole_configuration(
    location: StoreLocation, add_run: AddRun, make_spec: Make
) -> None:
    folder = add_run(seed=5)
    assert load_spec(folder) == make_spec(seed=5)
    content = load_spec_file(folder)
    assert (content.run, content.fingerprint) == (
        folder.run_id,
        make_spec(seed=5).fingerprint(),
    )
    assert {"seqbench", "python", "torch"} <= content.versions.keys()


def test_launcher_and_job_of_a_run_outlive_the_database(
    location: StoreLocation, writer: StoreConnection, make_spec: Make
) -> None:
    (run,) = enqueue(location, [make_spec()], launcher="slurm")
    save_unsaved(writer, location)
    folder = location.folder(run)
    attempt = begin(writer, folder)
    with write(writer):
        facts = JobFacts("12", "low", "n1", "RUNNING", "runs", None)
        record_job(writer, run, attempt, facts)
        transitions.end_attempt(writer, run, attempt, "failed", "error", "So it ended.")
    save_unsaved(writer, location)
    rebuild(location)
    with closing(connect_reader(location)) as con:
        found = queries.get_run(con, run)
        assert found is not None
        assert found.launcher == "slurm"
        (row,) = series.attempts(con, run)
    assert (row["job"], row["partition"], row["node"]) == ("12", "low", "n1")


def test_a_file_from_before_there_were_launchers_is_read(
    laboratory: StoreLocation,
) -> None:
    folders = list(laboratory.folders())
    before = {folder.run_id: load_meta(folder) for folder in folders}
    for folder in folders:
        meta = json.loads(folder.meta.read_text())
        del meta["launcher"]
        for attempt in meta["attempts"]:
            for name in ("job", "partition", "node"):
                del attempt[name]
        folder.meta.write_text(json.dumps(meta))
    assert {folder.run_id: load_meta(folder) for folder in folders} == before

"""A worker that gets little of its processor: from the kernel through the journal to the mark."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from test_worker import exit_status, lines, small_spec

from engine.analysis.comparison import compare_rows
from engine.marks import BUSY, UNDISTURBED_SHARE, of_times
from engine.runfolder import RunFolder
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.intake.folders import save_unsaved
from engine.store.intake.ingest import ingest
from engine.store.location import StoreLocation, store_location
from engine.store.requests import enqueue
from engine.training.cputime import TASKS

LOOP = "import os\nos.sched_setaffinity(0, {%d})\nwhile True: pass"
COUNTED = (TASKS / str(os.getpid()) / "schedstat").exists()


@pytest.fixture
def location(tmp_path: Path) -> StoreLocation:
    return store_location(tmp_path / "runs.db")


@pytest.fixture
def folder(location: StoreLocation) -> RunFolder:
    (run,) = enqueue(location, [small_spec(epochs=8)])
    with closing(connect_writer(location)) as con:
        save_unsaved(con, location)
        with write(con):
            con.execute("UPDATE runs SET state = 'running'")
    return location.folder(run)


@pytest.fixture
def crowded() -> Iterator[int]:
    """The number of a core that two other processes want for themselves all the time."""
    core = min(os.sched_getaffinity(0))
    busy = [psutil.Popen([sys.executable, "-c", LOOP % core]) for _ in range(2)]
    while not all(process.cpu_affinity() == [core] for process in busy):
        assert all(process.poll() is None for process in busy)
    yield core
    for process in busy:
        process.kill()
        process.wait()


def marks(location: StoreLocation, folder: RunFolder) -> tuple[str, ...]:
    with closing(connect_writer(location)) as con:
        ingest(con, folder, 1)
    with closing(connect_reader(location)) as con:
        (row,) = compare_rows(con)
        assert row["state"] == "done"
        assert (row["EpochCPUTime"] or 0.0) > 0  # type: ignore[operator]
        return of_times(row["marks"])


@pytest.mark.skipif(not COUNTED, reason="this kernel doesn't count what threads wait")
def test_a_starved_worker_is_marked(
    start, location: StoreLocation, folder: RunFolder, crowded: int
) -> None:
    """Of one core three have a third each, whatever else the machine does."""
    assert exit_status(start(folder, cores=frozenset({crowded}))) == 0, folder.log.read_text()
    epochs = [line.fields for line in lines(folder, "epoch")]
    for fields in epochs:
        # One thread computes, so that it can't have had more than the clock shows.
        assert 0 < fields["cpu_seconds"] < fields["train_seconds"] + 0.1
    assert sum(f["cpu_wait_seconds"] for f in epochs) > sum(f["cpu_seconds"] for f in epochs)
    assert lines(folder, "end")[0].fields["speed_cpu_share"] < UNDISTURBED_SHARE
    assert marks(location, folder) == (BUSY,)


def test_what_a_worker_had_is_what_its_mark_is_of(
    start, location: StoreLocation, folder: RunFolder
) -> None:
    assert exit_status(start(folder)) == 0, folder.log.read_text()
    epochs = [line.fields for line in lines(folder, "epoch")]
    had = sum(fields["cpu_seconds"] for fields in epochs)
    waits = [fields["cpu_wait_seconds"] for fields in epochs]
    speed = lines(folder, "end")[0].fields["speed_cpu_share"]
    assert all((wait is not None) == COUNTED for wait in [*waits, speed])
    if not COUNTED:
        assert marks(location, folder) == ()
        return
    least = min(speed, had / (had + sum(waits)))
    assert marks(location, folder) == ((BUSY,) if least < UNDISTURBED_SHARE else ())

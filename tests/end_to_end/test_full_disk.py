"""A disk that fills up under a real run, its store and its supervisor."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from engine.config import load_catalogue
from engine.errors import StoreError
from engine.journal import read_journal
from engine.store import queries, series
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation, store_location
from engine.store.requests import enqueue, request_cancel
from engine.supervisor.start import ensure_supervisor, supervisor_running

SECONDS = 180.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no small file system can be mounted here: that takes root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)


def fill(path: Path) -> None:
    """Take all room there is."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.mark.slow
def test_it_goes_on_where_it_was_once_there_is_room(disk: Path, tmp_path: Path) -> None:
    location = store_location(disk / "lab" / "runs.db")
    settings = {"epochs": 100_000, "patience": 100_000, "dim": 16, "batch_size": 512}
    spec = load_catalogue().run_spec("sasrec", "synthetic", 20, 1, overrides=settings)
    (run,) = enqueue(location, [spec])
    (tmp_path / "settings.yaml").write_text("idle_seconds: 0.5\n")
    ensure_supervisor(location, tmp_path)
    try:
        wait_for(lambda: checkpointed(location, run), "a checkpoint")
        filler = disk / "filler"
        wait_for(lambda: fill(filler) or ended(location, run), "the worker to end")
        before = epochs(location, run)
        filler.unlink()
        wait_for(lambda: epochs(location, run)[-1:] > before[-1:], "new epochs")
        after = epochs(location, run)
        assert after[: len(before)] == before, "what was trained stays"
        assert after == list(range(1, len(after) + 1)), "each epoch once"
        with closing(connect_reader(location)) as connection:
            assert connection.rows("PRAGMA integrity_check")[0][0] == "ok"
            assert len(series.attempts(connection, run)) >= 2
            attempt = series.attempts(connection, run)[0]
        assert attempt["cause"] == "disk-full"
    finally:
        request_cancel(location, [run])
        wait_for(lambda: state(location, run) == "cancelled", "the cancel")
        wait_for(lambda: not supervisor_running(location), "the supervisor to end")


def checkpointed(location: StoreLocation, run: str) -> bool:
    journal = location.folder(run).journal(1)
    return any(line.kind == "checkpoint" for line in read_journal(journal).lines)


def ended(location: StoreLocation, run: str) -> bool:
    """Whether the first worker is gone, whatever the store could take down of it."""
    from engine.files.lock import is_locked

    return not is_locked(location.folder(run).lock)


def epochs(location: StoreLocation, run: str) -> list[int]:
    with suppress(StoreError), closing(connect_reader(location)) as connection:
        return [row["epoch"] for row in series.epochs(connection, run)]
    return []


def state(location: StoreLocation, run: str) -> str:
    with closing(connect_reader(location)) as connection:
        found = queries.get_run(connection, run)
    assert found is not None
    return found.state

"""The real supervisor and workers, with a slot of two processes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from rehearsal import Look, wait_for

from engine.analysis.run.details import run_details
from engine.config import Catalogue
from engine.spec import RunSpec
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.requests import enqueue, request_cancel
from engine.supervisor.launcher import torchrun_command
from engine.supervisor.start import ensure_supervisor, supervisor_running

SETTINGS = "slots: {cpu: 1, processes_per_run: 2}\nidle_seconds: 1\nretries: 1\n"


def test_torchrun_starts_the_worker_that_is_started_alone() -> None:
    started = torchrun_command([sys.executable, "-P", "-m", "engine.worker", "folder"], 2)
    assert started[:4] == [sys.executable, "-P", "-m", "torch.distributed.run"]
    assert started[-6:] == ["2", "-m", "engine.worker", "folder", "--processes", "2"]


@pytest.fixture
def lab(location: StoreLocation, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreLocation]:
    """A store whose processes, all of them, end with the test."""
    monkeypatch.setattr("rehearsal.SECONDS", 120.0)
    yield location
    for pid in processes(location):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def processes(location: StoreLocation) -> list[int]:
    """Whatever was started for this store, but the test itself."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with suppress(OSError):
                if str(location.db.parent).encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


def shaped_like_100k(catalogue: Catalogue, epochs: int) -> RunSpec:
    overrides = {"epochs": epochs, "patience": epochs}
    spec = catalogue.run_spec("sasrec", "synthetic", 50, 42, overrides=overrides)
    source = spec.source.model_dump()
    source["users"], source["items"], source["interactions"] = 943, 1682, 100_000
    source["synthetic"] |= {"min_length": 20, "max_length": 400}
    return RunSpec.model_validate(spec.model_dump() | {"source": source})


@pytest.mark.slow
def test_a_run_of_two_processes_is_done_retried_and_cancelled(
    lab: StoreLocation, catalogue: Catalogue, look: Look, tmp_path: Path
) -> None:
    config = tmp_path / "mine"
    config.mkdir()
    (config / "settings.yaml").write_text(SETTINGS)
    short, long = enqueue(lab, [shaped_like_100k(catalogue, n) for n in (2, 5_000)])
    ensure_supervisor(lab, config)

    wait_for(lambda: look.run(short).state == "done", "the short run to end")
    assert look.epochs(short) == [1, 2]
    assert (look.run(short).device or "").endswith(", 2 processes")
    with closing(connect_reader(lab)) as con:
        details = run_details(con, short)
    assert details is not None
    assert (details.started["processes"], details.started["niceness"]) == (2, 10)

    wait_for(lambda: lab.folder(long).checkpoints(), "a checkpoint")
    worker = look.live(long)
    assert worker.identity is not None
    parent = Path(f"/proc/{worker.identity.pid}/task/{worker.identity.pid}/children")
    os.kill(int(parent.read_text().split()[-1]), signal.SIGKILL)
    wait_for(lambda: look.run(long).attempt == 2, "another attempt")
    wait_for(lambda: (look.run(long).epoch or 0) > look.epochs(long)[0] + 1, "it to go on")
    with closing(connect_reader(lab)) as con:
        details = run_details(con, long)
    assert details is not None
    first, _ = details.attempts
    assert (first["status"], first["cause"]) in (("failed", "killed"), ("lost", "lost"))

    wait_for(lambda: look.live(long).status == "running", "its second start")
    request_cancel(lab, [long])
    wait_for(lambda: look.run(long).state == "cancelled", "the run to be cancelled")
    wait_for(lambda: not supervisor_running(lab), "the supervisor to end")
    wait_for(lambda: not processes(lab), "all processes to end")

"""Workers as real processes, ended with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from resident_process import start_resident, worker_of
from worker_process import Conditions, start_worker

from engine.inbox import WorkerFolder
from engine.runfolder import RunFolder


@pytest.fixture
def start() -> Iterator[Callable[..., BaseProcess]]:
    started: list[BaseProcess] = []

    def run(folder: RunFolder, attempt: int = 1, **conditions: Any) -> BaseProcess:
        arguments = [str(folder.path), "--attempt", str(attempt), "--threads", "1"]
        started.append(start_worker(arguments, folder.log, Conditions(**conditions)))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.join()


@pytest.fixture
def worker(tmp_path: Path) -> WorkerFolder:
    found = worker_of(tmp_path)
    found.path.mkdir(parents=True)
    return found


@pytest.fixture
def reside(worker: WorkerFolder) -> Iterator[Callable[..., BaseProcess]]:
    """Starts the worker, which doesn't outlive the test."""
    started: list[BaseProcess] = []

    def run(*options: str, **conditions: Any) -> BaseProcess:
        started.append(start_resident(worker, *options, **conditions))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.join()

"""Workers as real processes, ended with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from typing import Any

import pytest
from worker_process import Conditions, start_worker

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

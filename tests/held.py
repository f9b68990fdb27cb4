"""A store's queue: held as a supervisor holds the one that it works; supervisors ended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from engine.files.lock import take_lock, write_holder
from engine.store.location import StoreLocation


@contextmanager
def worked_on(location: StoreLocation) -> Iterator[None]:
    """Hold the supervisor's lock, and say who holds it: apps and commands find a supervisor, and
    no training begins. A lock that says nothing would be read again and again, as of one that
    just started."""
    location.runs.mkdir(parents=True, exist_ok=True)
    lock = take_lock(location.supervisor_lock)
    assert lock is not None
    try:
        write_holder(lock, {"pid": os.getpid(), "db": str(location.db.resolve())})
        yield
    finally:
        os.close(lock)


def end_supervisor(pid: int) -> None:
    """Kill a supervisor that this process started, and its workers; it starts none meanwhile."""
    with suppress(psutil.NoSuchProcess):
        supervisor = psutil.Process(pid)
        supervisor.suspend()
        for process in (supervisor, *supervisor.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.kill()

"""What tests of background processes share: waiting, ending what they started, and looking."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from engine.process import is_alive
from engine.store import queries, series, transitions
from engine.store.connect import connect_reader, connect_writer
from engine.store.location import StoreLocation

SECONDS = 120.0
"""Nothing takes a hundredth of it on a machine that has nothing else to do."""
SUPERVISOR = (sys.executable, "-P", str(Path(__file__).with_name("rehearsal_supervisor.py")))


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Poll until it holds, or fail with what was waited for."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def end_processes(location: StoreLocation) -> None:
    """Kill whatever stands in this store's folder or was started for it."""
    marks = (str(location.runs).encode(), str(location.db).encode())
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            command = (entry / "cmdline").read_bytes()
            if b"rehearsal_" in command and any(mark in command for mark in marks):
                os.kill(int(entry.name), signal.SIGKILL)


class Look:
    """What the store says of runs now."""

    def __init__(self, location: StoreLocation) -> None:
        self._location = location

    def run(self, run: str) -> queries.Run:
        with closing(connect_reader(self._location)) as con:
            found = queries.get_run(con, run)
        assert found is not None
        return found

    def states(self) -> list[str]:
        with closing(connect_reader(self._location)) as con:
            return [run.state for run in queries.list_runs(con)][::-1]

    def epochs(self, run: str) -> list[int]:
        with closing(connect_reader(self._location)) as con:
            return [row["epoch"] for row in series.epochs(con, run)]

    def steps(self, run: str) -> list[int]:
        with closing(connect_reader(self._location)) as con:
            return [row[3] for row in series.steps(con, run)]

    def holds(self, run: str) -> bool:
        """Whether a rehearsal waits in epoch 3."""
        found = self.run(run)
        return found.state == "running" and (found.step or 0) == 9

    def stopped(self, run: str) -> bool:
        """Whether its process was stopped (by SIGSTOP), and so writes nothing."""
        identity = self.live(run).identity
        assert identity is not None
        stat = Path(f"/proc/{identity.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

    def live(self, run: str) -> transitions.LiveAttempt:
        with closing(connect_writer(self._location)) as con:
            return next(live for live in transitions.live_attempts(con) if live.run == run)

    def alive(self, live: transitions.LiveAttempt) -> bool:
        assert live.identity is not None
        return is_alive(live.identity)


def go(location: StoreLocation, run: str) -> None:
    """Let a rehearsal that holds go on to its end."""
    (location.folder(run).path / "go").touch()


def kill(look: Look, run: str) -> None:
    """End a run's worker; it does nothing any more once this returns."""
    live = look.live(run)
    assert live.identity is not None
    os.kill(live.identity.pid, signal.SIGKILL)
    wait_for(lambda: not look.alive(live), "the worker to be gone")

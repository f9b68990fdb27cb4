"""What is killed, and how it is found."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from benchmarks.lab import on_terminal
from engine.files.lock import read_holder
from engine.process import is_alive
from engine.store.connect import connect_writer
from engine.store.location import StoreLocation
from engine.store.transitions import live_attempts
from engine.supervisor.start import supervisor_running


@dataclass
class App:
    """The real app on a terminal, whose output is thrown away."""

    location: StoreLocation
    configs: Path
    """For the supervisors that it starts."""
    terminal: ExitStack = field(default_factory=ExitStack)
    pid: int = 0

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "tui.cli", "--db", str(self.location.db)]
        with patch.dict(os.environ, SEQBENCH_CONFIG=str(self.configs)):
            self.pid = self.terminal.enter_context(on_terminal(command)).process.pid

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.terminal.close()


@dataclass(frozen=True)
class Victim:
    """One kill that was done."""

    kind: str
    pid: int
    about: str


def kill_worker(location: StoreLocation, app: App, chance: random.Random) -> Victim | None:  # noqa: ARG001
    with closing(connect_writer(location)) as connection:
        live = [each for each in live_attempts(connection) if each.identity is not None]
    if not live:
        return None
    chosen = chance.choice(live)
    assert chosen.identity is not None
    if not is_alive(chosen.identity):
        return None
    with suppress(ProcessLookupError):
        os.kill(chosen.identity.pid, signal.SIGKILL)
    return Victim("worker", chosen.identity.pid, f"{chosen.run}, attempt {chosen.attempt}")


def kill_supervisor(location: StoreLocation, app: App, chance: random.Random) -> Victim | None:  # noqa: ARG001
    pid = _supervisor(location)
    if pid is None:
        return None
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return Victim("supervisor", pid, "")


def kill_ingest(location: StoreLocation, app: App, chance: random.Random) -> Victim | None:  # noqa: ARG001
    """The supervisor dies by its own hand the next time it takes in a piece of a journal."""
    pid = _supervisor(location)
    order = location.db.with_name("die")
    if pid is None or order.exists():
        return None
    where = chance.choice(["before", "within"])
    order.write_text(where)
    return Victim("ingest", pid, f"{where} the transaction")


def kill_app(location: StoreLocation, app: App, chance: random.Random) -> Victim | None:  # noqa: ARG001
    pid = app.pid
    app.end()
    app.start()
    return Victim("app", pid, "")


KILLS: tuple[Callable[[StoreLocation, App, random.Random], Victim | None], ...] = (
    kill_worker,
    kill_worker,
    kill_supervisor,
    kill_ingest,
    kill_app,
)
"""Each is as likely as it is often here."""


def _supervisor(location: StoreLocation) -> int | None:
    """The pid of the one that holds the lock, once it has said so."""
    if not supervisor_running(location):
        return None
    found = read_holder(location.supervisor_lock)
    return int(found["pid"]) if found else None

"""What is killed, and how it is found."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from engine.lock import read_holder
from engine.process import is_alive
from engine.scheduling.start import supervisor_running
from engine.store.connect import connect_writer
from engine.store.location import StoreLocation
from engine.store.transitions import live_attempts


@dataclass
class App:
    """The real app in a pseudo-terminal whose output is read and thrown away."""

    location: StoreLocation
    configs: Path
    """For the supervisors that it starts."""
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        command = [sys.executable, "-m", "tui.cli", "--db", str(self.location.db)]
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "SEQBENCH_CONFIG": str(self.configs),
        }
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            cwd=self.location.db.parent,
            start_new_session=True,
        )
        os.close(slave)
        threading.Thread(target=_drain, args=(master,), daemon=True).start()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def _drain(master: int) -> None:
    with suppress(OSError):
        while os.read(master, 65_536):
            pass
    os.close(master)


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
    pid = app.process.pid
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

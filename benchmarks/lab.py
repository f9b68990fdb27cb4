"""What a load is measured on: a supervisor with stand-in workers, and the app in a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from benchmarks.standin import SUPERVISOR, pace_file
from engine.errors import TrainingError
from engine.machine.environment import background_environment
from engine.process import is_alive
from engine.store.connect import connect_reader, connect_writer
from engine.store.location import StoreLocation
from engine.store.queries import supervisor_state
from engine.store.transitions import live_attempts
from engine.supervisor.start import ensure_supervisor, supervisor_running

PATIENCE = 120.0
SIZE = (48, 160)
"""Rows and columns of the terminal."""


def wait_for(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Poll until it holds. Raises `TrainingError` with what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TrainingError("error", f"Waited {seconds:.0f} s in vain for {what}.")
        time.sleep(0.05)


def set_pace(location: StoreLocation, pace: str) -> None:
    """Say what the stand-in workers shall do (see `benchmarks.standin`)."""
    aside = pace_file(location).with_suffix(".new")
    aside.write_text(pace)
    aside.replace(pace_file(location))


@contextmanager
def supervised(
    location: StoreLocation, slots: int, command: Sequence[str] = SUPERVISOR
) -> Iterator[psutil.Process]:
    """A supervisor all of whose slots are taken; none of its workers outlives this. They are quiet
    stand-ins, unless ``command`` starts a supervisor with others."""
    set_pace(location, "quiet")
    with tempfile.TemporaryDirectory() as configs:
        (Path(configs) / "settings.yaml").write_text(f"slots: {{cpu: {slots}}}\n")
        with working(location, Path(configs), command) as supervisor:
            wait_for(lambda: reporting(location) == slots, f"{slots} workers")
            yield supervisor


@contextmanager
def working(
    location: StoreLocation, configs: Path, command: Sequence[str]
) -> Iterator[psutil.Process]:
    """A supervisor, which ends with this, and its workers on this machine with it."""
    began = time.time()
    # Stand-ins need no GPU, and slots on GPUs are counted otherwise.
    with patch.dict(os.environ, CUDA_VISIBLE_DEVICES=""):
        ensure_supervisor(location, configs, command)
    try:
        wait_for(lambda: (_supervisor(location) or (0, 0.0))[1] > began, "the supervisor")
        found = _supervisor(location)
        assert found is not None
        yield psutil.Process(found[0])
    finally:
        end(location)


def reporting(location: StoreLocation) -> int:
    """How many living attempts have begun to report."""
    with closing(connect_writer(location)) as con:
        return sum(
            attempt.status == "running"
            and attempt.identity is not None
            and is_alive(attempt.identity)
            for attempt in live_attempts(con)
        )


def _supervisor(location: StoreLocation) -> tuple[int, float] | None:
    """Its process number and when it last said that it lives."""
    with closing(connect_reader(location)) as con:
        state = supervisor_state(con)
    return None if state is None else (state.pid, state.heartbeat)


def end(location: StoreLocation) -> None:
    """End the supervisor, then its workers, and wait until they are gone."""
    if (found := _supervisor(location)) is not None and supervisor_running(location):
        with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            process = psutil.Process(found[0])
            process.terminate()
            process.wait(30)
    with closing(connect_writer(location)) as con:
        workers = [attempt.identity for attempt in live_attempts(con) if attempt.identity]
    for worker in workers:
        if is_alive(worker):
            os.kill(worker.pid, signal.SIGTERM)
    wait_for(lambda: not any(map(is_alive, workers)), "the workers' end")


@dataclass
class Terminal:
    """A program on a terminal of its own; what it writes is counted and passed over."""

    process: psutil.Process
    started: float
    """Wall time of its start."""
    _master: int
    received: int = 0
    first: float | None = None
    """Wall time of the first output."""

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())


@contextmanager
def on_terminal(command: Sequence[str]) -> Iterator[Terminal]:
    """Run a program on a terminal; it is ended with this."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    environment = background_environment() | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # installed programs are compiled
    started = time.time()
    child = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    terminal = Terminal(psutil.Process(child.pid), started, master)
    reader = threading.Thread(target=_drain, args=(terminal, master), daemon=True)
    reader.start()
    try:
        yield terminal
    finally:
        child.terminate()
        child.wait(30)
        reader.join(30)
        os.close(master)


def _drain(terminal: Terminal, master: int) -> None:
    with suppress(OSError):  # that is how a terminal says that its program is gone
        while data := os.read(master, 65_536):
            terminal.first = terminal.first or time.time()
            terminal.received += len(data)


@contextmanager
def watched_app(location: StoreLocation, marks: Path) -> Iterator[Terminal]:
    """The app on a terminal, writing its marks anew (see `benchmarks.watchedapp`)."""
    with _marking("benchmarks.watchedapp", marks, "--db", str(location.db)) as terminal:
        yield terminal


@contextmanager
def empty_app(marks: Path) -> Iterator[Terminal]:
    """An empty app on a terminal, writing its mark anew (see `benchmarks.emptyapp`)."""
    with _marking("benchmarks.emptyapp", marks) as terminal:
        yield terminal


@contextmanager
def _marking(module: str, marks: Path, *options: str) -> Iterator[Terminal]:
    marks.unlink(missing_ok=True)
    command = [sys.executable, "-P", "-m", module, "--marks", str(marks), *options]
    with on_terminal(command) as terminal:
        yield terminal


def read_marks(path: Path) -> list[Mapping[str, Any]]:
    """The app's marks so far, whole lines only."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(True) if line.endswith("\n")]


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time, without that of children."""
    times = process.cpu_times()
    return float(times.user + times.system)


def cpu_share(process: psutil.Process, seconds: float) -> float:
    """The share of one core that a process uses for the next so many seconds."""
    began, used = time.monotonic(), cpu_seconds(process)
    time.sleep(seconds)
    return (cpu_seconds(process) - used) / (time.monotonic() - began)


def memory_mib(process: psutil.Process) -> float:
    """Resident memory."""
    return float(process.memory_info().rss / 2**20)

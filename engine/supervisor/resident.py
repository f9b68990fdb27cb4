"""The launcher of this machine's runs: a resident worker for each device, or each slot of the CPU,
takes one run after another (`engine.inbox`). A run of several processes has its own."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.files.lock import is_locked
from engine.inbox import Assignment, WorkerFolder, safe_name, worker_folder
from engine.machine.environment import background_environment, thread_environment
from engine.machine.slots import Slot
from engine.process import ProcessIdentity, identify
from engine.runfolder import RunFolder
from engine.store.jobs import JobFacts
from engine.store.transitions import LiveAttempt
from engine.supervisor.launcher import (
    NO_ROOM_LEFT,
    SILENCE_SECONDS,
    Ending,
    HowToStop,
    Joins,
    LocalLauncher,
    vanished,
)
from engine.supervisor.logs import copy_end
from engine.supervisor.sessions import Sessions, signal_session

# -P: a folder called `engine` in the working folder is not this package.
RESIDENT = (sys.executable, "-P", "-m", "engine.worker.resident")

MOST_AT_ONCE = 64
"""Runs that a worker of a GPU takes at the same time; the slots are fewer."""

MOST_STARTS = 4
"""Workers that are started for an attempt that none of them begins."""

Key = tuple[str, int]
"""A run's id and an attempt's number."""


@dataclass
class ResidentLauncher:
    """Hands attempts to resident workers, which it starts when they are needed."""

    niceness: int = 0
    """That of every process, 0 to 19."""
    command: Sequence[str] = RESIDENT
    """The start of a resident worker's command line; its folder and options follow."""
    own: LocalLauncher | None = None
    """For runs of several processes, and attempts that have a process of their own."""
    host: str = field(default_factory=socket.gethostname)
    _workers: dict[WorkerFolder, subprocess.Popen[bytes]] = field(default_factory=dict)
    """The newest process that was started here for a folder."""
    _replaced: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """Those before that are just ending."""
    _children: dict[Key, subprocess.Popen[bytes]] = field(default_factory=dict)
    """That of an attempt, if it was started here."""
    _starts: dict[Key, int] = field(default_factory=dict)
    """How many workers were started for an attempt."""

    def __post_init__(self) -> None:
        self._sessions = Sessions(self.niceness)
        self._own = self.own or LocalLauncher(niceness=self.niceness)

    def worker(self, slot: Slot) -> str | None:
        if slot.processes > 1:
            return None
        return safe_name(slot.name if slot.visible is None else slot.visible)

    def start(self, folder: RunFolder, attempt: int, slot: Slot) -> ProcessIdentity | None:
        name = self.worker(slot)
        if name is None:
            return self._own.start(folder, attempt, slot)
        worker, key = _worker(folder, name), (folder.run_id, attempt)
        assignment = Assignment(str(folder.path), attempt, slot.device, slot.threads, slot.visible)
        ending = worker.hand_over(assignment)
        try:
            if ending or not self._lives(worker):
                return self._start_worker(worker, assignment)
        except OSError:
            worker.take_back(*key)
            raise
        if (child := self._workers.get(worker)) is not None:
            self._children[key] = child
        return worker.worker()

    def alive(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        if attempt.worker is None:
            return self._own.alive(folder, attempt)
        if attempt.host not in (None, self.host) and attempt.last_growth is not None:
            return time.time() - attempt.last_growth < SILENCE_SECONDS
        key = (attempt.run, attempt.attempt)
        worker = _worker(folder, attempt.worker)
        if worker.has(*key):
            if self._lives(worker):
                return True
            if self._may_still_begin(folder, attempt):
                assignment = worker.assignment(*key)
                if assignment is not None:
                    self._start_worker(worker, assignment)
                    return True
            # In this order: a worker that looks for it later doesn't begin it.
            worker.take_back(*key)
        return is_locked(folder.lock)

    def stop(self, folder: RunFolder, attempt: LiveAttempt, how: HowToStop) -> bool:
        if attempt.worker is None:
            return self._own.stop(folder, attempt, how)
        worker = _worker(folder, attempt.worker)
        if how != "ask":
            number = signal.SIGKILL if how == "kill" else signal.SIGTERM
            return signal_session(worker.worker(), number)
        if not folder.journal(attempt.attempt).exists():
            worker.take_back(attempt.run, attempt.attempt)
        # The rest is said by the file `cancel`, at which the worker looks.
        return self._lives(worker)

    def may_be_silent(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        """Whether it waits for the runs before it that the worker trains."""
        if attempt.worker is None or folder.journal(attempt.attempt).exists():
            return False
        worker = _worker(folder, attempt.worker)
        try:
            inside = worker.assignments()
        except FileNotFoundError:
            return False
        return any(each.run.journal(each.attempt).exists() for each in inside)

    def ending(self, folder: RunFolder, attempt: LiveAttempt) -> Ending:
        if attempt.worker is None:
            return self._own.ending(folder, attempt)
        key = (attempt.run, attempt.attempt)
        worker = _worker(folder, attempt.worker)
        self._starts.pop(key, None)
        child = self._children.pop(key, None)
        if worker.ended_without_room(*key):
            return NO_ROOM_LEFT
        if not folder.journal(attempt.attempt).exists():
            copy_end(worker.log, folder.log)
        return vanished(folder, None if child is None else child.poll())

    def place(self, joins: Joins) -> None:
        pass

    def job(self, folder: RunFolder, attempt: LiveAttempt) -> JobFacts | None:  # noqa: ARG002
        return None

    def _lives(self, worker: WorkerFolder) -> bool:
        """Whether a process serves a worker's folder, or was just started to."""
        return self._sessions.runs(self._workers.get(worker)) or worker.is_served()

    def _may_still_begin(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        """Whether another worker is to be started for an attempt whose worker is gone: it ended
        just before the attempt was handed to it, or was killed before it took it."""
        return (
            folder.newest_attempt() < attempt.attempt
            and not folder.cancel.exists()
            and self._starts.get((attempt.run, attempt.attempt), 0) < MOST_STARTS
        )

    def _start_worker(self, worker: WorkerFolder, assignment: Assignment) -> ProcessIdentity | None:
        """Start a process that serves a worker's folder, first for this assignment.

        Raises:
            OSError: it can't be started.
        """
        environment = {
            **background_environment(),
            **thread_environment(assignment.threads),
            "PYTHONUNBUFFERED": "1",
        }
        if assignment.visible is not None:
            environment["CUDA_VISIBLE_DEVICES"] = assignment.visible
        at_once = 1 if assignment.visible is None else MOST_AT_ONCE
        command = [
            *(*self.command, str(worker.path)),
            *("--threads", str(assignment.threads)),
            *("--at-once", str(at_once)),
        ]
        child = self._sessions.start(command, worker.log, worker.path, environment)
        key = (assignment.run.run_id, assignment.attempt)
        replaced = [*self._replaced, *filter(None, [self._workers.get(worker)])]
        self._replaced = [each for each in replaced if each.poll() is None]
        self._workers[worker] = self._children[key] = child
        self._starts[key] = self._starts.get(key, 0) + 1
        return identify(child.pid)


def _worker(run: RunFolder, name: str) -> WorkerFolder:
    return worker_folder(run.path.parent, name)

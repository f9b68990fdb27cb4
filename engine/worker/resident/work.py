"""The loop of a resident worker: it takes assignments out of its inbox, each into a thread of its
own, and passes on what is asked of their runs."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass, field

from engine.inbox import Assignment, WorkerFolder
from engine.journal import NO_ROOM
from engine.supervisor.stop import Stop
from engine.worker.claim import NothingToDo, claim
from engine.worker.resident.fitness import Fitness
from engine.worker.resident.output import all_output_to

Train = Callable[..., int]
"""Trains an attempt as `engine.worker.attempt.run_attempt`, which isn't imported here: it takes
seconds."""

LOOK_SECONDS = 0.05
"""Pause between two looks at the inbox, and at what is asked of the runs."""

LOCK_SECONDS = 1.0
"""To wait for an earlier worker of a run to end."""


@dataclass
class _Inside:
    """A run that the worker trains."""

    assignment: Assignment
    stopped: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def is_over(self) -> bool:
        return self.thread is not None and not self.thread.is_alive()


class Resident:
    """A worker that takes runs one after another.

    Args:
        folder: its folder, whose lock this process holds.
        fitness: of this process.
        idle_seconds: how long to wait for runs before it ends.
        stop: set once the process is asked to end.
        train: trains each attempt.
    """

    def __init__(
        self,
        folder: WorkerFolder,
        fitness: Fitness,
        idle_seconds: float,
        stop: Stop,
        train: Train,
    ) -> None:
        self._folder = folder
        self._fitness = fitness
        self._idle_seconds = idle_seconds
        self._stop = stop
        self._run_attempt = train
        self._inside: dict[str, _Inside] = {}

    def work(self) -> Assignment | None:
        """Take runs until none has come for a while, or the process is asked to end.

        Returns:
            An assignment that needs a new process, with none inside; ``None`` if there is nothing
            more to do.
        """
        busy = time.monotonic()
        while True:
            for name in [name for name, each in self._inside.items() if each.is_over]:
                del self._inside[name]
                busy = time.monotonic()
            stopping = self._stop.is_set()
            for each in self._inside.values():
                if stopping or each.assignment.run.cancel.exists():
                    each.stopped.set()
            if stopping and not self._inside:
                return None
            if not stopping and not self._inside:
                try:
                    waiting = self._folder.assignments()
                except FileNotFoundError:
                    return None  # the store's folder was removed
                if waiting:
                    first = waiting[0]
                    if not self._fitness.fits(first) or self._fitness.is_worn():
                        return first
                    self._begin(first)
                    continue
                if time.monotonic() - busy >= self._idle_seconds and self._folder.close():
                    return None
            if stopping:  # then `Stop.wait` wouldn't
                time.sleep(LOOK_SECONDS)
            else:
                self._stop.wait(LOOK_SECONDS)

    def _begin(self, assignment: Assignment) -> None:
        self._fitness.trains(assignment)
        inside = _Inside(assignment)
        inside.thread = threading.Thread(
            target=self._train, args=(assignment, inside.stopped), name=assignment.name
        )
        self._inside[assignment.name] = inside
        inside.thread.start()

    def _train(self, assignment: Assignment, stopped: threading.Event) -> None:
        """Train a run, and leave its folder before its assignment is removed."""
        folder, run = self._folder, assignment.run
        status = 0
        try:
            with all_output_to(run.log), chdir(run.path):
                status = self._attempt(assignment, stopped)
        except BaseException:  # noqa: BLE001 -- of this run only
            traceback.print_exc()
        if status == NO_ROOM:
            folder.end_without_room(run.run_id, assignment.attempt)
        else:
            folder.take_back(run.run_id, assignment.attempt)

    def _attempt(self, assignment: Assignment, stopped: threading.Event) -> int:
        run, attempt = assignment.run, assignment.attempt
        try:
            lock = claim(run, attempt, LOCK_SECONDS)
        except NothingToDo as why:
            sys.stderr.write(f"{why}\n")
            return 0
        try:
            # Only now: whoever took it back may have seen the lock free before.
            if not self._folder.has(run.run_id, attempt):
                return 0
            return self._run_attempt(
                run,
                attempt,
                assignment.device,
                assignment.threads,
                stopped.is_set,
                worker=self._folder.path.name,
            )
        except BaseException:  # noqa: BLE001 -- a model's file may even call `sys.exit`
            traceback.print_exc()
            return 1
        finally:
            os.close(lock)

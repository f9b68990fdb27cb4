"""The loop of a resident worker: it takes assignments out of its inbox, each into a thread of its
own, and passes on what is asked of their runs."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from engine.inbox import Assignment, WorkerFolder, ring
from engine.journal import NO_ROOM
from engine.supervisor.stop import Stop
from engine.worker.claim import NothingToDo, claim
from engine.worker.resident.fitness import Fitness
from engine.worker.resident.output import all_output, output_by_thread
from engine.worker.resident.pace import Pace

Train = Callable[..., int]
"""Trains an attempt as `engine.worker.attempt.run_attempt`, which isn't imported here: it takes
seconds."""


class SharedState(Protocol):
    """What the attempts share, as `engine.worker.shared.Shared`."""

    broken: bool
    """Whether no further run can be trained in this process."""

    def room_mib(self) -> float | None:
        """Return the GPU's memory in MiB that this process's runs can have together; ``None`` if it
        isn't known."""


LOOK_SECONDS = 0.05
"""Pause between two looks at the inbox, and at what is asked of the runs."""

LOCK_SECONDS = 1.0
"""To wait for an earlier worker of a run to end."""

LOCK_SECONDS_ELSEWHERE = 60.0
"""The same where that one may be on another node, on which it ends by itself once it sees that its
time is over."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How many runs a worker takes, and for how long."""

    at_once: int = 1
    """The most runs at the same time."""
    idle_seconds: float = 5.0
    """How long to wait for runs before it ends."""
    most_runs: int | None = None
    """The most runs in all; ``None`` is no limit."""
    pilot: bool = False
    """Whether it is a job of a cluster, which says when it begins no more runs."""


@dataclass
class _Inside:
    """A run that the worker trains."""

    assignment: Assignment
    stopped: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    updates: int = 0
    """How often it asked whether to stop: before every update."""

    def asked_to_stop(self) -> bool:
        """Whether it is to end; asked before every update."""
        self.updates += 1
        return self.stopped.is_set()

    @property
    def is_over(self) -> bool:
        return self.thread is not None and not self.thread.is_alive()


class Resident:
    """A worker that takes runs one after another, or several at once.

    Args:
        folder: its folder, whose lock this process holds.
        fitness: of this process.
        terms: how many runs it takes, and for how long.
        stop: set once the process is asked to end.
        train: trains each attempt.
        shared: what the attempts share.
    """

    def __init__(
        self,
        folder: WorkerFolder,
        fitness: Fitness,
        terms: Terms,
        stop: Stop,
        train: Train,
        shared: SharedState,
    ) -> None:
        self._folder = folder
        self._fitness = fitness
        self._terms = terms
        self._stop = stop
        self._run_attempt = train
        self._shared = shared
        self._output = all_output if terms.at_once == 1 else output_by_thread()
        self._pace = Pace(folder, terms.at_once, shared.room_mib) if terms.at_once > 1 else None
        self._inside: dict[str, _Inside] = {}
        self._is_closing = False
        self.begun = 0
        """How many runs it has begun."""

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
            if self._has_had_enough() and not self._inside:
                return None
            if self._stop.is_set():
                self._begin_no_more()
                if not self._inside:
                    return None
                self._pass_on(stopping=True)
                time.sleep(LOOK_SECONDS)  # `Stop.wait` wouldn't any more
                continue
            unfit = None
            try:
                self._pass_on(stopping=False)
                unfit = self._take()
            except FileNotFoundError:  # the store's folder was removed
                if not self._inside:
                    return None
            except OSError:  # as of a shared folder that is away for a moment
                pass
            if unfit is not None and not self._inside:
                return unfit
            if self._pace is not None:
                self._pace.look({name: each.updates for name, each in self._inside.items()})
            idle = not self._inside and time.monotonic() - busy >= self._terms.idle_seconds
            if idle and self._folder.close():
                return None
            self._stop.wait(LOOK_SECONDS)

    def _pass_on(self, *, stopping: bool) -> None:
        """Tell the runs to stop that are to be cancelled, or all."""
        for each in self._inside.values():
            if stopping or each.assignment.run.cancel.exists():
                each.stopped.set()

    def _take(self) -> Assignment | None:
        """Begin the runs that wait, as many as there may be at once.

        Returns:
            One that this process isn't fit for, which those after it wait for, too.

        Raises:
            FileNotFoundError: there is no inbox.
            OSError: it can't be read.
        """
        for assignment in self._folder.assignments():
            if assignment.name in self._inside:
                continue
            if self._has_had_enough() or len(self._inside) >= self._terms.at_once:
                return None
            worn = not self._inside and self._fitness.is_worn()
            if worn or self._shared.broken or not self._fitness.fits(assignment):
                return assignment
            self._begin(assignment)
        return None

    def _begin(self, assignment: Assignment) -> None:
        self._fitness.trains(assignment)
        inside = _Inside(assignment)
        inside.thread = threading.Thread(target=self._train, args=(inside,), name=assignment.name)
        try:
            inside.thread.start()
        except RuntimeError:  # the machine has no room for one more: the next look tries again
            return
        self._inside[assignment.name] = inside
        self.begun += 1
        if self._has_had_enough():
            self._begin_no_more()

    def _has_had_enough(self) -> bool:
        return self._terms.most_runs is not None and self.begun >= self._terms.most_runs

    def _begin_no_more(self) -> None:
        """Say that no more runs are begun. What is in the inbox stays there, as not begun."""
        if self._terms.pilot and not self._is_closing:
            self._is_closing = True
            with suppress(OSError):  # a full disk, or the folder was removed
                self._folder.closing.touch()

    def _train(self, inside: _Inside) -> None:
        """Train a run, and leave its folder before its assignment is removed."""
        assignment = inside.assignment
        folder, run = self._folder, assignment.run
        status = 0
        try:
            with self._output(run):
                status = self._attempt(inside)
        except BaseException:  # noqa: BLE001 -- of this run only
            traceback.print_exc()
        if status == NO_ROOM:
            folder.end_without_room(run.run_id, assignment.attempt)
        else:
            folder.take_back(run.run_id, assignment.attempt)
        ring(folder)

    def _attempt(self, inside: _Inside) -> int:
        assignment = inside.assignment
        run, attempt = assignment.run, assignment.attempt
        try:
            lock = claim(
                run, attempt, LOCK_SECONDS_ELSEWHERE if self._terms.pilot else LOCK_SECONDS
            )
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
                inside.asked_to_stop,
                shared=self._shared,
            )
        except BaseException:  # noqa: BLE001 -- a model's file may even call `sys.exit`
            traceback.print_exc()
            return 1
        finally:
            os.close(lock)

"""The rounds of the supervisor: do what users request, read the workers' journals into the store,
settle attempts that ended, start queued runs. Decisions are committed before they are acted on."""

from __future__ import annotations

import logging
import shutil
import socket
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Literal

from engine.config import Settings
from engine.errors import RunError, StoreError
from engine.inbox import worker_folder
from engine.machine.slots import Slot
from engine.runfolder import RunFolder
from engine.store import transitions
from engine.store.database import StoreConnection, StoreReplacedError, write
from engine.store.intake.code import allow_code
from engine.store.intake.folders import save_folder, save_unsaved
from engine.store.intake.ingest import ingest
from engine.store.jobs import JobFacts, record_job
from engine.store.location import StoreLocation
from engine.store.studies import Stand
from engine.store.transitions import LiveAttempt
from engine.supervisor.launcher import SCARCE, Ending, Launcher, Pool
from engine.supervisor.memory import MemoryRoom
from engine.supervisor.requests import answer
from engine.supervisor.settling import settle
from engine.supervisor.sharing import Company, Sharing, free_slots
from engine.supervisor.studies import go_on, supply

CANCEL_SECONDS = 10.0
"""Time between asking a run to end and killing its process, if that trains no other."""
LINGER_SECONDS = 30.0
"""Most time that a process may live after the end of its journal."""
SILENT_SECONDS = 120.0
"""Seconds without growth of its journal, which has a heartbeat every 5 s, after which a process
counts as hung."""
LEAST_ROOM = 200_000_000
"""Free bytes (at most a twentieth of the disk) without which no run is started after one found the
disk full."""
DYING_SECONDS = 60.0
"""The time within which several runs must die of one cause, each as soon after its start, for the
queue to pause."""
SAVE_SECONDS = 0.2
"""Most time of a round for writing run folders: thousands of runs that are queued at once must not
keep journals from being read."""
START_SECONDS = 1.0
"""Most time of a round for starting runs, for the same reason."""
REQUESTS_SECONDS = 1.0
"""Most time of a round for requests, for the same reason: a deletion takes several milliseconds."""

log = logging.getLogger("seqbench")


@dataclass
class _Watch:
    """What one supervisor remembers of a live attempt. Times are monotonic, so that the time in
    which the machine slept doesn't count."""

    grown: float = field(default_factory=time.monotonic)
    """When the journal was last seen to grow."""
    asked: float | None = None
    """When the attempt was asked to end; the next supervisor asks again."""
    hung: bool = False
    """Whether it was killed because its journal didn't grow."""
    job: JobFacts | None = None
    """The facts of its job that the store has."""


@dataclass
class Queue:
    """The queue of one store, worked on the slots of every launcher by its supervisor."""

    location: StoreLocation
    settings: Settings
    pools: Mapping[str | None, Pool]
    """The pools by the launcher's name; ``None`` is this machine."""
    host: str = field(default_factory=socket.gethostname)
    cancel_seconds: float = CANCEL_SECONDS
    silent_seconds: float = SILENT_SECONDS
    least_room: int = LEAST_ROOM
    memory: MemoryRoom = field(default_factory=MemoryRoom)
    sharing: Sharing = field(init=False)
    _watched: defaultdict[tuple[str, int], _Watch] = field(
        default_factory=lambda: defaultdict(_Watch)
    )
    """Memories of live attempts, by run and attempt's number."""
    _exhausted: dict[str, Stand] = field(default_factory=dict)
    """Studies that had no trial to queue, as they stood then."""
    _reported: set[str] = field(default_factory=set)
    """Problems of the last round, which aren't logged again."""

    def __post_init__(self) -> None:
        self.sharing = Sharing(self.settings.slots.gpu == "auto", self.memory)

    def tick(self, connection: StoreConnection) -> None:
        """Work one round.

        Raises:
            StoreError: the store couldn't be read or written; the next round continues.
        """
        deadline = time.monotonic() + REQUESTS_SECONDS
        for request in transitions.requests(connection):
            answer(connection, self.location, request)
            if time.monotonic() > deadline:
                break
        problems: set[str] = set()
        for attempt in transitions.live_attempts(connection):
            try:
                self._follow(connection, attempt)
            # A folder that can't be read must not hold up the others.
            except OSError as error:
                problems.add(f"{attempt.run}: its folder can't be read: {error.strerror}.")
            except RunError as error:
                problems.add(str(error))
        try:
            if not self._paused(connection):
                problems |= go_on(connection, self.location, self.pools)
                problems |= self._start_queued(connection)
        except OSError as error:
            problems.add(f"No run can be started at the moment: {error.strerror}.")
        for pool in self.pools.values():
            pool.launcher.place(partial(self.sharing.may_join, connection))
        problems |= save_unsaved(connection, self.location, SAVE_SECONDS)
        for problem in problems - self._reported:
            log.warning("%s", problem)
        self._reported = problems

    def adopt(self, connection: StoreConnection) -> None:
        """Adopt the live attempts of an earlier supervisor; to be called before the first round."""
        self._watched.clear()
        for attempt in transitions.live_attempts(connection):
            if attempt.status != "starting" or attempt.identity is not None:
                continue
            with suppress(RunError):
                folder = self.location.folder(attempt.run)
                begun = folder.journal(attempt.attempt).exists()
                if begun or self._launcher(attempt).alive(folder, attempt):
                    continue
            # The supervisor was killed between the commit and the start of the process, or just
            # after: then that process and the attempt's next one settle it by the run's lock.
            with write(connection):
                transitions.undo_attempt(connection, attempt.run, attempt.attempt)

    def _follow(self, connection: StoreConnection, attempt: LiveAttempt) -> None:
        """Read a live attempt's journal into the store, and settle the attempt if its process is
        gone.

        Raises:
            OSError: its folder can't be read; the next round tries again.
        """
        folder, launcher = self.location.folder(attempt.run), self._launcher(attempt)
        # Before the journal is read, so that all that a process wrote before it ended is read.
        alive = launcher.alive(folder, attempt)
        self._note_job(connection, attempt, launcher.job(folder, attempt))
        if alive:
            self._stop_if_due(connection, folder, attempt)
        grown = 0
        try:
            grown = ingest(connection, folder, attempt.attempt)
        except OSError as error:
            if alive:
                raise
            log.warning("%s: its journal can't be read: %s", attempt.run, error.strerror)
        if alive:
            self._kill_if_silent(folder, attempt, grown)
            return
        with write(connection):
            ending = self._ending(folder, attempt)
            status, cause = settle(connection, attempt, ending, self.settings.retries)
            log.info("%s: attempt %d ended %s", attempt.run, attempt.attempt, status)
            if status in ("failed", "lost"):
                self._pause_if_due(connection, cause)
        self._watched.pop((attempt.run, attempt.attempt), None)

    def _watch(self, attempt: LiveAttempt) -> _Watch:
        return self._watched[attempt.run, attempt.attempt]

    def _launcher(self, attempt: LiveAttempt) -> Launcher:
        """Return an attempt's launcher. If that is no longer configured, it is this machine's, so
        that only the journal says how the attempt ends."""
        return self.pools.get(attempt.launcher, self.pools[None]).launcher

    def _note_job(
        self, connection: StoreConnection, attempt: LiveAttempt, job: JobFacts | None
    ) -> None:
        """Write what a cluster says of an attempt's job into the store, if it has changed."""
        watch = self._watch(attempt)
        if job is not None and job != watch.job:
            with write(connection):
                record_job(connection, attempt.run, attempt.attempt, job)
            watch.job = job

    def _kill_if_silent(self, folder: RunFolder, attempt: LiveAttempt, grown: int) -> None:
        """Kill an attempt whose journal hasn't grown for too long.

        Args:
            grown: lines that its journal grew by in this round.
        """
        watch, launcher = self._watch(attempt), self._launcher(attempt)
        now = time.monotonic()
        if grown or launcher.may_be_silent(folder, attempt):
            watch.grown = now
        elif now - watch.grown > self.silent_seconds:
            log.warning("%s: attempt %d gives no sign of life", attempt.run, attempt.attempt)
            watch.hung = True
            launcher.stop(folder, attempt, "kill")

    def _stop_if_due(
        self, connection: StoreConnection, folder: RunFolder, attempt: LiveAttempt
    ) -> None:
        """Ask a cancelled attempt to end, and end the process of one that doesn't, or that has
        outlived its journal."""
        watch, now = self._watch(attempt), time.monotonic()
        if attempt.ended is not None:
            overdue = time.time() - attempt.ended - LINGER_SECONDS
        elif watch.asked is not None:
            overdue = now - watch.asked - self.cancel_seconds
        else:
            if folder.cancel.exists() and self._launcher(attempt).stop(folder, attempt, "ask"):
                watch.asked = now
            return
        if overdue > 0 and (how := self._way_to_end(connection, attempt, overdue)) is not None:
            self._launcher(attempt).stop(folder, attempt, how)

    def _way_to_end(
        self, connection: StoreConnection, attempt: LiveAttempt, overdue: float
    ) -> Literal["end", "kill"] | None:
        """Return how to end the process of an attempt that should have ended so many seconds ago;
        ``None`` to wait. Others that it trains would have to be resumed, so it is given as long as
        one that gives no sign of life, and then asked to end, which they do at once."""
        beside = transitions.beside(connection, attempt.run, attempt.attempt)
        if all(self.location.folder(run).cancel.exists() for run in beside):
            return "kill"
        if overdue <= self.silent_seconds:
            return None
        return "end" if overdue <= 2 * self.silent_seconds else "kill"

    def _ending(self, folder: RunFolder, attempt: LiveAttempt) -> Ending:
        """Return how an attempt ended if its journal doesn't say."""
        ending = self._launcher(attempt).ending(folder, attempt)
        if folder.cancel.exists():
            return Ending("cancelled", "cancelled", "Cancelled.")
        if self._watch(attempt).hung:
            silent = f"{self.silent_seconds:g} s"
            message = f"It gave no sign of life for {silent}, so its process was ended."
            return Ending("lost", "hung", message)
        return ending

    def _pause_if_due(self, connection: StoreConnection, cause: str) -> None:
        """Pause the queue after a death by a cause that the next runs will meet too."""
        if cause == "disk-full":
            if not self._has_room():
                free = "The disk is full: nothing is started before there is room again."
                transitions.hold(connection, cause, free)
            return
        limit = 0 if cause == transitions.SHARED else self.settings.pause_after
        died = transitions.dying(connection, cause, DYING_SECONDS, DYING_SECONDS) if limit else []
        if len(died) >= limit > 0:
            message = (
                f"{len(died)} runs died of the same cause ({cause}) within {DYING_SECONDS:g} s, "
                f"{died[-1]} last: put it right first."
            )
            transitions.hold(connection, cause, message)
            log.warning("%s", message)

    def _paused(self, connection: StoreConnection) -> bool:
        """Whether the queue is paused. A pause for a full disk ends once there is room."""
        held = transitions.held(connection)
        if held is None or held.cause != "disk-full" or not self._has_room():
            return held is not None
        with write(connection):
            transitions.release(connection)
        log.info("there is room on the disk again")
        return False

    def _has_room(self) -> bool:
        disk = shutil.disk_usage(self.location.runs)
        return disk.free >= min(self.least_room, disk.total // 20)

    def _start_queued(self, connection: StoreConnection) -> set[str]:
        """Start the next runs of the queue in free slots; return why one has to wait, if any.

        Raises:
            OSError: the machine lacks something to start a run, which keeps its place in the queue.
        """
        self._fail_unknown(connection)
        self._fail_in_vain(connection)
        live = transitions.live_attempts(connection)
        deadline = time.monotonic() + START_SECONDS
        waiting: set[str] = set()
        for name, pool in self.pools.items():
            free = free_slots(live, name, pool)
            training = [attempt.run for attempt in live if attempt.launcher == name]
            company = self._company(live, name, pool)
            while free:
                if transitions.next_queued(connection, name) is None:
                    waiting |= supply(connection, self.location, name, self._exhausted)
                with write(connection):
                    run = transitions.next_queued(connection, name)
                    if run is None:
                        break
                    slot = self.sharing.slot(connection, run, free, company)
                    if slot is None:
                        break
                    if name is None and slot.device == "cpu":
                        short = self.memory.shortage(connection, run, slot, training)
                        if short is not None:
                            waiting.add(short)
                            break
                    # An earlier attempt's request would cancel this one.
                    with suppress(OSError, RunError):
                        self.location.folder(run).cancel.unlink(missing_ok=True)
                    worker = company.names[slot.name]
                    number = transitions.begin_attempt(
                        connection, run, slot.name, self.host, worker
                    )
                if self._launch(connection, run, number, slot, pool.launcher):
                    free.remove(slot)
                    training.append(run)
                    if worker is not None:
                        company.inside[worker].append(run)
                elif transitions.held(connection) is not None:
                    return waiting
                if time.monotonic() > deadline:
                    return waiting
        return waiting

    def _company(self, live: Sequence[LiveAttempt], name: str | None, pool: Pool) -> Company:
        """Return what is known of the resident workers of a launcher."""
        names = {slot.name: pool.launcher.worker(slot) for slot in pool.slots}
        company = Company(
            names,
            {worker: slot.title for slot in pool.slots if (worker := names[slot.name]) is not None},
            cache(lambda worker: worker_folder(self.location.runs, worker).read_state()),
        )
        for attempt in live:
            if attempt.launcher == name and attempt.worker is not None:
                company.inside[attempt.worker].append(attempt.run)
        return company

    def _fail_unknown(self, connection: StoreConnection) -> None:
        """Fail queued runs whose launcher isn't configured."""
        known = [name for name in self.pools if name is not None]
        for run, name in transitions.queued_elsewhere(connection, known):
            message = (
                f"There is no launcher {name!r} any more: put {name}.yaml back into "
                "configs/launchers, then retry the run."
            )
            with write(connection):
                transitions.fail_queued(connection, run, "launch", message)
            log.warning("%s: %s", run, message)

    def _fail_in_vain(self, connection: StoreConnection) -> None:
        """Fail queued runs that refit one which won't be done."""
        for run, first, state in transitions.queued_in_vain(connection):
            was = "was deleted" if state == "deleted" else f"is {state}"
            again = "" if state == "deleted" else f": retry {first}, then this run"
            with write(connection):
                message = f"It refits {first}, which {was}{again}."
                transitions.fail_queued(connection, run, "launch", message)
            log.warning("%s: %s", run, message)

    def _launch(
        self, connection: StoreConnection, run: str, number: int, slot: Slot, launcher: Launcher
    ) -> bool:
        """Start an attempt; return whether it was started. If not, the run has failed.

        Raises:
            OSError: the machine lacks something; the attempt is undone.
            StoreReplacedError: the store was replaced.
        """
        try:
            folder = save_folder(connection, self.location, run)
            allow_code(folder)
            process = launcher.start(folder, number, slot)
        except StoreReplacedError:
            raise
        except (OSError, StoreError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            if isinstance(error, OSError) and error.errno in SCARCE:
                with write(connection):
                    transitions.undo_attempt(connection, run, number)
                raise
            with write(connection):
                transitions.mark_exited(connection, run, number)
                transitions.end_attempt(
                    connection, run, number, "failed", "launch", f"It couldn't be started: {why}"
                )
                self._pause_if_due(connection, "launch")
            log.warning("%s: attempt %d couldn't be started: %s", run, number, why)
            return False
        if process is not None:
            with write(connection):
                transitions.record_process(connection, run, number, process)
        log.info("%s: attempt %d started in %s", run, number, slot.name)
        return True

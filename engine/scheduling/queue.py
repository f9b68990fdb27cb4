"""One look at the queue: take in what the workers wrote, see who ended, do what was asked, start
what fits. Everything is decided in the store first and acted on then."""

from __future__ import annotations

import errno
import logging
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from engine.config import Settings
from engine.errors import RunError, StoreError
from engine.lifecycle import MOVES, allows
from engine.runfolder import RunFolder
from engine.scheduling.launcher import Ending, Launcher, Pool
from engine.scheduling.slots import Slot
from engine.store import transitions
from engine.store.database import StoreConnection, StoreReplacedError, write
from engine.store.intake.folders import discard_folder, save_folder, save_unsaved
from engine.store.intake.ingest import ingest
from engine.store.jobs import JobFacts, record_job
from engine.store.location import StoreLocation
from engine.store.transitions import LiveAttempt, Request

CANCEL_SECONDS = 10.0
"""From asking a worker to end to ending it."""
LINGER_SECONDS = 30.0
"""A process may live so long after the end of its journal."""
SILENT_SECONDS = 120.0
"""A process whose journal, which has a heartbeat every 5 s, doesn't grow for so long hangs."""
LEAST_ROOM = 200_000_000
"""Bytes free on the disk (a twentieth of a small one) without which nothing is started after a run
found it full."""
DYING_SECONDS = 60.0
"""The queue pauses when several runs die of one cause within so long, each so soon after its
start."""
SAVE_SECONDS = 0.2
"""Of a round for writing run folders: thousands that are queued at once must not keep journals
from being read."""
START_SECONDS = 1.0
"""Of a round for starting runs, for the same reason."""
SCARCE = frozenset(
    {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT}
)
"""Failures to start that the machine is to blame for, not the run: it is tried again."""

log = logging.getLogger("seqbench")

Key = tuple[str, int]
"""Run and attempt."""


@dataclass
class Queue:
    """The runs of one store, on the slots of every launcher. Only the supervisor has one."""

    location: StoreLocation
    settings: Settings
    pools: Mapping[str | None, Pool]
    """By the name of the launcher; ``None`` is this machine."""
    host: str = field(default_factory=socket.gethostname)
    cancel_seconds: float = CANCEL_SECONDS
    silent_seconds: float = SILENT_SECONDS
    least_room: int = LEAST_ROOM
    _asked: dict[Key, float] = field(default_factory=dict)
    """When a running attempt was asked to end (monotonic); after a restart it is asked again."""
    _heard: dict[Key, float] = field(default_factory=dict)
    """When its journal last grew, as far as this supervisor saw (monotonic: a machine that slept
    has not been waiting)."""
    _hung: set[Key] = field(default_factory=set)
    _jobs: dict[Key, JobFacts] = field(default_factory=dict)
    """What the store has of their jobs."""
    _reported: set[str] = field(default_factory=set)

    def tick(self, connection: StoreConnection) -> None:
        """One round.

        Raises:
            StoreError: the store couldn't be read or written; the next round goes on.
        """
        for request in transitions.requests(connection):
            self._do(connection, request)
        problems: set[str] = set()
        for attempt in transitions.live_attempts(connection):
            try:
                self._follow(connection, attempt)
            # One folder that can't be read must not hold up the others.
            except OSError as error:
                problems.add(f"{attempt.run}: its folder can't be read: {error.strerror}.")
            except RunError as error:
                problems.add(str(error))
        try:
            if not self._held(connection):
                self._start_queued(connection)
        except OSError as error:
            problems.add(f"No run can be started at the moment: {error.strerror}.")
        problems |= save_unsaved(connection, self.location, SAVE_SECONDS)
        for problem in problems - self._reported:
            log.warning("%s", problem)
        self._reported = problems

    def adopt(self, connection: StoreConnection) -> None:
        """Take over what an earlier supervisor left, before the first round."""
        self._asked.clear()
        self._heard.clear()
        self._jobs.clear()
        for attempt in transitions.live_attempts(connection):
            if attempt.status != "starting" or attempt.identity is not None:
                continue
            with suppress(RunError):
                folder = self.location.folder(attempt.run)
                begun = folder.journal(attempt.attempt).exists()
                if begun or self._launcher(attempt).alive(folder, attempt):
                    continue
            # Killed between the commit and the start of the process, or just after it: then that
            # process and the next one of the same attempt settle it by the lock.
            with write(connection):
                transitions.undo_attempt(connection, attempt.run, attempt.attempt)

    def _follow(self, connection: StoreConnection, attempt: LiveAttempt) -> None:
        """Take in a live attempt's journal, and see whether its process is gone.

        Raises:
            OSError: its folder can't be read; the next round tries again.
        """
        folder, launcher = self.location.folder(attempt.run), self._launcher(attempt)
        # In this order: what it wrote before it was seen gone is all read below.
        alive = launcher.alive(folder, attempt)
        self._note_job(connection, attempt, launcher.job(folder, attempt))
        if alive:
            self._stop_if_due(folder, attempt)
        grown = 0
        try:
            grown = ingest(connection, folder, attempt.attempt)
        except OSError as error:
            if alive:
                raise
            log.warning("%s: its journal can't be read: %s", attempt.run, error.strerror)
        if alive:
            self._end_if_silent(folder, attempt, grown)
            return
        with write(connection):
            self._gone(connection, folder, attempt)
        key = (attempt.run, attempt.attempt)
        self._asked.pop(key, None)
        self._heard.pop(key, None)
        self._hung.discard(key)
        self._jobs.pop(key, None)

    def _launcher(self, attempt: LiveAttempt) -> Launcher:
        """Of a run whose launcher is configured no more, the journal alone is followed."""
        return self.pools.get(attempt.launcher, self.pools[None]).launcher

    def _note_job(
        self, connection: StoreConnection, attempt: LiveAttempt, job: JobFacts | None
    ) -> None:
        key = (attempt.run, attempt.attempt)
        if job is not None and job != self._jobs.get(key):
            with write(connection):
                record_job(connection, *key, job)
            self._jobs[key] = job

    def _end_if_silent(self, folder: RunFolder, attempt: LiveAttempt, grown: int) -> None:
        key, now = (attempt.run, attempt.attempt), time.monotonic()
        launcher = self._launcher(attempt)
        if grown or launcher.patient(folder, attempt):
            self._heard[key] = now
        elif now - self._heard.setdefault(key, now) > self.silent_seconds:
            log.warning("%s: attempt %d gives no sign of life", *key)
            self._hung.add(key)
            launcher.stop(folder, attempt, "kill")

    def _stop_if_due(self, folder: RunFolder, attempt: LiveAttempt) -> None:
        key, launcher = (attempt.run, attempt.attempt), self._launcher(attempt)
        if attempt.ended is not None:
            if time.time() - attempt.ended > LINGER_SECONDS:
                launcher.stop(folder, attempt, "kill")
        elif folder.cancel.exists():
            if key not in self._asked:
                if launcher.stop(folder, attempt, "ask"):
                    self._asked[key] = time.monotonic()
            elif time.monotonic() - self._asked[key] > self.cancel_seconds:
                launcher.stop(folder, attempt, "kill")

    def _gone(self, connection: StoreConnection, folder: RunFolder, attempt: LiveAttempt) -> None:
        """Say how an attempt ended whose process is gone, and whether another follows."""
        run, number = attempt.run, attempt.attempt
        ending = self._ending(folder, attempt)
        transitions.mark_exited(connection, run, number)
        status, cause = transitions.attempt_end(connection, run, number)
        if transitions.run_state(connection, run) == ("running", number):
            if status != "preempted" or ending.status == "cancelled":
                status, cause = ending.status, ending.cause
            if status == "preempted":
                self._go_on(connection, run, number)
            else:
                transitions.end_attempt(connection, run, number, status, cause, ending.message)
        log.info("%s: attempt %d ended %s", run, number, status)
        if status == "lost" or cause in ("disk-full", "killed"):
            self._try_again(connection, run, number, status)
        if status in ("failed", "lost"):
            self._pause_if_due(connection, cause)

    def _ending(self, folder: RunFolder, attempt: LiveAttempt) -> Ending:
        """How it ended, as far as its journal doesn't say."""
        ending = self._launcher(attempt).ending(folder, attempt)
        if folder.cancel.exists():
            return Ending("cancelled", "cancelled", "Cancelled.")
        if (attempt.run, attempt.attempt) in self._hung:
            silent = f"{self.silent_seconds:g} s"
            message = f"It gave no sign of life for {silent}, so its process was ended."
            return Ending("lost", "hung", message)
        return ending

    def _go_on(self, connection: StoreConnection, run: str, number: int) -> None:
        """Queue a run again that was stopped from outside: as often as it comes further."""
        if transitions.came_further(connection, run, number):
            transitions.requeue(connection, run, counts=False)
        elif transitions.losses(connection, run) < self.settings.retries:
            transitions.requeue(connection, run, counts=True)
        else:
            message = (
                f"It was stopped from outside {self.settings.retries + 1} times before a "
                "checkpoint was written: it needs longer at a time."
            )
            transitions.end_attempt(connection, run, number, "failed", "no-progress", message)

    def _try_again(self, connection: StoreConnection, run: str, number: int, status: str) -> None:
        """By itself, so often as the settings say."""
        if transitions.run_state(connection, run) != (status, number):
            return
        if transitions.losses(connection, run) < self.settings.retries:
            transitions.requeue(connection, run, counts=True)

    def _pause_if_due(self, connection: StoreConnection, cause: str) -> None:
        if cause == "disk-full":
            if not self._has_room():
                free = "The disk is full: nothing is started before there is room again."
                transitions.hold(connection, cause, free)
            return
        limit = self.settings.pause_after
        died = transitions.dying(connection, cause, DYING_SECONDS, DYING_SECONDS) if limit else []
        if len(died) >= limit > 0:
            message = (
                f"{len(died)} runs died of the same cause ({cause}) within {DYING_SECONDS:g} s, "
                f"{died[-1]} last: put it right first."
            )
            transitions.hold(connection, cause, message)
            log.warning("%s", message)

    def _held(self, connection: StoreConnection) -> bool:
        """Whether the queue is paused; for want of room only as long as there is none."""
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

    def _do(self, connection: StoreConnection, request: Request) -> None:
        """Do one request and take it out of the mailbox; doing one twice is harmless."""
        if request.action in ("pause", "resume"):
            with write(connection):
                if request.action == "pause":
                    transitions.hold(connection, "user", "Paused by hand: nothing is started.")
                else:
                    transitions.release(connection)
                transitions.drop_request(connection, request)
            log.info("%s", request.action)
            return
        state = transitions.run_state(connection, request.run)
        name = state[0] if state else None
        action = request.action if allows(name, request.action) else None
        live = any(live.run == request.run for live in transitions.live_attempts(connection))
        if action == "delete" and live:
            return  # its process is just going; the next round finds it gone
        try:
            if action == "cancel" and name == "running":
                self.location.folder(request.run).cancel.touch()
            if action == "delete":
                self._delete(connection, request)
                return
        except (OSError, RunError) as error:
            # Dropped all the same: one request that can't be done must not hold up the others.
            log.warning("%s %s: %s", request.action, request.run, error)
        with write(connection):
            if action == "cancel" and name != "running":
                transitions.cancel_queued(connection, request.run)
            elif action == "retry":
                transitions.retry(connection, request.run)
            elif action in MOVES:
                transitions.move(connection, request.run, action)
            transitions.drop_request(connection, request)
        log.info("%s %s (%s)", request.action, request.run, name)

    def _delete(self, connection: StoreConnection, request: Request) -> None:
        """The folder first: a crash in between leaves the request, which is done again."""
        discard_folder(self.location, request.run)
        with write(connection):
            transitions.delete_run(connection, request.run)
            transitions.drop_request(connection, request)
        log.info("deleted %s", request.run)

    def _start_queued(self, connection: StoreConnection) -> None:
        """Raises `OSError` where the machine lacks something; the run keeps its place."""
        self._refuse_unknown(connection)
        live = transitions.live_attempts(connection)
        deadline = time.monotonic() + START_SECONDS
        for name, pool in self.pools.items():
            free = _free_slots(live, name, pool)
            while free:
                with write(connection):
                    run = transitions.next_queued(connection, name)
                    if run is None:
                        break
                    # It stems from the attempt before, and would be taken for this one's.
                    with suppress(OSError, RunError):
                        self.location.folder(run).cancel.unlink(missing_ok=True)
                    number = transitions.begin_attempt(connection, run, free[0].name, self.host)
                if self._launch(connection, run, number, free[0], pool.launcher):
                    del free[0]
                if time.monotonic() > deadline:
                    return

    def _refuse_unknown(self, connection: StoreConnection) -> None:
        """Fail runs for launchers that aren't configured."""
        known = [name for name in self.pools if name is not None]
        for run, name in transitions.queued_elsewhere(connection, known):
            message = (
                f"There is no launcher {name!r} any more: put {name}.yaml back into "
                "configs/launchers, then retry the run."
            )
            with write(connection):
                transitions.fail_queued(connection, run, "launch", message)
            log.warning("%s: %s", run, message)

    def _launch(
        self, connection: StoreConnection, run: str, number: int, slot: Slot, launcher: Launcher
    ) -> bool:
        """Whether it was started; if not, the run has failed."""
        try:
            folder = save_folder(connection, self.location, run)
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
            log.warning("%s: attempt %d couldn't be started: %s", run, number, why)
            return False
        if process is not None:
            with write(connection):
                transitions.record_process(connection, run, number, process)
        log.info("%s: attempt %d started in %s", run, number, slot.name)
        return True


def _free_slots(live: Sequence[LiveAttempt], name: str | None, pool: Pool) -> list[Slot]:
    """Slots that no live attempt is in. An adopted one whose slot isn't known, or isn't one any
    more, takes up the first that is free."""
    free = {slot.name: slot for slot in pool.slots}
    homeless = 0
    for attempt in live:
        if attempt.launcher == name and free.pop(attempt.slot or "", None) is None:
            homeless += 1
    return list(free.values())[homeless:]

"""The launcher of attempts as jobs of a Slurm cluster.

Slurm's commands may take ten seconds without an answer, so a thread calls them, and the launcher's
methods answer from Slurm's last list of jobs. That list is a hint: an attempt's journal decides how
it ended. While Slurm doesn't answer, no attempt counts as lost.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.config import SlurmProfile
from engine.errors import UserError
from engine.machine.slots import Slot
from engine.process import ProcessIdentity
from engine.runfolder import RunFolder
from engine.store.jobs import JobFacts
from engine.store.transitions import LiveAttempt
from engine.supervisor.launcher import Ending
from engine.supervisor.slurm import client
from engine.supervisor.slurm.jobfile import read_job, save_job
from engine.supervisor.slurm.preparation import Preparations
from engine.supervisor.slurm.script import attempt_script, job_name
from engine.supervisor.slurm.words import ending_of, in_words

SOON_SECONDS = 1.0
"""Most time between two looks at Slurm's queue while a change is expected."""
LOST_SECONDS = 60.0
"""Seconds without growth of its journal, which has a heartbeat every 5 s, after which an attempt is
lost whose node failed, or whose job Slurm forgot: its worker may outlive Slurm's daemon."""
LATE_SECONDS = 10.0
"""Most time until the last line of a journal is seen over a shared file system."""
LINGER_SECONDS = 60.0
"""Most time to wait for the end of a job whose journal has ended."""
CANCEL_SECONDS = 15.0
"""Least time between two requests to cancel the same job."""

log = logging.getLogger("seqbench")


@dataclass
class _Tracked:
    """An attempt that the launcher tracks."""

    folder: RunFolder
    number: int
    """The attempt's number."""
    name: str
    """The job's name."""
    job: str | None = None
    """The job's number."""
    maybe_submitted: bool = True
    """Whether there may be a job though its number isn't known."""
    adopted: bool = False
    """Whether an earlier supervisor started the attempt."""
    waits: str = "is being submitted"
    """Why there is no job yet, as a predicate."""
    submitted: float = 0.0
    """When the job's number became known (monotonic)."""
    seen: client.Job | None = None
    """The job as Slurm last listed it."""
    gone: float | None = None
    """Since when (seconds since 1970) Slurm lists the job as ended, or not at all."""
    cancel: bool = False
    """Whether the job is to be cancelled."""
    cancelled: float | None = None
    """When Slurm was last asked to cancel the job (monotonic)."""
    ending: Ending | None = None
    """How the attempt ended without a job."""
    ends_soon: bool = False
    """Whether the journal has ended, so that the job will soon."""


Key = tuple[str, int]
"""A run's id and an attempt's number."""


@dataclass
class SlurmLauncher:
    """Runs each attempt as a job of its own, by one profile."""

    profile: SlurmProfile
    lost_seconds: float = LOST_SECONDS
    _tracked: dict[Key, _Tracked] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    """Guards ``_tracked``, its values and ``_stale``; never held while a command runs."""
    _woken: threading.Event = field(default_factory=threading.Event)
    _stale: float | None = None
    """Since when (seconds since 1970) Slurm hasn't answered; ``None`` while it does."""
    _preparations: Preparations = field(default_factory=Preparations)
    _thread: threading.Thread | None = None

    def worker(self, slot: Slot) -> str | None:  # noqa: ARG002
        return None

    def start(self, folder: RunFolder, attempt: int, slot: Slot) -> ProcessIdentity | None:  # noqa: ARG002
        with self._lock:
            self._tracked[folder.run_id, attempt] = _Tracked(
                folder, attempt, job_name(folder, attempt), maybe_submitted=False
            )
        self._wake()
        return None

    def alive(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        tracked = self._track(folder, attempt)
        if tracked is None or tracked.ending is not None:
            return False
        with self._lock:
            if attempt.ended is not None:
                return self._still_there(tracked, attempt)
            if tracked.gone is None:
                return True
            quiet = max(tracked.gone, attempt.last_growth or 0.0)
            return time.time() - quiet < self._grace_seconds(tracked)

    def stop(self, folder: RunFolder, attempt: LiveAttempt, how: Literal["ask", "kill"]) -> bool:  # noqa: ARG002
        tracked = self._track(folder, attempt)
        if tracked is None:
            return False
        with self._lock:
            if tracked.cancel:
                return True
            tracked.cancel = True
            if tracked.job is None and not tracked.maybe_submitted:
                tracked.ending = Ending("cancelled", "cancelled", "Cancelled before it ran.")
        self._wake()
        return True

    def may_be_silent(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        tracked = self._track(folder, attempt)
        with self._lock:
            seen = None if tracked is None else tracked.seen
            return seen is None or seen.state != "RUNNING" or self._stale is not None

    def ending(self, folder: RunFolder, attempt: LiveAttempt) -> Ending:
        with self._lock:
            tracked = self._tracked.pop((attempt.run, attempt.attempt), None)
        if tracked is not None and tracked.ending is not None:
            return tracked.ending
        return ending_of(tracked.seen if tracked else None, folder, attempt.attempt)

    def job(self, folder: RunFolder, attempt: LiveAttempt) -> JobFacts | None:
        tracked = self._track(folder, attempt)
        if tracked is None:
            return None
        with self._lock:
            stale = self._stale
            if (seen := tracked.seen) is not None:
                node, words = seen.node or None, in_words(seen)
                return JobFacts(tracked.job, seen.partition, node, seen.state, words, stale)
            if tracked.adopted:
                return None  # the store's facts stand until Slurm answers
            state = "SUBMITTING" if tracked.job is None else "PENDING"
            words = tracked.waits if tracked.job is None else "was submitted"
            return JobFacts(tracked.job, self.profile.partition, None, state, words, stale)

    def forget(self) -> None:
        """Stop tracking attempts; their jobs continue."""
        with self._lock:
            self._tracked.clear()

    def _track(self, folder: RunFolder, attempt: LiveAttempt) -> _Tracked | None:
        """Return what is known of an attempt; ``None`` if it was never submitted.

        An attempt that an earlier supervisor started is tracked from here on, first with what its
        folder says.
        """
        key = (attempt.run, attempt.attempt)
        with self._lock:
            known = self._tracked.get(key)
        if known is not None:
            return known
        if not folder.spec.exists():
            return None  # killed before there was anything to submit
        name = job_name(folder, attempt.attempt)
        found = _Tracked(folder, attempt.attempt, name, adopted=True)
        found.job = read_job(folder, attempt.attempt)
        with self._lock:
            self._tracked[key] = found
        self._wake()
        return found

    def _still_there(self, tracked: _Tracked, attempt: LiveAttempt) -> bool:
        """Whether a job whose journal has ended still occupies its node."""
        if not tracked.ends_soon:
            tracked.ends_soon = True
            self._woken.set()
        assert attempt.ended is not None
        late = time.time() - attempt.ended > LINGER_SECONDS
        # A preempted attempt may have been cancelled, which only Slurm knows once the job is over.
        leaves = tracked.seen is not None and tracked.seen.state == "COMPLETING"
        leaves = leaves and attempt.status != "preempted"
        return tracked.gone is None and self._stale is None and not late and not leaves

    def _grace_seconds(self, tracked: _Tracked) -> float:
        """Return how long an attempt whose job is gone may still write to its journal."""
        seen = tracked.seen
        if seen is None or not seen.over or seen.state in ("NODE_FAIL", "BOOT_FAIL"):
            return self.lost_seconds
        return LATE_SECONDS if seen.node else 0.0

    def _wake(self) -> None:
        """Start a round at once, in a thread that is started if there is none."""
        self._woken.set()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(
                target=self._serve, name=f"slurm {self.profile.name}", daemon=True
            )
            self._thread.start()

    def _serve(self) -> None:
        """Go round while an attempt is tracked."""
        while True:
            self._woken.clear()
            with self._lock:
                if not self._tracked:
                    self._thread = None
                    return
            try:
                changing = self._round()
            except Exception:
                # Whatever made a round fail, the next one is to come.
                log.exception("a look at Slurm's queue failed")
                changing = False
            poll = self.profile.poll_seconds
            self._woken.wait(min(SOON_SECONDS, poll) if changing else poll)

    def _round(self) -> bool:
        """List Slurm's jobs, then submit and cancel. Return whether a change is expected soon."""
        asked = time.monotonic()
        try:
            listed = client.jobs()
        except client.SlurmError as error:
            self._note_silence(error)
            return False
        with self._lock:
            if self._stale is not None:
                log.info("Slurm answers again")
            self._stale = None
            tracked = list(self._tracked.values())
            self._match(tracked, listed, asked)
        for each in tracked:
            if each.job is None and each.ending is None:
                self._submit(each)
        self._cancel(tracked, listed)
        return any(
            each.ending is None
            and (each.job is None or each.seen is None or each.ends_soon or each.cancel)
            for each in tracked
        )

    def _note_silence(self, error: client.SlurmError) -> None:
        """Remember since when Slurm hasn't answered."""
        with self._lock:
            if self._stale is None:
                self._stale = time.time()
                log.warning("%s", error)

    def _match(
        self, tracked: Sequence[_Tracked], listed: Sequence[client.Job], asked: float
    ) -> None:
        """Find the job of each attempt in Slurm's list.

        Args:
            asked: when the list was asked for (monotonic).
        """
        by_number = {job.id: job for job in listed}
        by_name: dict[str, client.Job] = {}
        for job in sorted(listed, key=_priority):
            by_name.setdefault(job.name, job)
        for each in tracked:
            found = by_number.get(each.job) if each.job else by_name.get(each.name)
            if found is not None:
                if each.job is None:
                    self._keep(each, found.id)
                each.seen = found
            elif each.job is None or each.submitted >= asked:
                continue
            if found is None or found.over:
                each.gone = each.gone or time.time()
            else:
                each.gone = None

    def _keep(self, each: _Tracked, number: str) -> None:
        """Remember the number of an attempt's job, in its folder too."""
        each.job, each.submitted = number, time.monotonic()
        try:
            save_job(each.folder, each.number, number, each.name, self.profile)
        except OSError as error:
            # The next supervisor finds the job by its name.
            log.warning("%s can't be written: %s", each.folder.job(each.number), error.strerror)

    def _submit(self, each: _Tracked) -> None:
        """Submit an attempt that has no job, once its data is prepared."""
        with self._lock:
            if each.cancel:
                each.ending = Ending("cancelled", "cancelled", "Cancelled before it ran.")
                return
        if each.folder.journal(each.number).exists():
            # An earlier supervisor submitted the job, and Slurm has forgotten it since.
            each.gone = each.gone or time.time()
            return
        try:
            if not self._preparations.ready(each.folder):
                each.waits = "waits for its data to be prepared"
                return
            script = each.folder.job_script(each.number)
            script.write_text(attempt_script(self.profile, each.folder, each.number))
            with self._lock:
                each.maybe_submitted, each.waits = True, "is being submitted"
            number = client.submit(script, each.folder.path.absolute(), each.name)
        except client.UnreachableError as error:
            each.waits = f"couldn't be submitted yet: {error}"
        except (UserError, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            cause = "launch" if isinstance(error, (client.SlurmError, OSError)) else "data"
            each.ending = Ending("failed", cause, str(why))
        else:
            with self._lock:
                self._keep(each, number)
            log.info("%s: attempt %d is job %s", each.folder.run_id, each.number, number)

    def _cancel(self, tracked: Sequence[_Tracked], listed: Sequence[client.Job]) -> None:
        """Cancel the jobs that are to be cancelled, and second jobs of one attempt, as a supervisor
        leaves that dies while it submits."""
        now = time.monotonic()
        due = {
            each.job: each
            for each in tracked
            if each.job is not None
            and each.cancel
            and each.gone is None
            and (each.cancelled is None or now - each.cancelled > CANCEL_SECONDS)
        }
        ours: Mapping[str, _Tracked] = {each.name: each for each in tracked}
        doubled = [
            job.id
            for job in listed
            if job.state == "PENDING" and job.name in ours and ours[job.name].job != job.id
        ]
        try:
            client.cancel([*due, *doubled])
        except client.SlurmError as error:
            log.warning("%s", error)
            return
        for each in due.values():
            each.cancelled = now


def _priority(job: client.Job) -> tuple[bool, bool, int]:
    """Return a key that sorts jobs of one name: running ones first, then waiting, then ended ones,
    each by their numbers."""
    digits = job.id.partition("_")[0]
    return job.over, job.state == "PENDING", int(digits) if digits.isdecimal() else 0

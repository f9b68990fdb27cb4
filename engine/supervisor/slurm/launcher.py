"""The launcher of attempts as jobs of a Slurm cluster.

Slurm's commands may take ten seconds without an answer, so a thread calls them, and the launcher's
methods answer from Slurm's last list of jobs. That list is a hint: an attempt's journal decides how
it ended. While Slurm doesn't answer, no attempt counts as lost.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from engine.config import SlurmProfile
from engine.errors import UserError
from engine.machine.slots import Slot
from engine.process import ProcessIdentity
from engine.runfolder import RunFolder
from engine.store.jobs import JobFacts
from engine.store.transitions import LiveAttempt
from engine.supervisor.launcher import SCARCE, Ending, HowToStop, Joins
from engine.supervisor.slurm import client
from engine.supervisor.slurm.jobfile import read_job, save_job
from engine.supervisor.slurm.preparation import Preparations
from engine.supervisor.slurm.rounds import Rounds
from engine.supervisor.slurm.script import attempt_script, job_name
from engine.supervisor.slurm.submitted import Listing, Submitted, cancel_due, match
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

log = logging.getLogger("seqbench")


@dataclass
class _Tracked:
    """An attempt that the launcher tracks."""

    folder: RunFolder
    number: int
    """The attempt's number."""
    job: Submitted
    maybe_submitted: bool = True
    """Whether there may be a job though its number isn't known."""
    adopted: bool = False
    """Whether an earlier supervisor started the attempt."""
    waits: str = "is being submitted"
    """Why there is no job yet, as a predicate."""
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
    """Guards ``_tracked`` and its values; never held while a command runs."""
    _listing: Listing = field(default_factory=Listing)
    _preparations: Preparations = field(default_factory=Preparations)

    def __post_init__(self) -> None:
        self._rounds = Rounds(f"slurm {self.profile.name}", self._round)

    def worker(self, slot: Slot) -> str | None:  # noqa: ARG002
        return None

    def start(self, folder: RunFolder, attempt: int, slot: Slot) -> ProcessIdentity | None:  # noqa: ARG002
        with self._lock:
            self._tracked[folder.run_id, attempt] = _Tracked(
                folder, attempt, self._job(folder, attempt), maybe_submitted=False
            )
        self._rounds.wake()
        return None

    def alive(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        tracked = self._track(folder, attempt)
        if tracked is None or tracked.ending is not None:
            return False
        with self._lock:
            if attempt.ended is not None:
                return self._still_there(tracked, attempt)
            if tracked.job.gone is None:
                return True
            quiet = max(tracked.job.gone, attempt.last_growth or 0.0)
            return time.time() - quiet < grace_seconds(tracked.job.seen, self.lost_seconds)

    def stop(self, folder: RunFolder, attempt: LiveAttempt, how: HowToStop) -> bool:  # noqa: ARG002
        tracked = self._track(folder, attempt)
        if tracked is None:
            return False
        with self._lock:
            if tracked.job.cancel:
                return True
            tracked.job.cancel = True
            if tracked.job.number is None and not tracked.maybe_submitted:
                tracked.ending = Ending("cancelled", "cancelled", "Cancelled before it ran.")
        self._rounds.wake()
        return True

    def may_be_silent(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        tracked = self._track(folder, attempt)
        with self._lock:
            seen = None if tracked is None else tracked.job.seen
            return seen is None or seen.state != "RUNNING" or self._listing.stale is not None

    def ending(self, folder: RunFolder, attempt: LiveAttempt) -> Ending:
        with self._lock:
            tracked = self._tracked.pop((attempt.run, attempt.attempt), None)
        if tracked is not None and tracked.ending is not None:
            return tracked.ending
        return ending_of(tracked.job.seen if tracked else None, folder, attempt.attempt)

    def place(self, joins: Joins) -> None:
        pass

    def job(self, folder: RunFolder, attempt: LiveAttempt) -> JobFacts | None:
        tracked = self._track(folder, attempt)
        if tracked is None:
            return None
        with self._lock:
            stale, number = self._listing.stale, tracked.job.number
            if (seen := tracked.job.seen) is not None:
                node, words = seen.node or None, in_words(seen)
                return JobFacts(number, seen.partition, node, seen.state, words, stale)
            if tracked.adopted:
                return None  # the store's facts stand until Slurm answers
            state = "SUBMITTING" if number is None else "PENDING"
            words = tracked.waits if number is None else "was submitted"
            return JobFacts(number, self.profile.partition, None, state, words, stale)

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
        job = self._job(folder, attempt.attempt)
        job.number = read_job(folder, attempt.attempt)
        found = _Tracked(folder, attempt.attempt, job, adopted=True)
        with self._lock:
            self._tracked[key] = found
        self._rounds.wake()
        return found

    def _job(self, folder: RunFolder, attempt: int) -> Submitted:
        name = job_name(folder, attempt)
        return Submitted(name, lambda number: save_job(folder, attempt, number, name, self.profile))

    def _still_there(self, tracked: _Tracked, attempt: LiveAttempt) -> bool:
        """Whether a job whose journal has ended still occupies its node."""
        if not tracked.ends_soon:
            tracked.ends_soon = True
            self._rounds.wake()
        assert attempt.ended is not None
        late = time.time() - attempt.ended > LINGER_SECONDS
        # A preempted attempt may have been cancelled, which only Slurm knows once the job is over.
        leaves = tracked.job.seen is not None and tracked.job.seen.state == "COMPLETING"
        leaves = leaves and attempt.status != "preempted"
        return tracked.job.gone is None and self._listing.stale is None and not late and not leaves

    def _round(self) -> float | None:
        """List Slurm's jobs, then submit and cancel."""
        with self._lock:
            if not self._tracked:
                return None
        asked, poll = time.monotonic(), self.profile.poll_seconds
        listed = self._listing.look()
        if listed is None:
            return poll
        with self._lock:
            tracked = list(self._tracked.values())
            match([each.job for each in tracked], listed, asked)
        for each in tracked:
            if each.job.number is None and each.ending is None:
                self._submit(each)
        cancel_due([each.job for each in tracked], listed)
        changing = any(
            each.ending is None
            and (
                each.job.number is None
                or each.job.seen is None
                or each.ends_soon
                or each.job.cancel
            )
            for each in tracked
        )
        return min(SOON_SECONDS, poll) if changing else poll

    def _submit(self, each: _Tracked) -> None:
        """Submit an attempt that has no job, once its data is prepared."""
        with self._lock:
            if each.job.cancel:
                each.ending = Ending("cancelled", "cancelled", "Cancelled before it ran.")
                return
        if each.folder.journal(each.number).exists():
            # An earlier supervisor submitted the job, and Slurm has forgotten it since.
            each.job.gone = each.job.gone or time.time()
            return
        try:
            if not self._preparations.ready(each.folder):
                each.waits = "waits for its data to be prepared"
                return
            script = each.folder.job_script(each.number)
            script.write_text(attempt_script(self.profile, each.folder, each.number))
            with self._lock:
                each.maybe_submitted, each.waits = True, "is being submitted"
            number = client.submit(script, each.folder.path.absolute(), each.job.name)
        except client.UnreachableError as error:
            each.waits = f"couldn't be submitted yet: {error}"
        except (UserError, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            cause = "launch" if isinstance(error, (client.SlurmError, OSError)) else "data"
            if isinstance(error, OSError) and error.errno in SCARCE:
                each.waits = f"couldn't be submitted yet: {why}"
            else:
                each.ending = Ending("failed", cause, str(why))
        else:
            with self._lock:
                each.job.keep(number)
            log.info("%s: attempt %d is job %s", each.folder.run_id, each.number, number)


def grace_seconds(job: client.Job | None, lost_seconds: float) -> float:
    """Return how long an attempt whose job is gone may still write to its journal.

    Args:
        lost_seconds: the answer where its worker may outlive the job.
    """
    if job is None or not job.over or job.state in ("NODE_FAIL", "BOOT_FAIL"):
        return lost_seconds
    return LATE_SECONDS if job.node else 0.0

"""Attempts in pilots, from when they wait for one until they end."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace

from engine.errors import UserError
from engine.journal import read_journal
from engine.runfolder import RunFolder
from engine.store.jobs import JobFacts
from engine.store.transitions import LiveAttempt
from engine.supervisor.launcher import NO_ROOM_LEFT, Ending
from engine.supervisor.slurm.launcher import LATE_SECONDS, LINGER_SECONDS, grace_seconds
from engine.supervisor.slurm.pilots import Pilot
from engine.supervisor.slurm.words import ending_of, in_words

FOR_A_JOB = "waits for a job to take it"
"""Why an attempt has no job that is ready, as a predicate."""


@dataclass(eq=False)
class Piloted:
    """An attempt in a pilot, or that waits for one."""

    folder: RunFolder
    number: int
    pilot: Pilot | None = None
    first: bool = False
    """Whether it is its pilot's first."""
    prepared: bool = False
    """Whether its data is."""
    awaited: Pilot | None = None
    """The job that it may get, to be shown."""
    waits: str = "is being submitted"
    """Why there is no job yet, as a predicate."""
    unsure: bool = False
    """Whether an earlier supervisor may have been killed before it put it into the inbox."""
    left: float | None = None
    """Since when (seconds since 1970) it isn't in its pilot's inbox any more."""
    ending: Ending | None = None
    """How it ended without a pilot."""

    @property
    def has_begun(self) -> bool:
        """Whether it has a journal."""
        return self.folder.journal(self.number).exists()

    @property
    def is_inside(self) -> bool:
        """Whether it is in its pilot's inbox."""
        return self.pilot is not None and self.pilot.folder.has(self.folder.run_id, self.number)


def is_held(
    held: Piloted, pilot: Pilot, attempt: LiveAttempt, lost_seconds: float, *, stale: bool
) -> bool:
    """Whether an attempt that was handed to a pilot may still be trained.

    Args:
        lost_seconds: how long a worker may be silent that may outlive its job.
        stale: whether Slurm doesn't answer.
    """
    now, gone, inside = time.time(), pilot.job.gone, held.is_inside
    if attempt.ended is not None:
        if gone is not None or now - attempt.ended > LINGER_SECONDS:
            return False
        # Stopped from outside it may have been cancelled, which only Slurm knows once the job is
        # over. One that ended by itself, such as a trial at a rung, wasn't.
        stopped = attempt.status == "preempted" and attempt.cause == "preempted"
        return inside or ((stopped or pilot.job.seen is None) and not stale)
    if gone is not None:
        quiet = max(gone, attempt.last_growth or 0.0)
        return now - quiet < grace_seconds(pilot.job.seen, lost_seconds)
    if inside or held.unsure:
        held.left = None
        return True
    held.left = held.left or now
    return now - held.left < LATE_SECONDS


def needs_whole_time(attempt: Piloted) -> bool:
    """Whether the attempt before was stopped from outside without a checkpoint: a job that other
    runs have used may have too little time left."""
    if attempt.number == 1 or attempt.folder.checkpoints():
        return False
    before = attempt.folder.journal(attempt.number - 1)
    with suppress(OSError, UserError):
        lines = read_journal(before).lines
        return bool(lines) and lines[-1].fields.get("status") == "preempted"
    return False


def not_started(error: OSError) -> Ending:
    """Return the ending of an attempt whose files can't be written, or whose process started."""
    return Ending("failed", "launch", f"It couldn't be started: {error.strerror}")


def ending_in(attempt: Piloted, pilot: Pilot) -> Ending:
    """Return how an attempt ended that was handed to a pilot, if its journal doesn't say."""
    folder, number, job = attempt.folder, attempt.number, pilot.job
    if pilot.folder.ended_without_room(folder.run_id, number):
        return NO_ROOM_LEFT
    if job.gone is None:
        logs = f"`seqbench logs {folder.run_id}` may say why"
        message = f"It ended in job {job.number} without a last word; {logs}."
        return Ending("lost", "lost", message)
    if not attempt.has_begun:
        message = f"Its job {job.number} ended before it began."
        return Ending("preempted", "not-begun", message, counts=False)
    if pilot.shared and job.seen is not None and job.seen.state == "OUT_OF_MEMORY":
        return Ending("lost", "killed", f"Its job {job.number} {in_words(job.seen)}.")
    if pilot.was_ended:
        message = f"Its job {job.number} was ended by seqbench."
        return Ending("preempted", "preempted", message, counts=False)
    return replace(ending_of(job.seen, folder, number), counts=attempt.first)


def facts_of(attempt: Piloted, stale: float | None, partition: str | None) -> JobFacts | None:
    """Return what is known of an attempt's job; ``None`` if that is what the store has.

    Args:
        stale: since when Slurm doesn't answer.
        partition: that of a job which isn't submitted yet.
    """
    pilot, words = attempt.pilot, attempt.waits
    if pilot is None and attempt.prepared:
        pilot = attempt.awaited
    number = None if pilot is None else pilot.job.number
    seen = None if pilot is None else pilot.job.seen
    if seen is not None:
        node, state, said = seen.node or None, seen.state, in_words(seen)
        if attempt.pilot is None and not seen.waits:
            state, said = "PENDING", "starts"
        return JobFacts(number, seen.partition, node, state, said, stale)
    if attempt.pilot is not None:
        return None  # the store's facts stand until Slurm answers
    state = "SUBMITTING" if number is None else "PENDING"
    words = words if number is None else "was submitted"
    return JobFacts(number, partition, None, state, words, stale)

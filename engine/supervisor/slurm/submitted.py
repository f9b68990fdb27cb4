"""Jobs of the supervisor, matched with those that Slurm lists."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from engine.supervisor.slurm import client

CANCEL_SECONDS = 15.0
"""Least time between two requests to cancel the same job."""

log = logging.getLogger("seqbench")


@dataclass
class Submitted:
    """A job that is to be submitted, or was."""

    name: str
    """The job's name, by which any supervisor knows it."""
    save: Callable[[str], None]
    """Keeps the job's number for the next supervisor. Raises `OSError`."""
    number: str | None = None
    since: float = 0.0
    """When the job's number became known (monotonic)."""
    seen: client.Job | None = None
    """The job as Slurm last listed it."""
    gone: float | None = None
    """Since when (seconds since 1970) Slurm lists the job as ended, or not at all."""
    cancel: bool = False
    """Whether the job is to be cancelled."""
    cancelled: float | None = None
    """When Slurm was last asked to cancel the job (monotonic)."""

    def keep(self, number: str) -> None:
        """Remember the job's number."""
        self.number, self.since = number, time.monotonic()
        try:
            self.save(number)
        except OSError as error:
            # The next supervisor finds the job by its name.
            log.warning("the number of job %s can't be kept: %s", number, error.strerror)


class Listing:
    """Slurm's list of the user's jobs, and since when it couldn't be had."""

    def __init__(self) -> None:
        self.stale: float | None = None
        """Since when (seconds since 1970) Slurm hasn't answered; ``None`` while it does."""

    def look(self) -> list[client.Job] | None:
        """Ask Slurm for the list; ``None`` if it doesn't answer."""
        try:
            listed = client.jobs()
        except client.SlurmError as error:
            if self.stale is None:
                self.stale = time.time()
                log.warning("%s", error)
            return None
        if self.stale is not None:
            log.info("Slurm answers again")
        self.stale = None
        return listed


def match(jobs: Iterable[Submitted], listed: Sequence[client.Job], asked: float) -> None:
    """Find each job in Slurm's list.

    Args:
        asked: when the list was asked for (monotonic).
    """
    by_number = {job.id: job for job in listed}
    by_name: dict[str, client.Job] = {}
    for job in sorted(listed, key=_priority):
        by_name.setdefault(job.name, job)
    for each in jobs:
        found = by_number.get(each.number) if each.number else by_name.get(each.name)
        if found is not None:
            if each.number is None:
                each.keep(found.id)
            each.seen = found
        elif each.number is None or each.since >= asked:
            continue
        if found is None or found.over:
            each.gone = each.gone or time.time()
        else:
            each.gone = None


def cancel_due(jobs: Sequence[Submitted], listed: Sequence[client.Job]) -> None:
    """Cancel the jobs that are to be cancelled, and second jobs of one name, as a supervisor leaves
    that dies while it submits."""
    now = time.monotonic()
    due = {
        each.number: each
        for each in jobs
        if each.number is not None
        and each.cancel
        and each.gone is None
        and (each.cancelled is None or now - each.cancelled > CANCEL_SECONDS)
    }
    ours = {each.name: each for each in jobs}
    doubled = [
        job.id
        for job in listed
        if job.state == "PENDING" and job.name in ours and ours[job.name].number != job.id
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

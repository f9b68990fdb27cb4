"""Jobs of a cluster, as its scheduler last reported them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from engine.store.database import StoreConnection, fetch


@dataclass(frozen=True, slots=True)
class JobFacts:
    """The job of an attempt; every field is ``None`` without a scheduler."""

    job: str | None
    """The job's number; ``None`` before it is submitted."""
    partition: str | None
    node: str | None
    """Name of the node; ``None`` before the job has one."""
    job_state: str | None
    """The state in the scheduler's own word, such as ``PENDING``."""
    job_words: str | None
    """The state as a predicate, such as ``waits for enough free resources``."""
    job_stale: float | None
    """Since when the scheduler couldn't be asked, so that the rest may be out of date; seconds
    since 1970."""

    @property
    def waits(self) -> bool:
        """Whether no process of the job has begun."""
        return self.job_state in ("PENDING", "CONFIGURING", "SUBMITTING")

    @property
    def text(self) -> str:
        """One line, such as ``job 12 in low on n1: runs``."""
        number = f"job {self.job}" if self.job else "its job"
        partition = f" in {self.partition}" if self.partition else ""
        node = f" on {self.node}" if self.node else ""
        stale = "; Slurm isn't responding" if self.job_stale is not None else ""
        return f"{number}{partition}{node} {self.job_words or 'is not known any more'}{stale}"


_NAMES = ("job", "partition", "node", "job_state", "job_words", "job_stale")


def record_job(connection: StoreConnection, run: str, attempt: int, facts: JobFacts) -> None:
    """Store the state of a job (inside a write transaction)."""
    connection.execute(
        f"UPDATE attempts SET {', '.join(f'{name} = :{name}' for name in _NAMES)}"  # noqa: S608
        " WHERE run = :run AND attempt = :attempt",
        {**asdict(facts), "run": run, "attempt": attempt},
    )


def job_of(attempt: Mapping[str, Any]) -> JobFacts | None:
    """Read the job from a row of ``attempts``; None if it has none."""
    facts = JobFacts(*(attempt[name] for name in _NAMES))
    return facts if facts.job or facts.job_state else None


def live_jobs(con: sqlite3.Connection) -> dict[str, JobFacts]:
    """Read the jobs of attempts that may still run, by run."""
    rows = fetch(con, f"SELECT run, {', '.join(_NAMES)} FROM attempts WHERE exited IS NULL")  # noqa: S608
    found = {str(row["run"]): job_of(dict(row)) for row in rows}
    return {run: job for run, job in found.items() if job is not None}

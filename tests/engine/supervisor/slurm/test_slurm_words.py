"""Slurm's reasons and states in plain words, and what they mean for a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.runfolder import RunFolder
from engine.supervisor.slurm.client import Job
from engine.supervisor.slurm.words import ending_of, in_words


def job(state: str, reason: str = "None", node: str = "n1") -> Job:
    return Job("7", "name", state, reason, "low", node)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Resources", "waits for enough free resources"),
        ("Priority", "waits behind jobs of higher priority"),
        ("JobHeldUser", "waits, held by its user: `scontrol release` lets it go"),
        ("PartitionTimeLimit", "waits, but asks for more time than its partition allows"),
        ("ReqNodeNotAvail, UnavailableNodes:n[1-2]", "waits for a node that is down"),
        ("QOSMaxJobsPerUserLimit", "waits because of its owner's limit of running jobs"),
        ("AssocGrpCpuLimit", "waits because of its group's limit of cores"),
        ("SomethingNew", "waits (SomethingNew)"),
    ],
)
def test_why_a_job_waits(reason: str, words: str) -> None:
    assert in_words(job("PENDING", reason, "")).startswith(words)


@pytest.mark.parametrize(
    ("state", "status", "cause"),
    [
        ("TIMEOUT", "preempted", "time-limit"),
        ("PREEMPTED", "preempted", "preempted"),
        ("CANCELLED", "cancelled", "cancelled"),
        ("OUT_OF_MEMORY", "failed", "out-of-memory"),
        ("NODE_FAIL", "lost", "node"),
        ("BOOT_FAIL", "lost", "node"),
        ("FAILED", "lost", "lost"),
    ],
)
def test_how_an_attempt_ended_whose_journal_does_not_say(
    tmp_path: Path, state: str, status: str, cause: str
) -> None:
    folder = RunFolder(tmp_path)
    folder.journal(1).touch()
    ending = ending_of(job(state), folder, 1)
    assert (ending.status, ending.cause) == (status, cause)
    assert ending.message.startswith("Its job 7 ")


def test_a_job_that_ends_before_its_worker_began_is_not_tried_again(tmp_path: Path) -> None:
    ending = ending_of(job("FAILED", "BadConstraints"), RunFolder(tmp_path), 1)
    assert (ending.status, ending.cause) == ("failed", "launch")
    assert "before its worker began (BadConstraints)" in ending.message


def test_a_job_that_slurm_forgot_is_lost(tmp_path: Path) -> None:
    assert ending_of(None, RunFolder(tmp_path), 1).status == "lost"

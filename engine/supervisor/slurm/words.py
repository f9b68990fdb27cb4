"""Slurm's states and reasons in plain words."""

from __future__ import annotations

from engine.runfolder import RunFolder
from engine.supervisor.launcher import Ending
from engine.supervisor.slurm.client import Job

_WAITS = {
    "None": "for the scheduler to look at it",
    "Resources": "for enough free resources",
    "Priority": "behind jobs of higher priority",
    "Dependency": "for another job to end",
    "DependencyNeverSatisfied": "for a job that can't end as it should: cancel it",
    "BeginTime": "for its start time",
    "JobHeldUser": "held by its user: `scontrol release` lets it go",
    "JobHeldAdmin": "held by an administrator",
    "Licenses": "for a licence",
    "ReqNodeNotAvail": "for a node that is down, drained or reserved",
    "Nodes_required_for_job_are_DOWN,_DRAINED_or_reserved_for_jobs_in_higher_priority_partitions":
    "for nodes that are down, drained or reserved",
    "NodeDown": "for a node that is down",
    "Reservation": "for its reservation to begin",
    "ReservationDeleted": "for a reservation that was deleted: cancel it",
    "PartitionDown": "for its partition to come up",
    "PartitionInactive": "for its partition to be active",
    "PartitionNodeLimit": "but asks for more nodes than its partition allows",
    "PartitionTimeLimit": "but asks for more time than its partition allows",
    "PartitionConfig": "but asks for more than its partition allows",
    "BadConstraints": "but no node has what it asks for",
    "InvalidAccount": "but its account isn't valid",
    "InvalidQOS": "but its QOS isn't valid",
    "Prolog": "for the node's preparation",
    "Cleaning": "for its earlier work to be cleaned up",
    "launch_failed_requeued_held": "held, since the node couldn't start it",
    "JobArrayTaskLimit": "for other jobs of its array",
}  # fmt: skip
_LIMITS = (
    ("MaxJobs", "its owner's limit of running jobs"),
    ("MaxSubmit", "its owner's limit of submitted jobs"),
    ("MaxWall", "a limit of time: it asks for more than is allowed"),
    ("GrpTRES", "its group's limit of resources"),
    ("GrpCpu", "its group's limit of cores"),
    ("GrpNode", "its group's limit of nodes"),
    ("GrpMem", "its group's limit of memory"),
    ("GrpJobs", "its group's limit of jobs"),
    ("GrpGRES", "its group's limit of GPUs"),
    ("MaxTRES", "its owner's limit of resources"),
    ("MaxCpu", "its owner's limit of cores"),
    ("MaxGRES", "its owner's limit of GPUs"),
    ("MaxMem", "its owner's limit of memory"),
    ("Resource", "a limit of resources"),
)
"""The meanings of ``Assoc…`` and ``QOS…`` reasons, by a part of their name."""

_STATES = {
    "RUNNING": "runs",
    "CONFIGURING": "has a node, which is being made ready",
    "COMPLETING": "ends",
    "SUSPENDED": "was suspended by Slurm",
    "STOPPED": "was stopped by Slurm",
    "SIGNALING": "ends",
    "STAGE_OUT": "ends",
    "COMPLETED": "ended",
    "CANCELLED": "was cancelled",
    "FAILED": "failed",
    "TIMEOUT": "reached its time limit",
    "DEADLINE": "reached its deadline",
    "PREEMPTED": "made way for another job",
    "NODE_FAIL": "lost its node",
    "BOOT_FAIL": "got a node that didn't start",
    "OUT_OF_MEMORY": "needed more memory than it asked for",
    "REVOKED": "went to another cluster",
}


def in_words(job: Job) -> str:
    """Return a job's state as a predicate, such as ``waits for enough free resources``."""
    if job.waits:
        why = _reason_in_words(job.reason)
        return f"waits, {why}" if why.startswith(("held", "but")) else f"waits {why}"
    return _STATES.get(job.state, f"is {job.state}")


def _reason_in_words(reason: str) -> str:
    # Some reasons name nodes after a comma or a colon.
    word = reason.strip("()")
    bare = word.partition(",")[0].partition(":")[0].strip()
    for known in (word, bare):
        if known in _WAITS:
            return _WAITS[known]
    if bare.startswith(("Assoc", "QOS")):
        for part, meaning in _LIMITS:
            if part in bare:
                return f"because of {meaning}"
    return f"({word})"


def ending_of(job: Job | None, folder: RunFolder, attempt: int) -> Ending:
    """Return how an attempt ended, from the last that Slurm said of its job.

    Args:
        job: the job; ``None`` if Slurm doesn't know it any more.
    """
    logs = f"`seqbench logs {folder.run_id}` may say why"
    if job is None:
        return Ending("lost", "lost", f"Slurm doesn't know its job any more; {logs}.")
    what = f"Its job {job.id} {in_words(job)}"
    match job.state:
        case "TIMEOUT":
            return Ending("preempted", "time-limit", f"{what}.")
        case "PREEMPTED":
            return Ending("preempted", "preempted", f"{what}.")
        case "CANCELLED":
            return Ending("cancelled", "cancelled", f"{what} with Slurm's own means.")
        case "OUT_OF_MEMORY":
            cure = "raise `memory` in the launcher's profile, or try a smaller batch_size"
            return Ending("failed", "out-of-memory", f"{what}: {cure}.")
        case "NODE_FAIL" | "BOOT_FAIL":
            return Ending("lost", "node", f"{what} {job.node}.".replace(" .", "."))
        case "DEADLINE" | "REVOKED":
            return Ending("failed", "launch", f"{what}.")
    if not folder.journal(attempt).exists():
        why = f" ({job.reason})" if job.reason not in ("None", "NonZeroExitCode") else ""
        return Ending("failed", "launch", f"{what} before its worker began{why}; {logs}.")
    return Ending("lost", "lost", f"{what} without a last word; {logs}.")

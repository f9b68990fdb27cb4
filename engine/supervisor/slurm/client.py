"""Slurm's commands as functions, which return their answers as plain values."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError, cut

TIMEOUT_SECONDS = 30.0
"""Most time of a command; without a controller, commands give up by themselves after about 10 s."""

OVER = frozenset(
    ("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
     "PREEMPTED", "REVOKED", "TIMEOUT")
)  # fmt: skip
"""The final states of a job."""

WAITING = frozenset(("PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD"))
"""The states of a job before it has a node."""

_KEPT = ("SLURM_CONF", "SLURM_CLUSTERS")
"""Slurm's variables that commands get, which choose the cluster. The others describe the job that
this process may run in, and would give a new job its size."""
_UNREACHABLE = re.compile(
    "unable to contact|timed out|connection|connect failure|zero bytes|temporarily|try again"
    "|munge|authentication|could not establish a configuration source|fetch_config|failover",
    re.IGNORECASE,
)
_BUSY = re.compile("submit limit|maxsubmit|too many jobs|job count", re.IGNORECASE)
_NOISE = re.compile(r"^(sbatch|squeue|scancel|sinfo|scontrol): (error: |fatal: )?")


class SlurmError(UserError):
    """Slurm refused a command, or isn't installed."""


class UnreachableError(SlurmError):
    """Slurm didn't answer, or takes no jobs at present: the command may be tried again."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job, in Slurm's own words."""

    id: str
    name: str
    state: str
    """The state, such as ``PENDING``."""
    reason: str
    """Why the job waits, or has ended; ``None`` as a word if there is no reason."""
    partition: str
    node: str
    """The node's name; empty before the job has one."""

    @property
    def over(self) -> bool:
        """Whether the job has ended."""
        return self.state in OVER

    @property
    def waits(self) -> bool:
        """Whether the job has no node yet."""
        return self.state in WAITING


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of the cluster."""

    name: str
    up: bool
    time_limit: str
    """Most time of a job, as Slurm writes it: ``1-00:00:00``, ``infinite``."""
    nodes: int
    default: bool
    """Whether jobs that name no partition go there."""


def submit(script: Path, folder: Path, name: str) -> str:
    """Submit a batch script and return the job's number.

    Args:
        folder: the job's working folder, to whose ``log.txt`` its output is appended.
        name: the job's name.

    Raises:
        SlurmError: the job is refused.
        UnreachableError: Slurm didn't answer, so that the job may exist or not.
    """
    answer = _run(submission(script, folder, name))
    # With several clusters the answer is NUMBER;CLUSTER.
    number = answer.strip().partition(";")[0]
    if not number.isdecimal():
        raise SlurmError(f"sbatch gave no job number but {answer.strip()[:60]!r}.")
    return number


def submission(script: Path, folder: Path, name: str) -> list[str]:
    """Return the command line of `submit`."""
    return [
        *("sbatch", "--parsable", f"--chdir={folder}", f"--job-name={name}"),
        *("--output=log.txt", "--open-mode=append", str(script)),
    ]


def jobs() -> list[Job]:
    """Return the user's jobs, those that ended lately included.

    Raises:
        SlurmError: Slurm gives no list.
    """
    # A name may hold any character, so it comes last.
    listed = _run(["squeue", "--me", "--noheader", "--states=all", "--format=%i|%T|%r|%P|%N|%j"])
    return [job for line in listed.splitlines() if (job := _job(line)) is not None]


def cancel(numbers: Iterable[str]) -> None:
    """Cancel jobs by their numbers: SIGTERM, then SIGKILL after the site's KillWait. Jobs that have
    ended are ignored.

    Raises:
        SlurmError: Slurm refused.
    """
    wanted = sorted(numbers)
    if wanted:
        _run(["scancel", "--quiet", *wanted])


def partitions() -> list[Partition]:
    """Return the cluster's partitions.

    Raises:
        SlurmError: Slurm gives no list.
    """
    listed = _run(["sinfo", "--noheader", "--summarize", "--format=%P|%a|%l|%D"])
    found = []
    for line in listed.splitlines():
        name, available, limit, nodes = line.split("|")
        found.append(
            Partition(name.rstrip("*"), available == "up", limit, int(nodes), name.endswith("*"))
        )
    return found


def version() -> str:
    """Return Slurm's version as ``sbatch`` prints it.

    Raises:
        SlurmError: Slurm isn't installed, or failed.
    """
    return _run(["sbatch", "--version"]).strip()


def _job(line: str) -> Job | None:
    fields = line.split("|", 5)
    if len(fields) != 6:
        return None
    number, state, reason, partition, node, name = fields
    return Job(number, name, state, reason, partition, node)


def _run(command: Sequence[str]) -> str:
    """Run a command and return its output. Raises `SlurmError`."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_SECONDS,
            env=_environment(),
        )
    except FileNotFoundError:
        raise SlurmError(f"{command[0]} isn't found: is this a machine of the cluster?") from None
    except subprocess.TimeoutExpired:
        raise UnreachableError(
            f"{command[0]} gave no answer within {TIMEOUT_SECONDS:g} s."
        ) from None
    if done.returncode:
        raise _refusal(command[0], done.returncode, done.stderr)
    return done.stdout


def _refusal(command: str, status: int, stderr: str) -> SlurmError:
    """Return the error of a failed command, with the last line that it printed."""
    lines = [line for line in map(str.strip, stderr.splitlines()) if line]
    last = cut(_NOISE.sub("", lines[-1]), 300).rstrip(".") if lines else f"exit status {status}"
    temporary = _UNREACHABLE.search(stderr) or _BUSY.search(stderr)
    return (UnreachableError if temporary else SlurmError)(f"{command}: {last}.")


def _environment() -> dict[str, str]:
    """Return this process's environment without Slurm's variables, but for `_KEPT`."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or not name.startswith(("SLURM_", "SLURMD_", "SQUEUE_", "SRUN_"))
    }

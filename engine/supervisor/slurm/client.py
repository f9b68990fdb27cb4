"""Slurm's commands: what is asked of them, and what they answer, as plain values."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError, cut

TIMEOUT_SECONDS = 30.0
"""Of a command; without a controller they give up after some ten seconds by themselves."""

OVER = frozenset(
    ("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
     "PREEMPTED", "REVOKED", "TIMEOUT")
)  # fmt: skip
"""States that a job doesn't leave."""

_KEPT = ("SLURM_CONF", "SLURM_CLUSTERS")
"""Variables that say which Slurm; the others would make a job of ours part of the one that we are
in, or of its size."""
_UNREACHABLE = re.compile(
    "unable to contact|timed out|connection|connect failure|zero bytes|temporarily|try again"
    "|munge|authentication|could not establish a configuration source|fetch_config|failover",
    re.IGNORECASE,
)
_BUSY = re.compile("submit limit|maxsubmit|too many jobs|job count", re.IGNORECASE)
_NOISE = re.compile(r"^(sbatch|squeue|scancel|sinfo|scontrol): (error: |fatal: )?")


class SlurmError(UserError):
    """Slurm refused, or isn't there."""


class UnreachableError(SlurmError):
    """Slurm didn't answer, or takes nothing at present: ask again later."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as Slurm sees it."""

    id: str
    name: str
    state: str
    """Slurm's own word, such as ``PENDING``."""
    reason: str
    """Slurm's own word for why it waits, or ended."""
    partition: str
    node: str
    """Empty before it has one."""

    @property
    def over(self) -> bool:
        return self.state in OVER


@dataclass(frozen=True, slots=True)
class Partition:
    name: str
    up: bool
    time_limit: str
    nodes: int
    default: bool


def submit(script: Path, folder: Path, name: str) -> str:
    """Submit a batch script to run in ``folder``, its output added to ``log.txt`` there. Returns
    the job's number.

    Raises:
        SlurmError: it is refused.
        UnreachableError: Slurm didn't answer, so it may have been taken or not.
    """
    answer = _run(submission(script, folder, name))
    # With several clusters it is NUMBER;CLUSTER.
    number = answer.strip().partition(";")[0]
    if not number.isdecimal():
        raise SlurmError(f"sbatch gave no job number but {answer.strip()[:60]!r}.")
    return number


def submission(script: Path, folder: Path, name: str) -> list[str]:
    """The command line of `submit`."""
    return [
        *("sbatch", "--parsable", f"--chdir={folder}", f"--job-name={name}"),
        *("--output=log.txt", "--open-mode=append", str(script)),
    ]


def jobs() -> list[Job]:
    """The user's jobs, also those that ended lately. Raises `SlurmError`."""
    # A name may hold any character, so it comes last.
    listed = _run(["squeue", "--me", "--noheader", "--states=all", "--format=%i|%T|%r|%P|%N|%j"])
    return [job for line in listed.splitlines() if (job := _job(line)) is not None]


def cancel(numbers: Iterable[str]) -> None:
    """End jobs: TERM, and KILL after the site's KillWait. Those that are over are passed over.
    Raises `SlurmError`."""
    wanted = sorted(numbers)
    if wanted:
        _run(["scancel", "--quiet", *wanted])


def partitions() -> list[Partition]:
    """What the cluster has. Raises `SlurmError`."""
    listed = _run(["sinfo", "--noheader", "--summarize", "--format=%P|%a|%l|%D"])
    found = []
    for line in listed.splitlines():
        name, available, limit, nodes = line.split("|")
        found.append(
            Partition(name.rstrip("*"), available == "up", limit, int(nodes), name.endswith("*"))
        )
    return found


def version() -> str:
    """As ``sbatch --version`` says it. Raises `SlurmError`."""
    return _run(["sbatch", "--version"]).strip()


def _job(line: str) -> Job | None:
    fields = line.split("|", 5)
    if len(fields) != 6:
        return None
    number, state, reason, partition, node, name = fields
    return Job(number, name, state, reason, partition, node)


def _run(command: Sequence[str]) -> str:
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
    """What a failed command said last, as one sentence."""
    lines = [line for line in map(str.strip, stderr.splitlines()) if line]
    said = cut(_NOISE.sub("", lines[-1]), 300).rstrip(".") if lines else f"exit status {status}"
    out_of_reach = _UNREACHABLE.search(stderr) or _BUSY.search(stderr)
    return (UnreachableError if out_of_reach else SlurmError)(f"{command}: {said}.")


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or not name.startswith(("SLURM_", "SLURMD_", "SQUEUE_", "SRUN_"))
    }

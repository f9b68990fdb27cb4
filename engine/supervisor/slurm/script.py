"""The batch script of one job: a pure function of profile, command and environment.

Slurm never starts a job of ours a second time (``--no-requeue``). Attempts are counted by the
engine, which submits the next one as a job of its own: so a journal never has two writers, a run
that was cancelled isn't brought back, and the next attempt needn't sit out the two minutes that
Slurm holds a requeued job.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.config import SlurmProfile
from engine.datasets.locate import cache_folder
from engine.machine.environment import absolute_paths, code_folder, thread_environment
from engine.runfolder import RunFolder

LOCK_SECONDS = 60.0
"""A worker waits so long for the one before to let go of the run: on another node it ends by itself
once it sees that its time is over."""

_PREPARE = """\
prepare() {
    eval "$1" && return
    printf 'This line of setup failed: %s\\n' "$1" >&2
    exit 1
}"""


def worker_command(profile: SlurmProfile, folder: RunFolder, attempt: int) -> list[str]:
    """One attempt, as a node shall run it."""
    return [
        *python_command(profile, "engine.worker"),
        str(folder.path.absolute()),
        *("--attempt", str(attempt)),
        *("--device", profile.device),
        *("--threads", str(profile.cpus)),
        *("--lock-seconds", f"{LOCK_SECONDS:g}"),
    ]


def python_command(profile: SlurmProfile, module: str) -> list[str]:
    """A module of ours, as a node shall run it."""
    # -P: a folder called `engine` where the job stands is not ours.
    return [profile.python or sys.executable, "-P", "-m", module]


def job_environment(profile: SlurmProfile) -> dict[str, str]:
    """What is to be as it is here: where data lies, and where the prepared copies of it are."""
    cache = {"SEQBENCH_CACHE": str(cache_folder().absolute())}
    threads = thread_environment(profile.cpus)
    return {**cache, **absolute_paths(), **threads, "PYTHONUNBUFFERED": "1", **profile.environment}


def batch_script(
    profile: SlurmProfile,
    command: Sequence[str],
    environment: Mapping[str, str],
    code: Path | None = None,
) -> str:
    """The script for ``sbatch``.

    Words of the profile stand in ``#SBATCH`` lines, which no shell reads and whose validation
    leaves no blanks and quotes; all else is quoted for the shell, each line of ``setup`` on its
    own, so that none can change the meaning of the next.

    Args:
        code: goes to the front of ``PYTHONPATH``.
    """
    lines = ["#!/bin/bash", *(f"#SBATCH {option}" for option in _options(profile))]
    lines += [_PREPARE] if profile.setup else []
    lines += [f"prepare {shlex.quote(line)}" for line in profile.setup]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    if code is not None:
        rest = '"${PYTHONPATH:+:$PYTHONPATH}"'
        lines.append(f"export PYTHONPATH={shlex.quote(str(code))}{rest}")
    # Without srun the worker isn't a step of the job, and Slurm's signals don't come to it.
    lines.append(f"srun --ntasks=1 --cpus-per-task={profile.cpus} {shlex.join(command)}")
    return "\n".join(lines) + "\n"


def attempt_script(profile: SlurmProfile, folder: RunFolder, attempt: int) -> str:
    """The script of one attempt at a run, in the environment that we have."""
    command = worker_command(profile, folder, attempt)
    return batch_script(profile, command, job_environment(profile), code_folder())


def job_name(folder: RunFolder, attempt: int) -> str:
    """By which a job is known, whoever submitted it: run and attempt, and where they lie."""
    return f"{store_id(folder)}/{folder.run_id}/{attempt}"


def store_id(folder: RunFolder) -> str:
    """Tells the runs of one store from those of a copy of it elsewhere."""
    runs = os.fsencode(folder.path.parent.absolute())
    return hashlib.sha256(runs).hexdigest()[:8]


def _options(profile: SlurmProfile) -> list[str]:
    gres = ":".join(filter(None, ("gpu", profile.gpu_type, str(profile.gpus))))
    given: dict[str, object] = {
        "partition": profile.partition,
        "account": profile.account,
        "qos": profile.qos,
        "constraint": profile.constraint,
        "reservation": profile.reservation,
        "time": profile.time,
        "mem": profile.memory,
        "gres": gres if profile.gpus else f"shard:{profile.shards}" if profile.shards else None,
        "cpus-per-task": profile.cpus,
        "signal": f"USR2@{profile.warn_seconds}",
    }
    named = [f"--{name}={value}" for name, value in given.items() if value is not None]
    return ["--no-requeue", "--nodes=1", "--ntasks=1", *named, *profile.options]

"""The batch script of one job: a pure function of profile, command and environment.

Slurm never starts a job a second time (``--no-requeue``). The supervisor counts attempts and
submits the next one as a job of its own: so a journal never has two writers, a run that was
cancelled isn't brought back, and the next attempt needn't wait the two minutes that Slurm holds a
requeued job.

Jobs of an earlier version may wait in Slurm's queue for days: the modules that scripts name, and
the options of these, must stay.
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
from engine.inbox import WORKERS, WorkerFolder, worker_folder
from engine.machine.environment import absolute_paths, thread_environment
from engine.machine.slots import MOST_GPU_RUNS
from engine.runfolder import RunFolder
from engine.surroundings import code_folder

LOCK_SECONDS = 60.0
"""Seconds that a worker waits for the lock of the run: the worker before it may be on another node,
where it ends by itself once it sees that its time is over."""

IDLE_SECONDS = 30.0
"""How long a pilot waits for runs before it ends: the supervisor, and a shared file system, take
some seconds to hand it the next one."""

_PREPARE = """\
prepare() {
    eval "$1" && return
    printf 'This line of setup failed: %s\\n' "$1" >&2
    exit 1
}"""


def worker_command(profile: SlurmProfile, folder: RunFolder, attempt: int) -> list[str]:
    """Return the command line by which a node runs an attempt."""
    return [
        *python_command(profile, "engine.worker"),
        str(folder.path.absolute()),
        *("--attempt", str(attempt)),
        *("--device", profile.device),
        *("--threads", str(profile.cpus)),
        *("--lock-seconds", f"{LOCK_SECONDS:g}"),
    ]


def most_at_once(profile: SlurmProfile) -> int:
    """Return the most runs that a job trains at the same time: on the CPU they gain nothing."""
    if profile.device == "cpu":
        return 1
    most = profile.runs_per_job
    return MOST_GPU_RUNS if most == "auto" else min(MOST_GPU_RUNS, most)


def pilot_command(profile: SlurmProfile, folder: WorkerFolder) -> list[str]:
    """Return the command line by which a node takes runs from a pilot's inbox."""
    most, at_once = profile.runs_per_job, most_at_once(profile)
    return [
        *python_command(profile, "engine.worker.resident"),
        str(folder.path.absolute()),
        "--pilot",
        *("--threads", str(profile.cpus)),
        *(() if at_once == 1 else ("--at-once", str(at_once))),
        *("--idle-seconds", f"{IDLE_SECONDS:g}"),
        *(() if most == "auto" else ("--most-runs", str(most))),
    ]


def python_command(profile: SlurmProfile, module: str) -> list[str]:
    """Return the command line by which a node runs a module of this package."""
    # -P: a folder called `engine` in the job's working folder is not this package.
    return [profile.python or sys.executable, "-P", "-m", module]


def job_environment(profile: SlurmProfile) -> dict[str, str]:
    """Return a job's variables: the folders of data and of prepared copies as they are here, the
    number of threads, and the profile's own."""
    cache = {"SEQBENCH_CACHE": str(cache_folder().absolute())}
    threads = thread_environment(profile.cpus)
    return {**cache, **absolute_paths(), **threads, "PYTHONUNBUFFERED": "1", **profile.environment}


def batch_script(
    profile: SlurmProfile,
    command: Sequence[str],
    environment: Mapping[str, str],
    code: Path | None = None,
) -> str:
    """Return the script for ``sbatch``.

    The profile's words stand in ``#SBATCH`` lines, which no shell reads, and whose validation
    leaves no blanks and quotes. Everything else is quoted for the shell, each line of ``setup`` by
    itself, so that none can change the meaning of the next.

    Args:
        code: a folder for the front of ``PYTHONPATH``.
    """
    lines = ["#!/bin/bash", *(f"#SBATCH {option}" for option in _options(profile))]
    lines += [_PREPARE] if profile.setup else []
    lines += [f"prepare {shlex.quote(line)}" for line in profile.setup]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    if code is not None:
        rest = '"${PYTHONPATH:+:$PYTHONPATH}"'
        lines.append(f"export PYTHONPATH={shlex.quote(str(code))}{rest}")
    # Without srun the worker isn't a step of the job, and doesn't get Slurm's signals.
    lines.append(f"srun --ntasks=1 --cpus-per-task={profile.cpus} {shlex.join(command)}")
    return "\n".join(lines) + "\n"


def attempt_script(profile: SlurmProfile, folder: RunFolder, attempt: int) -> str:
    """Return the script of one attempt at a run, with this process's environment."""
    command = worker_command(profile, folder, attempt)
    return batch_script(profile, command, job_environment(profile), code_folder())


def pilot_script(profile: SlurmProfile, folder: WorkerFolder) -> str:
    """Return the script of a pilot, with this process's environment."""
    command = pilot_command(profile, folder)
    return batch_script(profile, command, job_environment(profile), code_folder())


def example_script(profile: SlurmProfile, folder: RunFolder) -> str:
    """Return the script that would be submitted for a run."""
    if profile.runs_per_job == 1:
        return attempt_script(profile, folder, 1)
    return pilot_script(profile, worker_folder(folder.path.parent, profile.name))


def job_name(folder: RunFolder, attempt: int) -> str:
    """Return the job's name, by which any supervisor knows it: store, run and attempt."""
    return f"{_store_id(folder.path.parent)}/{folder.run_id}/{attempt}"


def pilot_job_name(runs: Path, pilot: str) -> str:
    """Return the name of a pilot's job: store, and the pilot's name, which no run has.

    Args:
        runs: the folder of the run folders.
    """
    return f"{_store_id(runs)}/{WORKERS}/{pilot}"


def _store_id(runs: Path) -> str:
    """Return a digest of the run folders' path, which differs for a copy of the store elsewhere."""
    return hashlib.sha256(os.fsencode(runs.absolute())).hexdigest()[:8]


def _options(profile: SlurmProfile) -> list[str]:
    """Return the options of ``sbatch`` for a profile."""
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

"""The provenance of a run: code, versions, device."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from engine import __version__
from engine.machine.slots import gpus_title
from engine.machine.telemetry import driver_version

_COMMIT = "# branch.oid "
_NO_COMMIT = "(initial)"
"""What `git status` calls the commit of a branch without any."""
_SHOWN = 10
"""Digits of the commit in ``code``."""

ROOT = Path(__file__).parents[2]


def software(root: Path = ROOT) -> dict[str, str | bool | None]:
    """Return the software versions for the journal's ``start``.

    ``code`` is seqbench's version, with the commit if it runs from a checkout; ``commit`` and
    ``dirty`` (whether tracked files differ from it) are ``None`` without a checkout; ``cuda`` is
    the version that torch was built for, and ``driver`` that of the GPU.
    """
    commit, dirty = git_state(root)
    local = f"+{commit[:_SHOWN]}{'-dirty' if dirty else ''}" if commit else ""
    return {
        "code": f"{__version__}{local}",
        "commit": commit,
        "dirty": dirty,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "driver": driver_version(),
    }


def slurm_job(environment: Mapping[str, str]) -> dict[str, str] | None:
    """Return the Slurm job of an attempt for the journal's ``start``, with its Python and modules;
    ``None`` outside a job."""
    if "SLURM_JOB_ID" not in environment:
        return None
    names = {
        "id": "SLURM_JOB_ID",
        "cluster": "SLURM_CLUSTER_NAME",
        "partition": "SLURM_JOB_PARTITION",
        "account": "SLURM_JOB_ACCOUNT",
        "qos": "SLURM_JOB_QOS",
        "node": "SLURMD_NODENAME",
        "gpus": "SLURM_JOB_GPUS",
        "modules": "LOADEDMODULES",
        "virtual_env": "VIRTUAL_ENV",
    }
    known = {name: environment[key] for name, key in names.items() if environment.get(key)}
    return {**known, "interpreter": sys.executable}


def git_state(root: Path) -> tuple[str | None, bool | None]:
    """Return the commit that is checked out, 40 digits, and whether tracked files differ from it;
    ``None`` for both without a checkout or git."""
    if not (root / ".git").exists():
        return None, None
    # Without locks: `git` ended along with a worker would leave one in the user's checkout.
    command = ["git", "--no-optional-locks", "-C", str(root), "status", "--porcelain=2", "--branch"]
    try:
        found = subprocess.run(
            [*command, "--untracked-files=no"], capture_output=True, text=True, check=False
        )
    except OSError:  # a checkout on a machine without git
        return None, None
    lines = found.stdout.splitlines()
    commits = [line.removeprefix(_COMMIT) for line in lines if line.startswith(_COMMIT)]
    if found.returncode or not commits or commits[0] == _NO_COMMIT:
        return None, None
    return commits[0], any(not line.startswith("#") for line in lines)


def device_name(device: torch.device, processes: int = 1) -> str:
    """Return the GPU's or processor's name, with the number of processes if there are several, so
    that their times aren't compared with those of one."""
    name = _own_name(device)
    if device.type == "cuda":
        return gpus_title(name, processes)
    return name if processes == 1 else f"{name}, {processes} processes"


def _own_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "CPU"

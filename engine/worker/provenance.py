"""On what a run is trained: code, versions, device."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from engine import __version__
from engine.scheduling.slots import several
from engine.telemetry import driver_version

_DIRTY = "-dirty"
_SHOWN = 10
"""Digits of a commit in ``code``."""

ROOT = Path(__file__).parents[2]


def software(root: Path = ROOT) -> dict[str, str | bool | None]:
    """For the journal's ``start``: ``code`` (the version, with the commit where it runs from a
    checkout), ``commit`` and whether files that git knows differ from it (``None`` where there is
    no checkout), ``python``, ``numpy``, ``torch``, ``cuda`` (that torch was built for) and
    ``driver`` (of the GPU)."""
    commit, dirty = git_state(root)
    local = f"+{commit[:_SHOWN]}{_DIRTY if dirty else ''}" if commit else ""
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


def job(environment: Mapping[str, str]) -> dict[str, str] | None:
    """For ``start``: the job of a cluster that the attempt runs in, its Python and its modules;
    ``None`` outside of one."""
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
    """The commit that is checked out, 40 digits, and whether files were changed since."""
    if not (root / ".git").exists():
        return None, None
    try:
        found = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40",
             "--exclude=*"],
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
    except OSError:  # a checkout on a machine without git
        return None, None
    text = found.stdout.strip()
    if found.returncode or not text:
        return None, None
    return text.removesuffix(_DIRTY), text.endswith(_DIRTY)


def device_name(device: torch.device, processes: int = 1) -> str:
    """The GPU's or the processor's, as it names itself, with how many processes used it or one
    like it: times on several are not those on one."""
    name = _own_name(device)
    if processes == 1:
        return name
    return several(name, processes) if device.type == "cuda" else f"{name}, {processes} processes"


def _own_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "CPU"

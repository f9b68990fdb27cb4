"""Launchers that runs can go to: this machine, or a cluster."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tui.shell.text import TITLE, count, plain

if TYPE_CHECKING:
    from engine.config import Catalogue, SlurmProfile

THIS_MACHINE = "this machine"


def on_cluster() -> bool:
    """Tell whether this machine submits to a Slurm cluster, so that the form has launchers."""
    return shutil.which("sbatch") is not None


def launchers(catalogue: Catalogue) -> list[tuple[str, str]]:
    """List titles and names of the launchers beside this machine; none without a cluster."""
    if not on_cluster():
        return []
    return [(plain(f"{name}: {each.title}" if each.title else name, TITLE), name)
            for name, each in catalogue.launchers.items()]  # fmt: skip


def jobs_text(runs: int, profile: SlurmProfile) -> str:
    """Write what runs get: ``slurm: 8 jobs at once, 4 cores and 1 GPU each, in low``."""
    parts = [count(profile.cpus, "core")]
    if profile.gpus:
        parts.append(count(profile.gpus, "GPU"))
    if profile.shards:
        parts.append(f"{count(profile.shards, 'part')} of a GPU")
    each = " each" if runs > 1 else ""
    at_once = min(runs, profile.jobs)
    partition = f", in {profile.partition}" if profile.partition else ""
    jobs = f"{count(at_once, 'job')}{' at once' if runs > 1 else ''}"
    return plain(f"{profile.name}: {jobs}, {' and '.join(parts)}{each}{partition}", 2 * TITLE)

"""``job-<attempt>.json``: the job of an attempt, kept for the next supervisor."""

from __future__ import annotations

import json
import os
import time

from engine.config import SlurmProfile
from engine.files.atomic import write_atomically
from engine.files.regular import read_regular
from engine.runfolder import RunFolder


def save_job(
    folder: RunFolder, attempt: int, number: str, name: str, profile: SlurmProfile
) -> None:
    """Write the number and name of an attempt's job, and the profile it was submitted by.

    Raises:
        OSError: the file can't be written.
    """
    content = {
        "job": number,
        "name": name,
        "launcher": profile.name,
        "partition": profile.partition,
        "slurm_conf": os.environ.get("SLURM_CONF"),
        "submitted": time.time(),
    }
    write_atomically(folder.job(attempt), json.dumps(content, indent=1) + "\n")


def read_job(folder: RunFolder, attempt: int) -> str | None:
    """Return the number of an attempt's job; ``None`` if there is no sound file."""
    try:
        number = json.loads(read_regular(folder.job(attempt)))["job"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return number if isinstance(number, str) and number.isdecimal() else None

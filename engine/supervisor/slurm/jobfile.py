"""``job-<attempt>.json``: the job of an attempt, kept for the next supervisor."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from typing import Any

from engine.config import SlurmProfile
from engine.files.atomic import write_atomically
from engine.files.regular import read_regular
from engine.runfolder import RunFolder


@dataclass(frozen=True, slots=True)
class Placement:
    """The pilot that an attempt is handed to."""

    pilot: str
    """The pilot's name."""
    first: bool
    """Whether it is the first run of the pilot, which has the whole of the job's time."""


def save_job(
    folder: RunFolder,
    attempt: int,
    number: str,
    name: str,
    profile: SlurmProfile,
    pilot: Placement | None = None,
) -> None:
    """Write the number and name of an attempt's job, and the profile it was submitted by.

    Args:
        pilot: where the attempt is placed, if its job is a pilot.

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
        **(asdict(pilot) if pilot else {}),
    }
    write_atomically(folder.job(attempt), json.dumps(content, indent=1) + "\n")


def read_job(folder: RunFolder, attempt: int) -> str | None:
    """Return the number of an attempt's job; ``None`` if there is no sound file."""
    number = _read(folder, attempt).get("job")
    return number if isinstance(number, str) and number.isdecimal() else None


def read_placement(folder: RunFolder, attempt: int) -> Placement | None:
    """Return the pilot that an attempt was handed to; ``None`` for any other attempt."""
    content = _read(folder, attempt)
    pilot = content.get("pilot")
    return Placement(pilot, content.get("first") is True) if isinstance(pilot, str) else None


def _read(folder: RunFolder, attempt: int) -> dict[str, Any]:
    try:
        content = json.loads(read_regular(folder.job(attempt)))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}

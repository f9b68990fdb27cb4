"""A job that looks at a node: whether a run would find there what it needs."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.config import SlurmProfile
from engine.datasets.locate import cache_folder
from engine.errors import cut
from engine.machine.environment import code_folder
from engine.supervisor.slurm import client
from engine.supervisor.slurm.script import batch_script, job_environment, python_command
from engine.supervisor.slurm.words import in_words

WAIT_SECONDS = 120.0
"""For a node; a cluster that is full isn't broken."""
LATE_SECONDS = 20.0
"""After its job ended a file may be seen so late over a shared file system."""
LOOK_SECONDS = 0.5

PREFIX = ".probe-"


class StillWaitingError(client.SlurmError):
    """The job got no node while it was waited for."""


@dataclass(frozen=True)
class Probe:
    """What a node said, and when."""

    job: str
    said: dict[str, Any]
    """What `engine.worker.probe` writes."""
    sent: float
    """When the job was submitted, by the clock here; seconds since 1970."""
    received: float

    @property
    def skew(self) -> float:
        """Seconds that the node's clock is ahead of the one here at least; negative if behind."""
        told = float(self.said["t"])
        return max(0.0, told - self.received) + min(0.0, told - self.sent)


def probe(profile: SlurmProfile, runs: Path, wait_seconds: float = WAIT_SECONDS) -> Probe:
    """Run a job by a profile, in a folder beside those of the runs.

    Raises:
        StillWaitingError: it got no node in time; it was cancelled.
        SlurmError: it was refused, or failed; the sentence has the last line that it printed.
        OSError: a folder can't be made.
    """
    cache_folder().mkdir(parents=True, exist_ok=True)  # as the first data set would
    with _folder(runs) as folder:
        answer, script = folder / "answer.json", folder / "job.sh"
        command = [*python_command(profile, "engine.worker.probe"), str(answer)]
        command += ["--device", profile.device]
        script.write_text(batch_script(profile, command, job_environment(profile), code_folder()))
        sent = time.time()
        number = client.submit(script, folder, f"seqbench probe {folder.name}")
        try:
            return Probe(number, _answer(number, answer, wait_seconds), sent, time.time())
        finally:
            with suppress(client.SlurmError):
                client.cancel([number])


def _answer(number: str, answer: Path, wait_seconds: float) -> dict[str, Any]:
    deadline, over = time.monotonic() + wait_seconds, 0.0
    while True:
        with suppress(FileNotFoundError):
            said: dict[str, Any] = json.loads(answer.read_text())
            return said
        found = next((job for job in client.jobs() if job.id == number), None)
        now = time.monotonic()
        if found is None or found.over:
            over = over or now
            if now - over > LATE_SECONDS or (found and found.state != "COMPLETED"):
                raise client.SlurmError(_failure(number, found, answer.with_name("log.txt")))
        elif now > deadline:
            raise StillWaitingError(f"Its job {number} {in_words(found)}.")
        time.sleep(LOOK_SECONDS)


def _failure(number: str, job: client.Job | None, log: Path) -> str:
    what = f"Job {number} {in_words(job) if job else 'vanished'}"
    if job is not None and job.state == "COMPLETED":
        what += f" on {job.node}, but what it wrote to {log.parent} isn't seen here"
    with suppress(OSError):
        lines = map(str.strip, log.read_text(errors="replace").splitlines())
        # That a step ended or was cancelled stands there too, after the cause.
        told = [x for x in lines if x and not x.startswith("srun:") and "***" not in x]
        if told:
            return f"{what}: {cut(told[-1], 300)}"
    return f"{what}."


@contextmanager
def _folder(runs: Path) -> Iterator[Path]:
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=runs))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

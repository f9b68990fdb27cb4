"""Probing a node with a short job: whether a run would find there what it needs."""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.config import SlurmProfile
from engine.datasets.locate import cache_folder
from engine.errors import cut
from engine.supervisor.slurm import client
from engine.supervisor.slurm.script import batch_script, job_environment, python_command
from engine.supervisor.slurm.words import in_words
from engine.surroundings import code_folder

WAIT_SECONDS = 120.0
"""Most time to wait for a node; a cluster that is full isn't broken."""
LATE_SECONDS = 20.0
"""Most time until a file is seen over a shared file system, after its job has ended."""
LOOK_SECONDS = 0.5
"""Time between two looks for the answer."""

PREFIX = ".probe-"
"""The start of the name of a probe's folder."""


class StillWaitingError(client.SlurmError):
    """The job got no node in time."""


@dataclass(frozen=True)
class Probe:
    """A node's answer to a probe. Times are by the clock here, in seconds since 1970."""

    job: str
    """The job's number."""
    answer: dict[str, Any]
    """The description of the node, as `engine.worker.probe` writes it."""
    sent: float
    """When the job was submitted."""
    received: float
    """When the answer was read."""

    @property
    def skew(self) -> float:
        """Least seconds that the node's clock is ahead of the one here; negative if it is behind,
        0 if it may be right."""
        node_time = float(self.answer["t"])
        return max(0.0, node_time - self.received) + min(0.0, node_time - self.sent)


def probe(profile: SlurmProfile, runs: Path, wait_seconds: float = WAIT_SECONDS) -> Probe:
    """Submit a job by a profile, in a folder beside those of the runs, and wait for its answer.

    Raises:
        StillWaitingError: the job got no node in time, and was cancelled.
        SlurmError: the job was refused, or failed; the message has the last line that it printed.
        OSError: a folder can't be made.
    """
    cache_folder().mkdir(parents=True, exist_ok=True)  # as the first data set would
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=PREFIX, dir=runs, ignore_cleanup_errors=True
    ) as temporary:
        folder = Path(temporary)
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


def _answer(number: str, file: Path, wait_seconds: float) -> dict[str, Any]:
    """Wait for the file with the answer of a job, and return its content. Raises as `probe`."""
    deadline, over = time.monotonic() + wait_seconds, 0.0
    while True:
        with suppress(FileNotFoundError):
            answer: dict[str, Any] = json.loads(file.read_text())
            return answer
        found = next((job for job in client.jobs() if job.id == number), None)
        now = time.monotonic()
        if found is None or found.over:
            over = over or now
            if now - over > LATE_SECONDS or (found and found.state != "COMPLETED"):
                raise client.SlurmError(_failure(number, found, file.with_name("log.txt")))
        elif now > deadline:
            raise StillWaitingError(f"Its job {number} {in_words(found)}.")
        time.sleep(LOOK_SECONDS)


def _failure(number: str, job: client.Job | None, log: Path) -> str:
    """Return a sentence on a job that gave no answer, with the last line of its log."""
    what = f"Job {number} {in_words(job) if job else 'vanished'}"
    if job is not None and job.state == "COMPLETED":
        what += f" on {job.node}, but what it wrote to {log.parent} isn't seen here"
    with suppress(OSError):
        lines = map(str.strip, log.read_text(errors="replace").splitlines())
        # Slurm adds after the cause that a step ended or was cancelled.
        causes = [x for x in lines if x and not x.startswith("srun:") and "***" not in x]
        if causes:
            return f"{what}: {cut(causes[-1], 300)}"
    return f"{what}."

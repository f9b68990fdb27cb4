"""Pilots: jobs that take runs out of an inbox (`engine.inbox`) until their time ends."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.config import SlurmProfile
from engine.files.atomic import write_atomically
from engine.inbox import WORKERS, Assignment, WorkerFolder, safe_name, worker_folder
from engine.runfolder import RunFolder
from engine.supervisor.slurm import client
from engine.supervisor.slurm.jobfile import Placement, save_job
from engine.supervisor.slurm.script import pilot_job_name, pilot_script
from engine.supervisor.slurm.submitted import Submitted

log = logging.getLogger("seqbench")


@dataclass(eq=False)
class Pilot:
    """A pilot, from when its folder is made until its job is gone and no attempt is in it."""

    folder: WorkerFolder
    job: Submitted
    handed: int = 0
    """How many attempts it was handed."""
    shared: bool = False
    """Whether several attempts were in it when its job was gone."""

    @property
    def used(self) -> bool:
        """Whether it was ever handed an attempt."""
        return self.handed > 0

    @property
    def name(self) -> str:
        """The name of its folder: profile, `terms_of`, and what tells it from others."""
        return self.folder.path.name

    @property
    def terms(self) -> str:
        """What it was submitted by."""
        return self.name.split(".")[-2]

    @property
    def script(self) -> Path:
        """The job script that is submitted, or was."""
        return self.folder.path / "job.sh"

    @property
    def is_live(self) -> bool:
        """Whether its job waits or runs, for all that is known, and is to."""
        return self.job.gone is None and not self.job.cancel

    @property
    def is_open(self) -> bool:
        """Whether it can be handed attempts."""
        return self.is_live and self.job.number is not None and self.folder.is_open

    @property
    def is_coming(self) -> bool:
        """Whether its job was submitted, or is to be, and takes no attempts yet."""
        return self.is_live and not self.used and not self.folder.inbox.exists()

    @property
    def is_leaving(self) -> bool:
        """Whether it has taken attempts, and takes no more."""
        return self.is_live and self.used and not self.folder.is_open

    @property
    def was_ended(self) -> bool:
        """Whether the supervisor ended its job."""
        return _ended(self.folder).exists()

    def end(self) -> None:
        """Let its job be cancelled."""
        self.job.cancel = True
        with suppress(OSError):
            _ended(self.folder).touch()

    def submit(self) -> None:
        """Submit its job.

        Raises:
            SlurmError: Slurm refuses it, or doesn't answer.
        """
        self.job.keep(client.submit(self.script, self.folder.path, self.job.name))
        log.info("pilot %s is job %s", self.name, self.job.number)

    def hand_over(self, run: RunFolder, attempt: int, profile: SlurmProfile) -> Placement | None:
        """Hand an attempt to the pilot; ``None`` if that takes no more.

        The next supervisor finds the attempt by its file with the job's number, without which it
        was handed to nobody.

        Raises:
            OSError: it can't be written; then it was handed to nobody.
        """
        assert self.job.number is not None
        placement = Placement(self.name, not self.used)
        handed = False
        try:
            with _handed(self.folder).open("ab") as count:
                count.write(b".")
        except FileNotFoundError:  # its folder is gone
            return None
        try:
            save_job(run, attempt, self.job.number, self.job.name, profile, placement)
            shutil.copyfile(self.script, run.job_script(attempt))
            handed = self.offer(run, attempt, profile)
        finally:
            if not handed:
                run.job(attempt).unlink(missing_ok=True)
                run.job_script(attempt).unlink(missing_ok=True)
        self.handed += handed
        return placement if handed else None

    def offer(self, run: RunFolder, attempt: int, profile: SlurmProfile) -> bool:
        """Put an attempt into the inbox; return whether there is one. Raises `OSError`."""
        path = str(run.path.absolute())
        return self.folder.offer(Assignment(path, attempt, profile.device, profile.cpus))

    def remove(self) -> None:
        """Remove its folder."""
        shutil.rmtree(self.folder.path, ignore_errors=True)


def terms_of(profile: SlurmProfile) -> str:
    """Return a digest of what a pilot is submitted by, all but its name. A changed profile, or
    another environment of the supervisor, is for new pilots."""
    anywhere = WorkerFolder(Path("/"))
    return hashlib.sha256(pilot_script(profile, anywhere).encode()).hexdigest()[:8]


def make_pilot(runs: Path, profile: SlurmProfile) -> Pilot:
    """Make the folder of a pilot that is to be submitted.

    Args:
        runs: the folder of the run folders.

    Raises:
        OSError: it can't be written.
    """
    name = f"{safe_name(profile.name)}.{terms_of(profile)}.{secrets.token_hex(4)}"
    pilot = load_pilot(runs, name)
    pilot.folder.path.mkdir(mode=0o700, parents=True)
    pilot.script.write_text(pilot_script(profile, pilot.folder))
    return pilot


def load_pilot(runs: Path, name: str) -> Pilot:
    """Return a pilot as its folder says; that folder may be absent."""
    folder = worker_folder(runs.absolute(), name)
    number_file = folder.path / "job.json"

    def save(number: str) -> None:
        write_atomically(number_file, json.dumps({"job": number}))

    job = Submitted(pilot_job_name(runs, name), save, cancel=_ended(folder).exists())
    with suppress(OSError, ValueError, KeyError):
        job.number = str(json.loads(number_file.read_text())["job"])
    handed = 0
    with suppress(OSError):
        handed = _handed(folder).stat().st_size
    return Pilot(folder, job, handed)


def pilots_of(runs: Path, profile: SlurmProfile) -> Iterable[Pilot]:
    """Return the pilots of a profile whose folders are there, by name."""
    name = safe_name(profile.name)
    for script in sorted((runs / WORKERS).glob("*/job.sh")):
        if script.parent.name.rsplit(".", 2)[0] == name:
            yield load_pilot(runs, script.parent.name)


def _handed(folder: WorkerFolder) -> Path:
    """Has a byte for each attempt that the pilot was to be handed."""
    return folder.path / "handed"


def _ended(folder: WorkerFolder) -> Path:
    """Present if the supervisor ended the pilot."""
    return folder.path / "ended"

"""The folder of a resident worker, ``runs/.workers/<name>/``, and the inbox in it, through which
attempts are handed to it.

An attempt's file in the inbox says that a worker is to train it. The worker removes the file as the
last thing that it does for the attempt, after the journal's ``end`` and the release of the run's
lock. Whoever else removes it takes the attempt back: a worker begins an attempt only if its file is
there **after** it has taken the run's lock, so that once the file is removed and the lock is seen
free, the attempt never begins.

A *pilot* is a resident worker that is a job of a cluster. Its folder has its job's name, and only
one process ever serves it: it makes the inbox when it is ready and removes it when it ends, so that
an assignment is handed to a pilot only while it is there.
"""

from __future__ import annotations

import errno
import json
import os
import re
import select
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.files.atomic import write_atomically
from engine.files.lock import is_locked, read_holder
from engine.process import ProcessIdentity
from engine.runfolder import RUN_ID, RunFolder

WORKERS = ".workers"
"""The folder of the workers' folders, beside the runs' folders."""

_ASSIGNMENT = re.compile(rf"(?P<run>{RUN_ID.pattern})\.(?P<attempt>[1-9][0-9]{{0,8}})\.json")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True)
class Assignment:
    """An attempt that a resident worker is to train."""

    folder: str
    """The run's folder, absolute."""
    attempt: int
    device: str
    """``cpu`` or ``cuda``."""
    threads: int
    visible: str | None = None
    """``CUDA_VISIBLE_DEVICES`` of the worker; ``None`` leaves it as it is."""

    @property
    def run(self) -> RunFolder:
        """The run's folder."""
        return RunFolder(Path(self.folder))

    @property
    def name(self) -> str:
        """The name of its file in the inbox."""
        return _name(self.run.run_id, self.attempt)


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What a worker that trains several runs at once says of itself, about twice a second."""

    t: float
    """When, in seconds since 1970."""
    runs: int
    """In training."""
    updates_per_second: float
    """Of all of them together."""
    wants: int
    """How many runs at once are worth while."""
    room_mib: float | None
    """Memory of the GPU that its runs can have together; ``None`` if it isn't known."""


def safe_name(text: str) -> str:
    """Return a text as the name of a worker's folder."""
    return _UNSAFE.sub("-", text)


@dataclass(frozen=True)
class WorkerFolder:
    """The files of one resident worker, which several processes serve one after another."""

    path: Path

    @property
    def inbox(self) -> Path:
        """The folder of the assignments; absent if no worker serves it."""
        return self.path / "inbox"

    @property
    def lock(self) -> Path:
        """Locked (flock) by the worker while it is alive, with its identity."""
        return self.path / "lock"

    @property
    def log(self) -> Path:
        """What the process writes that is no run's."""
        return self.path / "log.txt"

    @property
    def state(self) -> Path:
        """What the worker does at the moment, as JSON."""
        return self.path / "state.json"

    @property
    def closing(self) -> Path:
        """Present once a pilot begins no more assignments."""
        return self.path / "closing"

    @property
    def is_open(self) -> bool:
        """Whether a pilot takes assignments."""
        return self.inbox.exists() and not self.closing.exists()

    def open(self) -> bool:
        """Make the inbox of a pilot; return whether it was absent: else another process of the same
        name serves it. Works across nodes, as locks may not.

        Raises:
            OSError: it can't be made.
        """
        try:
            self.inbox.mkdir(mode=0o700)
        except FileExistsError:
            return False
        return True

    def offer(self, assignment: Assignment) -> bool:
        """Put an assignment into the inbox if a pilot has one; return whether.

        Raises:
            OSError: it can't be written; then it isn't there.
        """
        aside = self.path / assignment.name
        try:
            write_atomically(aside, json.dumps(asdict(assignment)))
            aside.replace(self.inbox / assignment.name)
        except FileNotFoundError:  # it has ended
            aside.unlink(missing_ok=True)
            return False
        except OSError:
            aside.unlink(missing_ok=True)
            raise
        return True

    def hand_over(self, assignment: Assignment) -> bool:
        """Put an assignment into the inbox.

        Returns:
            Whether the inbox was absent: then a worker that may still be alive is ending, and
            another one must be started.

        Raises:
            OSError: it can't be written; then it isn't there.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = self.path / assignment.name
        write_atomically(aside, json.dumps(asdict(assignment)))
        absent = False
        try:
            while True:
                try:
                    self.inbox.mkdir(mode=0o700)
                    absent = True
                except FileExistsError:
                    pass
                with suppress(FileNotFoundError):  # the worker ended in between
                    aside.replace(self.inbox / assignment.name)
                    break
        except OSError:
            aside.unlink(missing_ok=True)
            self.take_back(assignment.run.run_id, assignment.attempt)
            raise
        return absent

    def assignments(self) -> list[Assignment]:
        """List the assignments, oldest first; those that can't be read are left out.

        Raises:
            FileNotFoundError: there is no inbox.
            OSError: it can't be read.
        """
        found: list[tuple[int, str, Assignment]] = []
        for path in self.inbox.iterdir():
            if _ASSIGNMENT.fullmatch(path.name):
                with suppress(OSError, ValueError, TypeError):
                    assignment = Assignment(**json.loads(path.read_text()))
                    found.append((path.stat().st_mtime_ns, path.name, assignment))
        return [assignment for *_, assignment in sorted(found, key=lambda each: each[:2])]

    def has(self, run: str, attempt: int) -> bool:
        """Whether an attempt is in the inbox, from when it is handed over until it is over."""
        return (self.inbox / _name(run, attempt)).exists()

    def assignment(self, run: str, attempt: int) -> Assignment | None:
        """Return an attempt's assignment; ``None`` if it isn't there, or can't be read."""
        with suppress(OSError, ValueError, TypeError):
            return Assignment(**json.loads((self.inbox / _name(run, attempt)).read_text()))
        return None

    def take_back(self, run: str, attempt: int) -> None:
        """Remove an attempt from the inbox, if it is there."""
        with suppress(FileNotFoundError, NotADirectoryError):
            (self.inbox / _name(run, attempt)).unlink()

    def end_without_room(self, run: str, attempt: int) -> None:
        """Remove an attempt from the inbox, and leave word that a full disk kept its end from being
        written. Needs no room."""
        with suppress(FileNotFoundError):
            (self.inbox / _name(run, attempt)).replace(self._without_room(run, attempt))

    def ended_without_room(self, run: str, attempt: int) -> bool:
        """Take the word that `end_without_room` left; return whether it was there."""
        try:
            self._without_room(run, attempt).unlink()
        except FileNotFoundError:
            return False
        return True

    def close(self) -> bool:
        """Remove the inbox; return whether it is gone: it stays while an assignment is in it."""
        try:
            self.inbox.rmdir()
        except FileNotFoundError:
            return True
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            return False
        return True

    def write_state(self, state: WorkerState) -> None:
        """Write what the worker says of itself, without waiting for the disk: after a crash it is
        worth nothing. Raises `OSError`."""
        aside = self.path / "state.new"
        aside.write_text(json.dumps(asdict(state)))
        aside.replace(self.state)

    def read_state(self) -> WorkerState | None:
        """Return what the worker last said of itself; ``None`` if it hasn't, or can't be read."""
        with suppress(OSError, ValueError, TypeError):
            return WorkerState(**json.loads(self.state.read_text()))
        return None

    def is_served(self) -> bool:
        """Whether a worker is alive that has the lock."""
        return is_locked(self.lock)

    def worker(self) -> ProcessIdentity | None:
        """Return the process that has, or last had, the lock; ``None`` if it isn't known."""
        return _identity(read_holder(self.lock) or {})

    def _without_room(self, run: str, attempt: int) -> Path:
        return self.path / f"{run}.{attempt}.without-room"


def worker_folder(runs: Path, name: str) -> WorkerFolder:
    """Return the folder of a worker of a store.

    Args:
        runs: the folder of the run folders.
    """
    return WorkerFolder(runs / WORKERS / safe_name(name))


def _name(run: str, attempt: int) -> str:
    return f"{run}.{attempt}.json"


def _identity(about: Mapping[str, Any]) -> ProcessIdentity | None:
    try:
        return ProcessIdentity(int(about["pid"]), str(about["boot_id"]), int(about["start_ticks"]))
    except (KeyError, TypeError, ValueError):
        return None


class Bell:
    """Wakes a store's supervisor when a worker is done with an attempt: a named pipe beside the
    workers' folders. Where there can't be one, the supervisor looks at its usual times.

    Args:
        runs: the folder of the run folders.
    """

    def __init__(self, runs: Path) -> None:
        path = _bell(runs)
        self._descriptor: int | None = None
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.mkfifo(path, 0o600)
            if stat.S_ISFIFO(path.lstat().st_mode):
                # For writing, too: else it would read as ended whenever no worker has it open.
                self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def wait(self, seconds: float, otherwise: Callable[[float], object]) -> None:
        """Wait until a worker rings, at most this many seconds.

        Args:
            otherwise: waits where there is no pipe.
        """
        if self._descriptor is None:
            otherwise(seconds)
            return
        select.select([self._descriptor], [], [], seconds)
        with suppress(OSError):
            os.read(self._descriptor, 65_536)

    def close(self) -> None:
        """Close the pipe."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def ring(worker: WorkerFolder) -> None:
    """Tell the supervisor, if one listens, that something has changed in a worker's inbox."""
    with suppress(OSError):  # nobody listens, or it has been told enough
        descriptor = os.open(
            _bell(worker.path.parent.parent), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
        )
        try:
            os.write(descriptor, b"\n")
        finally:
            os.close(descriptor)


def _bell(runs: Path) -> Path:
    return runs / WORKERS / "bell"

"""Starting the supervisor of a store, unless one runs. Quick to import."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from engine.errors import StoreError
from engine.files.lock import is_locked, read_holder
from engine.machine.environment import background_environment
from engine.store.location import StoreLocation

SUPERVISOR = (sys.executable, "-P", "-m", "engine.supervisor")

_started: list[int] = []
"""Pids of the supervisors that this process started and hasn't reaped."""
_reaping = threading.Lock()


def supervisor_running(location: StoreLocation) -> bool:
    """Whether a supervisor works this store, of this version or an earlier one.

    Raises:
        StoreError: its lock can't be read.
    """
    try:
        return is_locked(location.supervisor_lock)
    except OSError as error:
        raise StoreError(f"{location.supervisor_lock} can't be read: {error.strerror}.") from None


def ensure_supervisor(
    location: StoreLocation,
    config_dir: Path | None = None,
    command: Sequence[str] = SUPERVISOR,
) -> None:
    """Start a supervisor, detached from this terminal, unless one runs; return at once.

    To be called after the commit of what the supervisor is to see. Two callers at once may start
    two supervisors: one of them gets the lock, the other ends.

    Args:
        config_dir: the user's configuration folder.
        command: the start of the supervisor's command line.

    Raises:
        StoreError: none can be started, or the folder is another store's.
    """
    _reap()
    if supervisor_running(location):
        _check_same_store(location)
        return
    arguments = [*command, "--db", str(location.db)]
    if config_dir is not None:
        arguments += ["--config-dir", str(config_dir.resolve())]
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    try:
        location.runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A `subprocess.Popen` would warn when this process ends before its child.
        pid = os.posix_spawn(
            command[0],
            arguments,
            background_environment(),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(location.supervisor_log), append, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
    except OSError as error:
        raise StoreError(
            f"No background process can be started for {location.db}: {error.strerror}."
        ) from None
    with _reaping:
        _started.append(pid)


def _reap() -> None:
    """Reap supervisors that this process started and that have ended."""
    with _reaping:
        for pid in list(_started):
            with suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG)[0] == 0:
                    continue
            _started.remove(pid)


def _check_same_store(location: StoreLocation) -> None:
    """Raise `StoreError` if the running supervisor works another database in this folder."""
    holder = read_holder(location.supervisor_lock)
    if holder is None:
        return  # it just started, and hasn't written it yet
    db = Path(holder["db"])
    if db != location.db.resolve():
        raise StoreError(
            f"{location.runs} is being worked for {db}: put {location.db.name} into a folder of "
            "its own."
        )

"""Starting attempts, telling whether they live, and ending them: on this machine, or (another
`Launcher`) somewhere else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from engine.lock import is_locked
from engine.process import ProcessIdentity, identify, is_alive
from engine.runfolder import RunFolder
from engine.scheduling.environment import background_environment
from engine.scheduling.slots import Slot
from engine.store.transitions import LiveAttempt

# -P: a folder called `engine` where the user stands is not ours.
WORKER = (sys.executable, "-P", "-m", "engine.worker")

SILENCE_SECONDS = 60.0
"""An attempt on another host is thought gone when its journal, which has a heartbeat every 5 s,
didn't grow for so long."""


class Launcher(Protocol):
    """What the supervisor needs of a way to run attempts. Methods return at once.

    What a launcher must know again after a crash (a job's number, say) belongs in the run folder,
    which every method is given; the identity of a process on this host is kept by the store.
    """

    def start(self, folder: RunFolder, attempt: int, slot: Slot) -> ProcessIdentity | None:
        """Start one attempt.

        Returns its process, where there is one that this host knows.

        Raises:
            OSError: it can't be started.
        """

    def alive(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        """Whether any process of the attempt may still run (its folder is not to be touched)."""

    def stop(self, folder: RunFolder, attempt: LiveAttempt, how: Literal["ask", "kill"]) -> bool:
        """Ask the attempt to end (it may write its last words), or end it. ``False`` if it can't
        be reached at this moment."""

    def exit_status(self, folder: RunFolder, attempt: int) -> int | None:
        """How it exited, as `subprocess.Popen.returncode`; ``None`` if that isn't known."""


def thread_environment(threads: int) -> dict[str, str]:
    """What tells a process's numerical libraries how many threads to use, and how they wait.

    Threads that spin for long cost a shared machine several times the work; ones that never do cost
    a fifth of a small model's training, because waking them takes longer than many operations.
    """
    return {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",
        "GOMP_SPINCOUNT": "1000",  # some ten microseconds
    }


@dataclass
class LocalLauncher:
    """Processes on this machine, each the leader of a session of its own."""

    command: Sequence[str] = WORKER
    """Before the run folder and the options."""
    host: str = field(default_factory=socket.gethostname)
    _children: dict[tuple[str, int], subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, folder: RunFolder, attempt: int, slot: Slot) -> ProcessIdentity | None:
        environment = {
            **background_environment(),
            **thread_environment(slot.threads),
            "PYTHONUNBUFFERED": "1",
        }
        if slot.visible is not None:
            environment["CUDA_VISIBLE_DEVICES"] = slot.visible
        with folder.log.open("ab") as log:
            child = subprocess.Popen(
                [
                    *self.command,
                    str(folder.path),
                    *("--attempt", str(attempt)),
                    *("--device", slot.device),
                    *("--threads", str(slot.threads)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder.path,
                env=environment,
                start_new_session=True,
            )
        self._children[folder.run_id, attempt] = child
        return identify(child.pid)

    def alive(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        child = self._children.get((attempt.run, attempt.attempt))
        if child is not None and child.poll() is None:
            return True
        if attempt.identity is not None and is_alive(attempt.identity):
            return True
        if attempt.host not in (None, self.host) and attempt.last_growth is not None:
            return time.time() - attempt.last_growth < SILENCE_SECONDS
        # Last, because looking takes the lock for a moment, and a worker that just starts would
        # take that for another worker.
        return is_locked(folder.lock)

    def stop(
        self,
        folder: RunFolder,  # noqa: ARG002
        attempt: LiveAttempt,
        how: Literal["ask", "kill"],
    ) -> bool:
        if attempt.identity is None or not is_alive(attempt.identity):
            return False
        try:
            # The worker leads its session, so its group has its number.
            os.killpg(attempt.identity.pid, signal.SIGTERM if how == "ask" else signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def exit_status(self, folder: RunFolder, attempt: int) -> int | None:
        child = self._children.pop((folder.run_id, attempt), None)
        return None if child is None else child.poll()

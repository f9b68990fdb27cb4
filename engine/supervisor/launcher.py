"""Starting attempts, telling whether they live, and ending them: on this machine, or (another
`Launcher`, such as `engine.supervisor.slurm`) somewhere else."""

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

from engine.journal import NO_ROOM
from engine.lock import is_locked
from engine.machine.environment import background_environment, thread_environment
from engine.machine.slots import Slot
from engine.process import ProcessIdentity, identify, is_alive
from engine.runfolder import RunFolder
from engine.store.jobs import JobFacts
from engine.store.transitions import LiveAttempt

# -P: a folder called `engine` where the user stands is not ours.
WORKER = (sys.executable, "-P", "-m", "engine.worker")

TORCHRUN = (
    *(sys.executable, "-P", "-m", "torch.distributed.run", "--standalone"),
    *("--local-addr", "localhost", "--nproc-per-node"),
)
"""Before the number of processes, and the module that each of them is."""

SILENCE_SECONDS = 60.0
"""An attempt on another host is thought gone when its journal, which has a heartbeat every 5 s,
didn't grow for so long."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended that doesn't say so itself."""

    status: Literal["cancelled", "failed", "lost", "preempted"]
    cause: str
    message: str


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

    def patient(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        """Whether a living attempt has a reason to be silent: it waits for a node, say."""

    def ending(self, folder: RunFolder, attempt: LiveAttempt) -> Ending:
        """How an attempt ended that isn't alive, as far as its launcher knows. A last word that
        the attempt wrote itself counts more, but for `cancelled`: it doesn't know of that."""

    def job(self, folder: RunFolder, attempt: LiveAttempt) -> JobFacts | None:
        """What a cluster's scheduler says of the attempt, where there is one."""


@dataclass(frozen=True)
class Pool:
    """A launcher, and how many runs it has room for."""

    launcher: Launcher
    slots: Sequence[Slot]


def together(command: Sequence[str], processes: int) -> list[str]:
    """``python -m engine.worker ...`` as so many processes on this machine."""
    module = command.index("-m")
    started = (*TORCHRUN, str(processes), *command[module:])
    return [*started, "--processes", str(processes)]


def spread_environment() -> dict[str, str]:
    """What the processes that ``torchrun`` starts need: it doesn't hand on ``-P``, and they talk to
    each other on this machine alone, whatever its name resolves to."""
    return {"PYTHONSAFEPATH": "1", "GLOO_SOCKET_IFNAME": "lo"}


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
        command = [
            *self.command,
            str(folder.path),
            *("--attempt", str(attempt)),
            *("--device", slot.device),
            *("--threads", str(slot.threads)),
        ]
        if slot.processes > 1:
            command = together(command, slot.processes)
            environment |= spread_environment()
        with folder.log.open("ab") as log:
            child = subprocess.Popen(
                command,
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

    def patient(self, folder: RunFolder, attempt: LiveAttempt) -> bool:  # noqa: ARG002
        return False

    def ending(self, folder: RunFolder, attempt: LiveAttempt) -> Ending:
        child = self._children.pop((folder.run_id, attempt.attempt), None)
        status = None if child is None else child.poll()
        if status == NO_ROOM:
            return Ending("lost", "disk-full", "The disk is full: make room.")
        cause = "killed" if status == -signal.SIGKILL else "lost"
        message = f"Its process {_how(status)}; `seqbench logs {folder.run_id}` may say why."
        return Ending("lost", cause, message)

    def job(self, folder: RunFolder, attempt: LiveAttempt) -> JobFacts | None:  # noqa: ARG002
        return None


def _how(exit_status: int | None) -> str:
    """What became of a process, after its `subprocess.Popen.returncode`."""
    if exit_status is None:
        return "vanished"
    if exit_status >= 0:
        return f"exited with {exit_status} without a last word"
    try:
        name = signal.Signals(-exit_status).name
    except ValueError:
        name = f"signal {-exit_status}"
    hint = ": the machine may have run out of memory" if name == "SIGKILL" else ""
    return f"was ended by {name}{hint}"

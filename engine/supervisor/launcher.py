"""Launchers start attempts, know whether these live, and end them: `LocalLauncher` on this machine,
others, such as `engine.supervisor.slurm`, elsewhere."""

from __future__ import annotations

import errno
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from engine.files.lock import is_locked
from engine.inbox import WorkerState
from engine.journal import NO_ROOM
from engine.machine.environment import background_environment, thread_environment
from engine.machine.slots import Slot
from engine.process import ProcessIdentity, identify, is_alive
from engine.runfolder import RunFolder
from engine.store.jobs import JobFacts
from engine.store.transitions import LiveAttempt
from engine.supervisor.sessions import Sessions, signal_session

# -P: a folder called `engine` in the working folder is not this package.
WORKER = (sys.executable, "-P", "-m", "engine.worker")

TORCHRUN = (
    *(sys.executable, "-P", "-m", "torch.distributed.run", "--standalone"),
    *("--local-addr", "localhost", "--nproc-per-node"),
)
"""The start of torchrun's command line; the number of processes and their module follow."""

SILENCE_SECONDS = 60.0
"""Seconds without growth of its journal, which has a heartbeat every 5 s, after which an attempt on
another host counts as gone."""


SCARCE = frozenset(
    {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT}
)
"""Errors at a start that are the machine's fault, not the run's: the start is tried again."""

HowToStop = Literal["ask", "end", "kill"]
"""``ask`` concerns the attempt only. ``end`` asks its process to end, so that whatever else it
trains ends as preempted; ``kill`` doesn't ask."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The ending of an attempt if its journal doesn't say."""

    status: Literal["cancelled", "failed", "lost", "preempted"]
    cause: str
    message: str
    counts: bool = True
    """Whether to be stopped from outside, without a checkpoint, shows that the run needs longer at
    a time; not if the attempt had only a part of its job's time."""


NO_ROOM_LEFT = Ending("lost", "disk-full", "The disk is full: make room.")
"""Of an attempt that a full disk kept from writing its end."""


class Joins(Protocol):
    """Decides whether a run may be trained beside others in one process."""

    def __call__(
        self, run: str, beside: Sequence[str], slot: Slot, state: WorkerState | None
    ) -> bool:
        """Return whether it may.

        Args:
            state: what the process last said of itself.
        """


class Launcher(Protocol):
    """A way to run attempts, as the supervisor uses it. Methods return at once.

    What a launcher must know after a crash, such as a job's number, it keeps in the run folder,
    which every method is given; the store keeps the identity of a process on this host.
    """

    def worker(self, slot: Slot) -> str | None:
        """Return the name of the resident worker that trains the attempts in a slot; ``None`` if
        each has a process of its own."""

    def start(self, folder: RunFolder, attempt: int, slot: Slot) -> ProcessIdentity | None:
        """Start an attempt in a slot.

        Returns:
            Its process; ``None`` if that isn't a process of this host.

        Raises:
            OSError: it can't be started.
        """

    def alive(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        """Whether a process of the attempt may still run, so that its folder must be left alone."""

    def stop(self, folder: RunFolder, attempt: LiveAttempt, how: HowToStop) -> bool:
        """Ask the attempt to end, so that it writes how it ended, or end its process.

        Returns:
            Whether it could be reached.
        """

    def may_be_silent(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        """Whether a living attempt has a reason to write nothing, such as waiting for a node."""

    def ending(self, folder: RunFolder, attempt: LiveAttempt) -> Ending:
        """Return how an attempt ended that isn't alive, as far as the launcher knows.

        The ending in the attempt's journal goes before it, unless this one is ``cancelled``, which
        the attempt can't know.
        """

    def place(self, joins: Joins) -> None:
        """Hand attempts that wait to processes that are ready for them; called in every round.

        Args:
            joins: whether a run may be trained beside others.
        """

    def job(self, folder: RunFolder, attempt: LiveAttempt) -> JobFacts | None:
        """Return what a cluster's scheduler says of the attempt; ``None`` without one."""


@dataclass(frozen=True)
class Pool:
    """A launcher with its slots."""

    launcher: Launcher
    slots: Sequence[Slot]


def torchrun_command(command: Sequence[str], processes: int) -> list[str]:
    """Return the command that runs ``python -m engine.worker …`` as several processes under
    ``torchrun``."""
    module = command.index("-m")
    started = (*TORCHRUN, str(processes), *command[module:])
    return [*started, "--processes", str(processes)]


def torchrun_environment() -> dict[str, str]:
    """Return the variables for the processes that ``torchrun`` starts: it doesn't pass on ``-P``,
    and they are to connect on this machine, whatever its name resolves to."""
    return {"PYTHONSAFEPATH": "1", "GLOO_SOCKET_IFNAME": "lo"}


@dataclass
class LocalLauncher:
    """Runs attempts as processes on this machine, each the leader of a session of its own."""

    command: Sequence[str] = WORKER
    """The start of a worker's command line; the run folder and the options follow."""
    niceness: int = 0
    """That of every process of an attempt, 0 to 19."""
    host: str = field(default_factory=socket.gethostname)
    _children: dict[tuple[str, int], subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sessions = Sessions(self.niceness)

    def worker(self, slot: Slot) -> str | None:  # noqa: ARG002
        return None

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
            command = torchrun_command(command, slot.processes)
            environment |= torchrun_environment()
        child = self._sessions.start(command, folder.log, folder.path, environment)
        self._children[folder.run_id, attempt] = child
        return identify(child.pid)

    def alive(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        if self._sessions.runs(self._children.get((attempt.run, attempt.attempt))):
            return True
        if attempt.identity is not None and is_alive(attempt.identity):
            return True
        if attempt.host not in (None, self.host) and attempt.last_growth is not None:
            return time.time() - attempt.last_growth < SILENCE_SECONDS
        # Last, because the check takes the lock for a moment, which a worker that just starts would
        # take for another worker's.
        return is_locked(folder.lock)

    def stop(
        self,
        folder: RunFolder,  # noqa: ARG002
        attempt: LiveAttempt,
        how: HowToStop,
    ) -> bool:
        number = signal.SIGKILL if how == "kill" else signal.SIGTERM
        return signal_session(attempt.identity, number)

    def may_be_silent(self, folder: RunFolder, attempt: LiveAttempt) -> bool:  # noqa: ARG002
        return False

    def ending(self, folder: RunFolder, attempt: LiveAttempt) -> Ending:
        child = self._children.pop((folder.run_id, attempt.attempt), None)
        status = None if child is None else child.poll()
        return NO_ROOM_LEFT if status == NO_ROOM else vanished(folder, status)

    def place(self, joins: Joins) -> None:
        pass

    def job(self, folder: RunFolder, attempt: LiveAttempt) -> JobFacts | None:  # noqa: ARG002
        return None


def vanished(folder: RunFolder, status: int | None) -> Ending:
    """Return the ending of an attempt whose process ended without a last word.

    Args:
        status: the process's `subprocess.Popen.returncode`; ``None`` is unknown.
    """
    cause = "killed" if status == -signal.SIGKILL else "lost"
    message = f"Its process {_exit_in_words(status)}; `seqbench logs {folder.run_id}` may say why."
    return Ending("lost", cause, message)


def _exit_in_words(exit_status: int | None) -> str:
    """Return how a process ended, from its `subprocess.Popen.returncode`; ``None`` is unknown."""
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

"""Processes that lead sessions of their own, which live on when their supervisor ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.machine.priority import lower_priority_of_session
from engine.process import ProcessIdentity, is_alive


@dataclass
class Sessions:
    """Starts processes, each the leader of a session, and gives all in it a niceness."""

    niceness: int = 0
    _to_lower: set[int] = field(default_factory=set)
    """Process numbers of those whose session doesn't have the niceness yet."""

    def start(
        self, command: Sequence[str], log: Path, folder: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start a process whose output goes to the end of a log.

        Args:
            folder: its working folder.

        Raises:
            OSError: it can't be started.
        """
        with log.open("ab") as output:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )
        self._to_lower.add(child.pid)
        self.runs(child)
        return child

    def runs(self, child: subprocess.Popen[bytes] | None) -> bool:
        """Whether a process that was started here still runs. Gives its session the niceness at
        each call until the kernel takes it."""
        if child is None:
            return False
        if child.poll() is not None:
            self._to_lower.discard(child.pid)
            return False
        if child.pid in self._to_lower and lower_priority_of_session(child.pid, self.niceness):
            self._to_lower.remove(child.pid)
        return True


def signal_session(leader: ProcessIdentity | None, number: signal.Signals) -> bool:
    """Send a signal to a session's processes; return whether its leader could be reached."""
    if leader is None or not is_alive(leader):
        return False
    try:
        os.killpg(leader.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True

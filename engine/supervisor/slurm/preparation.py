"""Preparing data sets here, before the jobs that need them, rather than on every node."""

from __future__ import annotations

import subprocess
import sys

from engine.errors import DataError
from engine.machine.environment import background_environment
from engine.runfolder import RunFolder
from engine.specfile import load_spec

COMMAND = (sys.executable, "-P", "-m", "engine.worker.prepare")


class Preparations:
    """Prepares data sets, each in a process of its own, in the cache that the jobs read too."""

    def __init__(self) -> None:
        self._ready: set[str] = set()
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def ready(self, folder: RunFolder) -> bool:
        """Whether a run's data set is prepared. If it isn't, its preparation is started, unless it
        is under way already.

        Raises:
            DataError: the data set can't be prepared.
            StoreError: the run's configuration can't be read.
            OSError: no process can be started.
        """
        source = load_spec(folder).source
        key = source.model_dump_json()
        if source.synthetic is not None or key in self._ready:
            return True
        process = self._processes.get(key)
        if process is None:
            self._processes[key] = subprocess.Popen(
                [*COMMAND, str(folder.path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
                env=background_environment(),
            )
            return False
        if process.poll() is None:
            return False
        del self._processes[key]
        output = process.communicate()[0].strip()
        if process.returncode:
            raise DataError(output or f"{source.title} can't be prepared: see runs/supervisor.log.")
        self._ready.add(key)
        return True

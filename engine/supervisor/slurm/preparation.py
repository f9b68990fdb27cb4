"""Preparing data once, before the jobs that need it, and not once on every node."""

from __future__ import annotations

import subprocess
import sys

from engine.errors import DataError
from engine.machine.environment import background_environment
from engine.runfolder import RunFolder
from engine.specfile import load_spec

COMMAND = (sys.executable, "-P", "-m", "engine.worker.prepare")


class Preparations:
    """Which data sets are prepared: a process each, in the cache that the jobs read as well."""

    def __init__(self) -> None:
        self._ready: set[str] = set()
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def ready(self, folder: RunFolder) -> bool:
        """Whether a run's data set is prepared; if not, that is begun, unless it is under way.

        Raises:
            DataError: it can't be prepared.
            StoreError, OSError: the run's configuration can't be read, or no process started.
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
        said = process.communicate()[0].strip()
        if process.returncode:
            raise DataError(said or f"{source.title} can't be prepared: see runs/supervisor.log.")
        self._ready.add(key)
        return True

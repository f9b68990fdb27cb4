"""Judging a data set in a process of its own, which may load torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import DataError
from engine.judge.judgement import Judgement, from_json
from engine.limits import process_limits
from engine.machine.environment import background_environment, thread_environment
from engine.machine.priority import lower_priority
from engine.progress import OnProgress, untold
from engine.spec import Dataset

JUDGE = (sys.executable, "-P", "-m", "engine.worker.judge")

NICENESS = 10
"""Of the process, so that runs and the app that waits for it come first."""


@dataclass(frozen=True)
class StoredFit:
    """A run that fitted the same model to the same data as judging would."""

    valid: float
    """NDCG@10 on validation, over all items."""
    ranks: str
    """The path of its ranks of test users, absolute."""


class JudgingProcess:
    """The judging of a data set that is under way."""

    def __init__(self, dataset: Dataset, length: int, stored: Mapping[str, StoredFit]) -> None:
        """Start it.

        Args:
            length: L, the most recent items that models see.
            stored: runs to use in place of fitting a model again, by model.

        Raises:
            DataError: the process can't be started.
        """
        self._question = json.dumps(
            {
                "dataset": dataset.model_dump(mode="json"),
                "length": length,
                "stored": {name: [each.valid, each.ranks] for name, each in stored.items()},
            }
        )
        try:
            self._process = subprocess.Popen(
                JUDGE,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**background_environment(), **thread_environment(process_limits().cores)},
                cwd=os.sep,
                text=True,
            )
        except OSError as error:
            raise DataError(f"No process can be started to judge: {error.strerror}.") from None
        lower_priority(self._process.pid, NICENESS)

    @property
    def pid(self) -> int:
        """The pid of the judging process."""
        return self._process.pid

    def result(self, on_progress: OnProgress = untold) -> Judgement:
        """Wait for the process and return what it found, which it has kept too.

        Raises:
            DataError: the data can't be read or split, there isn't enough memory, or the process
                was stopped.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            with self._process.stdin as asked:
                asked.write(self._question)
            for line in self._process.stdout:
                answer = json.loads(line)
                if "problem" in answer:
                    raise DataError(str(answer["problem"]))
                if "judgement" in answer:
                    return from_json(answer["judgement"])
                on_progress(answer["done"], answer["total"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        finally:
            self.stop()
            self._process.stdout.close()
            self._process.wait()
        raise DataError("Judging was interrupted: is there enough memory?")

    def stop(self) -> None:
        """Kill the process; a thread that waits in `result` gets a `DataError`."""
        self._process.kill()

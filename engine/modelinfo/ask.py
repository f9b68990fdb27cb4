"""The process that describes models: it may import torch, and is kept while it is asked."""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import IO, Any

from engine.errors import UserError
from engine.surroundings import code_folder

DESCRIBE = (sys.executable, "-P", "-m", "engine.models.describe")

ANSWER_SECONDS = 300.0
"""Most time to answer a question; a model's file that takes longer is told to be at fault."""


class _Describer:
    """A process that reads a question a line and writes an answer a line."""

    def __init__(self) -> None:
        self.environment = _environment()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives with the process
        self._process = subprocess.Popen(
            DESCRIBE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=self.environment,
            cwd=os.sep,
            start_new_session=True,
        )

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the answer; ``None`` if the process has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            return None
        ready, _, _ = select.select([self._process.stdout], [], [], ANSWER_SECONDS)
        if not ready:
            self._process.kill()
            raise UserError(
                f"{_of(question)} takes longer than {ANSWER_SECONDS:.0f} seconds to be described."
            )
        line = self._process.stdout.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def last_words(self) -> str:
        """The last line that the process wrote to its standard error."""
        self._errors.seek(0)
        lines = self._errors.read()[-10_000:].decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it ended without a word"

    def end(self) -> None:
        """End the process, which ends by itself when nothing more can be asked."""
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _environment() -> dict[str, str]:
    code, environment = code_folder(), {**os.environ, "OMP_NUM_THREADS": "1"}
    if code is not None:
        paths = [str(code), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
        environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    return environment


_lock = Lock()
_running: list[_Describer] = []


def ask(
    model: Mapping[str, str],
    settings: Sequence[Mapping[str, Any]] = (),
    sizes: Sequence[tuple[int, int]] = (),
) -> dict[str, Any]:
    """Describe a model, and find out about some of its settings.

    Args:
        model: `ModelInfo.question`.
        settings: of all fields each.
        sizes: pairs of V and L for which to count parameters, in place of a formula for all.

    Returns:
        ``info`` (`ModelInfo` as JSON) and ``facts``, one for each of the settings
        (`engine.models.describe.facts`); or ``problem``.

    Raises:
        UserError: no process can be started, or it ended without an answer.
    """
    question = {"model": model, "settings": list(settings), "sizes": list(sizes)}
    with _lock:
        path = _environment().get("PYTHONPATH")
        if _running and _running[0].environment.get("PYTHONPATH") != path:
            _end()  # it wouldn't find the packages that this process finds
        for fresh in (False, True):  # a process that was idle for long has ended
            if fresh or not _running:
                _end()
                try:
                    _running.append(_Describer())
                except OSError as error:
                    raise UserError(
                        f"no process can be started to describe models: {error.strerror}."
                    ) from None
            if (answer := _running[0].ask(question)) is not None:
                return answer
        said = _running[0].last_words()
        _end()
    raise UserError(f"{_of(question)} can't be described: {said.rstrip('.')}.")


def _of(question: Mapping[str, Any]) -> str:
    return str(next(iter(question["model"].values())))


@atexit.register
def _end() -> None:
    while _running:
        _running.pop().end()

"""Loading the file that defines a model."""

from __future__ import annotations

import hashlib
import importlib
import linecache
import sys
import traceback
from importlib.abc import ExecutionLoader
from importlib.util import decode_source
from pathlib import Path
from types import ModuleType

from pydantic import ValidationError

from engine.errors import UserError, cut
from engine.files.regular import read_regular
from engine.modelinfo.find import NO_MODEL
from engine.models.definition import Definition
from engine.validation import argument_sentence

LONGEST = 300
"""Most characters of a foreign error message that a sentence quotes."""

PRIVATE = "_seqbench_model_"
"""How the names begin under which models' files are run."""


class ModelFileError(UserError):
    """A model's file that can't be imported, or defines no model; names the file and the line."""


def load_definition(model: str | Path, package: str = "") -> Definition:
    """Return the definition of a model that comes with seqbench, by its name, or of a file.

    Args:
        package: the package that the file's relative imports are from, if it is in one.

    Raises:
        ModelFileError: the file can't be read or run, or defines no ``MODEL``.
    """
    if isinstance(model, str):
        name = f"engine.models.builtin.{model.replace('-', '_')}"
        return _definition(importlib.import_module(name), Path(f"{model}.py"))
    return run_file(model, read_file(model), package)


def read_file(file: Path) -> bytes:
    """Read a model's file. Raises `ModelFileError`."""
    try:
        return read_regular(file)
    except OSError as error:
        raise ModelFileError(f"{file}: {error.strerror}.") from None


def run_file(file: Path, content: bytes, package: str = "") -> Definition:
    """Run the content of a model's file, and return what it defines.

    It is run as a module under a private name, so that it takes the place of no other. Python's
    own import might run what it compiled of an earlier content.

    Raises:
        ModelFileError: it can't be run, or defines no ``MODEL``.
    """
    name = f"{PRIVATE}{hashlib.sha256(content).hexdigest()}"
    if package:
        name = f"{package}.{name}"
    module = ModuleType(name)
    module.__file__, module.__package__ = str(file), package or None
    linecache.checkcache(str(file))  # a sentence quotes no line of an earlier content
    before = sys.modules.get(name)
    sys.modules[name] = module  # dataclasses and pydantic look their module up
    try:
        if package:
            importlib.import_module(package)
        _Content(str(file), content).exec_module(module)
        return _definition(module, file)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(_sentence(file, error)) from error


class _Content(ExecutionLoader):
    """Loads a module from what was read of its file."""

    def __init__(self, file: str, content: bytes) -> None:
        self._file = file
        self._content = content

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002
        return self._file

    def get_source(self, fullname: str) -> str:  # noqa: ARG002
        return decode_source(self._content)


def _definition(module: ModuleType, file: Path) -> Definition:
    found = getattr(module, "MODEL", None)
    if not isinstance(found, Definition):
        raise ModelFileError(f"{file}: {NO_MODEL}")
    return found


def _sentence(file: Path, error: BaseException) -> str:
    """Say where in a file an error came from, and what it is."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename) == file:
        line, problem = error.lineno, error.msg
    else:
        frames = traceback.extract_tb(error.__traceback__)
        line = next((frame.lineno for frame in frames[::-1] if Path(frame.filename) == file), None)
        problem = f"{type(error).__name__}: {error}"
        if isinstance(error, ValidationError):
            problem = f"{error.title}: {argument_sentence(error)}"
    where = f"{file}:{line}" if line else str(file)
    return f"{where}: {_one_line(problem)}."


def sentence_of(error: Exception) -> str:
    """Say what a model's module raised, and on which line of which file: the user's, if it came
    from there."""
    frames = list(traceback.walk_tb(error.__traceback__))
    own = [each for each in frames if PRIVATE in each[0].f_globals.get("__name__", "")]
    frame, line = (own or frames)[-1]
    return f"{frame.f_code.co_filename}:{line}: {_one_line(f'{type(error).__name__}: {error}')}."


def _one_line(text: str) -> str:
    return cut(" ".join(text.split()), LONGEST).rstrip(".")

"""Loading the file that defines a model."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from engine.errors import UserError, cut
from engine.modelinfo.find import NO_MODEL
from engine.models.definition import Definition

LONGEST = 300
"""Most characters of a foreign error message that a sentence quotes."""


class ModelFileError(UserError):
    """A model's file that can't be imported, or defines no model; names the file and the line."""


def load_definition(model: str | Path) -> Definition:
    """Return the definition of a model that comes with seqbench, by its name, or of a file.

    A file is run as a module under a private name, so that it takes the place of no other.

    Raises:
        ModelFileError: the file can't be read or run, or defines no ``MODEL``.
    """
    if isinstance(model, str):
        name = f"engine.models.builtin.{model.replace('-', '_')}"
        return _definition(importlib.import_module(name), Path(f"{model}.py"))
    return _definition(_run(model), model)


def _definition(module: ModuleType, file: Path) -> Definition:
    found = getattr(module, "MODEL", None)
    if not isinstance(found, Definition):
        raise ModelFileError(f"{file}: {NO_MODEL}")
    return found


def _run(file: Path) -> ModuleType:
    name = f"_seqbench_model_{file.stem}_{abs(hash(file.absolute())):x}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ModelFileError(f"{file}: is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pydantic look their module up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ModelFileError(_sentence(file, error)) from error
    return module


def _sentence(file: Path, error: BaseException) -> str:
    """Say where in a file an error came from, and what it is."""
    if isinstance(error, OSError) and error.filename and Path(error.filename) == file:
        return f"{file}: {error.strerror}."
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename) == file:
        line, problem = error.lineno, error.msg
    else:
        frames = traceback.extract_tb(error.__traceback__)
        line = next((frame.lineno for frame in frames[::-1] if Path(frame.filename) == file), None)
        problem = f"{type(error).__name__}: {error}"
    where = f"{file}:{line}" if line else str(file)
    return f"{where}: {_one_line(problem)}."


def sentence_of(error: Exception, module: type | None = None) -> str:
    """Say what a model's module raised, and on which line of which file: of the module's own, if
    it had a part in it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = getattr(sys.modules.get(module.__module__), "__file__", None) if module else None
    frame = next((each for each in frames[::-1] if each.filename == own), frames[-1])
    return f"{frame.filename}:{frame.lineno}: {_one_line(f'{type(error).__name__}: {error}')}."


def _one_line(text: str) -> str:
    return cut(" ".join(text.split()), LONGEST).rstrip(".")

"""Whether a model's file fails for reasons that last."""

from __future__ import annotations

import site
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path

import engine
from engine.errors import UserError
from engine.models.load import PRIVATE, ModelFileError

_LASTING = (AttributeError, ImportError, NameError, SyntaxError, TypeError)
"""Errors of a program, which don't come from what it reads or from a lack of memory."""


def is_lasting(error: UserError, file: Path) -> bool:
    """Return whether a file will fail again as long as its content, Python and the installed
    packages stay what they are.

    It may not where other files of the user's are imported, which change without being installed.

    Args:
        error: as `engine.models.load.run_file` raised it.
    """
    cause = error.__cause__
    if cause is None:  # it ran, and defines no model
        return isinstance(error, ModelFileError) and error.__context__ is None
    if not isinstance(cause, _LASTING):
        return False
    folders = _installed()
    return all(
        path == file or any(path.is_relative_to(folder) for folder in folders)
        for path in map(Path, {*_blamed(cause), *_imported()})
    )


def _installed() -> set[Path]:
    """Return the folders of Python, of installed packages and of seqbench's own code."""
    paths = sysconfig.get_paths()
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {*(paths[name] for name in names), *site.getsitepackages()}
    return {*map(Path, folders), Path(site.getusersitepackages()), Path(engine.__path__[0])}


def _blamed(error: BaseException) -> Iterator[str]:
    """Yield the files that an error came through."""
    for frame in traceback.extract_tb(error.__traceback__):
        if not frame.filename.startswith("<"):  # a part of Python that has no file
            yield frame.filename
    if isinstance(error, SyntaxError) and error.filename:
        yield error.filename


def _imported() -> Iterator[str]:
    """Yield the files of all modules, but for those of models; torch has some that are no paths."""
    for name, module in list(sys.modules.items()):
        file = str(getattr(module, "__file__", None))
        if PRIVATE not in name and Path(file).is_absolute():
            yield file

"""Finding the files of models that users and packages bring, and describing them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path

from engine.errors import UserError, shown
from engine.files.regular import read_regular
from engine.modelinfo.ask import ask
from engine.modelinfo.builtin import builtin_info
from engine.modelinfo.copies import keep_copy
from engine.modelinfo.facts import remember
from engine.modelinfo.failures import failure_of, kept_problem
from engine.modelinfo.info import ModelInfo, info_from
from engine.modelinfo.kept import keep, read_kept
from engine.modelinfo.own_settings import meet_settings, settings_in

GROUP = "seqbench.models"
"""The group of entry points that packages bring models with."""

NO_MODEL = "defines no model: it needs MODEL = Definition(...)."
"""What is wrong with a file of something else's."""

UNREAD = "it is being read."
"""What is wrong with a file that isn't described yet."""

VARIABLE = "SEQBENCH_MODEL_PATH"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


def own_infos(
    folders: Iterable[Path], paths: Sequence[Path] = (), *, wait: bool = True
) -> dict[str, ModelInfo]:
    """Describe the models that don't come with seqbench, by name; a later one takes the place of
    one with the same name.

    A file that can't be used has a ``problem`` and doesn't stop the others.

    Args:
        folders: those of the users' configurations, which may not exist.
        paths: files and folders that the user names; by default, those in ``SEQBENCH_MODEL_PATH``.
        wait: ask for what isn't kept, which takes a process; else such a file has the problem
            `UNREAD`.
    """
    found: dict[str, ModelInfo] = {}
    for each in model_files(folders, paths):
        # Nothing takes the place of a model of seqbench's: its file's name says what is wrong.
        key = each.name if builtin_info(each.name) is None else Path(each.file or "").name
        found[key] = _described(each, wait)
    meet_settings(each for info in found.values() for each in settings_in(info.schema))
    return found


def unread_files(folders: Iterable[Path], paths: Sequence[Path] = ()) -> list[str]:
    """Return the files of models that it takes a process to describe.

    Args:
        folders, paths: as for `own_infos`.
    """
    found = (_described(each, wait=False) for each in model_files(folders, paths))
    return [each.file or "" for each in found if each.problem.endswith(UNREAD)]


def keep_copies(folders: Iterable[Path], paths: Sequence[Path] = ()) -> None:
    """Keep copies of the files that may define models, without running them, so that runs that
    were queued with one of them may run it.

    Args:
        folders, paths: as for `own_infos`.
    """
    for each in model_files(folders, paths):
        with suppress(OSError, UserError):
            content = read_regular(Path(each.file or ""))
            if b"MODEL" in content:
                keep_copy(content)


def named_paths(paths: Sequence[Path] = ()) -> Sequence[Path]:
    """Return the files and folders that the user names, by default in ``SEQBENCH_MODEL_PATH``."""
    named = os.environ.get(VARIABLE, "").split(os.pathsep)
    return paths or [Path(each) for each in named if each]


def model_files(folders: Iterable[Path], paths: Sequence[Path] = ()) -> Iterator[ModelInfo]:
    """Yield the files that may define models, with nothing but name, origin and file.

    Args:
        folders, paths: as for `own_infos`.
    """
    from importlib.metadata import entry_points  # it takes a while

    paths = named_paths(paths)
    for each in entry_points(group=GROUP):
        spec = _spec_of(each.module)
        file, package = (spec.origin, spec.parent) if spec else (None, None)
        yield ModelInfo(
            name=each.name, file=file or each.module, origin="entry point", package=package or ""
        )
    for path in (*folders, *paths):
        inside = sorted(path.glob("[!._]*.py")) if path.is_dir() else []
        for found in inside if path.is_dir() or path not in paths else [path]:
            name = found.stem.replace("_", "-")
            yield ModelInfo(name=name, file=str(found.absolute()), origin="file")


def _spec_of(module: str) -> ModuleSpec | None:
    """Find a package's module without importing the package, which may import torch."""
    try:
        top, *rest = module.split(".")
        spec = find_spec(top)
        for part in rest:
            if spec is None or spec.submodule_search_locations is None:
                return None
            name = f"{spec.name}.{part}"
            spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    except (ImportError, ValueError):
        return None
    return spec


def _described(blank: ModelInfo, wait: bool) -> ModelInfo:
    """Describe one file, by what is kept of its content or, with ``wait``, by asking."""
    name, file = blank.name, Path(blank.file or "")
    if not _NAME.fullmatch(name):
        wanted = "small letters, digits, '.', '_' and '-', at most 40 of them"
        return replace(blank, problem=f"{file}: a model's name is {wanted}, not {shown(name)}.")
    if builtin_info(name) is not None:
        return replace(blank, problem=f"{file}: {name} is a model of seqbench's: rename the file.")
    try:
        text = read_regular(file)
        if b"MODEL" not in text:  # one of something else's, which isn't run
            return replace(blank, problem=f"{file}: {NO_MODEL}")
        _refuse_no_python(text, file)  # which takes no process to say
        sha256 = keep_copy(text)
        kept = read_kept(sha256)
        remember(sha256, kept)  # what shows them, in the app's thread, reads no file then
        content = kept.get("info")
        if content is None:
            if known := kept_problem(kept, file):
                return replace(blank, problem=known)
            if not wait:
                return replace(blank, problem=f"{file}: {UNREAD}")
            answer = ask(blank.question)
            if problem := answer.get("problem"):
                if answer["lasting"]:
                    keep(answer["sha256"], None, {}, failure_of(file, problem))
                return replace(blank, problem=problem)
            content = answer["info"]
            keep(content["sha256"], content, {})
        origin, package = blank.origin, blank.package
        return replace(
            info_from(content), name=name, file=blank.file, origin=origin, package=package
        )
    except OSError as error:
        return replace(blank, problem=f"{file}: {error.strerror}.")
    except UserError as error:
        return replace(blank, problem=str(error))


def _refuse_no_python(text: bytes, file: Path) -> None:
    """Raise `UserError` for what Python doesn't compile."""
    try:
        compile(text, str(file), "exec")
    except SyntaxError as error:
        where = f"{file}:{error.lineno}" if error.lineno else str(file)
        raise UserError(f"{where}: {error.msg}.") from None
    except (RecursionError, MemoryError):
        raise UserError(f"{file}: it is nested too deeply for Python.") from None

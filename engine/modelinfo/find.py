"""Finding the files of models that users and packages bring, and describing them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from engine.errors import UserError, shown
from engine.files.regular import read_regular
from engine.modelinfo.ask import ask
from engine.modelinfo.builtin import builtin_info
from engine.modelinfo.copies import keep_copy
from engine.modelinfo.info import ModelInfo, Origin, info_from
from engine.modelinfo.kept import keep, read_kept
from engine.modelinfo.own_settings import meet_settings, settings_in

GROUP = "seqbench.models"
"""The group of entry points that packages bring models with."""

NO_MODEL = "defines no model: it needs MODEL = Definition(...)."
"""What is wrong with a file of something else's."""

VARIABLE = "SEQBENCH_MODEL_PATH"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


def own_infos(folders: Iterable[Path], paths: Sequence[Path] = ()) -> dict[str, ModelInfo]:
    """Describe the models that don't come with seqbench, by name; a later one takes the place of
    one with the same name.

    A file that can't be used has a ``problem`` and doesn't stop the others.

    Args:
        folders: those of the users' configurations, which may not exist.
        paths: files and folders that the user names; by default, those in ``SEQBENCH_MODEL_PATH``.
    """
    found: dict[str, ModelInfo] = {}
    for name, file, origin in model_files(folders, paths):
        found[name] = _described(name, file, origin)
    meet_settings(each for info in found.values() for each in settings_in(info.schema))
    return found


def _from_environment() -> list[Path]:
    return [Path(each) for each in os.environ.get(VARIABLE, "").split(os.pathsep) if each]


def model_files(
    folders: Iterable[Path], paths: Sequence[Path] = ()
) -> Iterator[tuple[str, Path, Origin]]:
    """Yield the files that may define models, each with the model's name and its origin.

    Args:
        folders, paths: as for `own_infos`.
    """
    from importlib.metadata import entry_points  # it takes a while, and so does the next

    paths = paths or _from_environment()
    for each in entry_points(group=GROUP):
        try:
            spec = find_spec(each.module)
        except (ImportError, ValueError):
            spec = None
        yield each.name, Path(spec.origin if spec and spec.origin else each.module), "entry point"
    for path in (*folders, *paths):
        inside = sorted(path.glob("[!._]*.py")) if path.is_dir() else []
        for file in inside if path.is_dir() or path not in paths else [path]:
            yield file.stem.replace("_", "-"), file.absolute(), "file"


def _described(name: str, file: Path, origin: Origin) -> ModelInfo:
    """Describe one file, by what is kept of its content or by asking."""
    blank = ModelInfo(name=name, file=str(file), origin=origin)
    if not _NAME.fullmatch(name):
        wanted = "small letters, digits, '.', '_' and '-', at most 40 of them"
        return replace(blank, problem=f"{file}: a model's name is {wanted}, not {shown(name)}.")
    if builtin_info(name) is not None:
        return replace(blank, problem=f"{file}: {name} is a model of seqbench's: rename the file.")
    try:
        text = read_regular(file)
        if b"MODEL" not in text:  # one of something else's, which isn't run
            return replace(blank, problem=f"{file}: {NO_MODEL}")
        sha256 = keep_copy(text)
        content = read_kept(sha256).get("info")
        if content is None:
            answer = ask(blank.question)
            if "problem" in answer:
                return replace(blank, problem=answer["problem"])
            content = answer["info"]
            keep(content["sha256"], content, {})
        return replace(info_from(content), name=name, file=str(file), origin=origin)
    except OSError as error:
        return replace(blank, problem=f"{file}: {error.strerror}.")
    except UserError as error:
        return replace(blank, problem=str(error))

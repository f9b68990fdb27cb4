"""A model's file to begin with: the template, or a copy of a model that comes with seqbench."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import engine
from engine.errors import UsageError, shown
from engine.files.named import named_folder, write_named
from engine.modelinfo.builtin import builtin_info

CODE = Path(engine.__file__).parent / "models"


def write_new(folder: Path, name: str, like: str | None = None) -> Path:
    """Write a file that defines a model, and return its path.

    Args:
        folder: where the user's models are, which may not exist yet.
        name: of the model.
        like: the name of a model that comes with seqbench, to be copied; by default, the template.

    Raises:
        UsageError: the name isn't valid, there is no model ``like``, or the file exists.
        UserError: the file can't be written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name):
        raise UsageError(
            "a model's name is small letters, digits, '-' and '_', at most 40 of them, the first "
            f"a letter, not {shown(name)}."
        )
    if like is not None and builtin_info(like) is None:
        raise UsageError(f"{shown(like)} doesn't come with seqbench: only such a model is copied.")
    path = folder / f"{name.replace('-', '_')}.py"
    if path.exists():
        raise UsageError(f"{path} exists already: choose another name.")
    named_folder(folder)
    write_named(path, model_text(name, like))
    return path


def model_text(name: str, like: str | None = None) -> str:
    """Return the text of a model's file, with a title of its own.

    Args:
        name, like: as for `write_new`.
    """
    source = "template.py" if like is None else f"builtin/{like.replace('-', '_')}.py"
    text = (CODE / source).read_text(encoding="utf-8")
    title = " ".join(word.capitalize() for word in re.split(r"[-_]+", name) if word)
    # Two models of one title can't be told apart, and of one alias not at all.
    content = text.encode()
    starts = [0, *(each.end() for each in re.finditer(b"\n", content))]
    for keyword in reversed(_definition(text).keywords):
        first = starts[keyword.lineno - 1] + keyword.col_offset
        last = starts[(keyword.end_lineno or 1) - 1] + (keyword.end_col_offset or 0)
        if keyword.arg == "title":
            content = content[:first] + f'title="{title}"'.encode() + content[last:]
        elif keyword.arg == "aliases":
            content = content[:first] + re.sub(rb"^,\s*", b"", content[last:])
    return content.decode()


def _definition(text: str) -> ast.Call:
    """Return the call in ``MODEL = Definition(...)``."""
    for node in ast.parse(text).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="MODEL")], value=ast.Call() as call):
                return call
    raise AssertionError("every model that comes with seqbench has such a line")

"""Finding the files of a data set that is split already: ``shop.train.inter``, ``shop.valid.inter``
and ``shop.test.inter``, or ``train.csv`` and so on."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass
from pathlib import Path

from engine.errors import UsageError, shown

_NAME = re.compile(
    r"(?P<stem>|.*[._-])(?:(?P<train>train(?:ing)?)|(?P<valid>valid(?:ation)?|val|dev)|"
    r"(?P<test>test))(?P<rest>[._-].*)",
    re.IGNORECASE,
)
_PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class Triple:
    """The files of training, validation and test."""

    train: Path
    valid: Path
    test: Path

    @property
    def paths(self) -> tuple[Path, Path, Path]:
        """The files in this order."""
        paths: tuple[Path, Path, Path] = astuple(self)
        return paths


def triple_of(path: Path) -> Triple | None:
    """Find the triple that a path names: a folder that holds one, or the beginning of the files'
    names (``data/shop``); ``None`` if it is a file.

    Raises:
        UsageError: there is no such triple, or several.
    """
    if path.exists() and not path.is_dir():
        return None
    if path.is_dir():
        found = _triples(path)
        where = f"the folder {path}"
    else:
        prefix = path.name
        found = {
            name: triple
            for name, triple in _triples(path.parent).items()
            if name.rstrip("._-") == prefix
        }
        where = f"{path}"
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        if not path.is_dir():
            raise UsageError(f"there is no file {path}.")
        raise UsageError(
            f"{where} has no three files of one data set (such as x.train.csv, x.valid.csv and "
            "x.test.csv): name a file, or give --train, --valid and --test."
        )
    some = ", ".join(shown(each.train.name) for each in list(found.values())[:3])
    raise UsageError(
        f"{where} has the files of several data sets ({some}): say which with --train, --valid and "
        "--test."
    )


def others_beside(path: Path) -> list[Path]:
    """Find the files of the other parts of the set that a file looks like a part of."""
    for parts in _parts(path.parent).values():
        own = list(parts.values())
        if path.name in [each.name for each in own]:
            return [each for each in own if each.name != path.name]
    return []


def _triples(folder: Path) -> dict[str, Triple]:
    """Find a folder's triples, by what their names have before the part."""
    return {
        stem: Triple(**parts)
        for (stem, _), parts in _parts(folder).items()
        if len(parts) == len(_PARTS)
    }


def _parts(folder: Path) -> dict[tuple[str, str], dict[str, Path]]:
    """Group a folder's files by what their names have before and after the part, then by part."""
    found: dict[tuple[str, str], dict[str, Path]] = {}
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        files = []
    for path in files:
        if match := _NAME.fullmatch(path.name):
            part = next(name for name in _PARTS if match[name])
            found.setdefault((match["stem"], match["rest"]), {})[part] = path
    return found

"""Locating a data set's files: in SEQBENCH_DATA, then its configured folder, then the cache."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Literal

from engine.errors import DataError
from engine.files.atomic import write_atomically
from engine.spec import Dataset
from engine.surroundings import expanded, user_folder

RECORD = ".unpacked.json"
"""The file that says which MD5 each file had that was unpacked beside it."""


@dataclass(frozen=True)
class Located:
    """A folder that holds all files of a data set, and how it was found."""

    folder: Path
    origin: Literal["SEQBENCH_DATA", "configuration", "cache"]


def cache_folder() -> Path:
    """Return the folder of fetched and prepared data: ``SEQBENCH_CACHE``, or the user's cache.
    Raises `UserError` where there is neither."""
    if chosen := os.environ.get("SEQBENCH_CACHE"):
        return expanded(chosen)
    return user_folder("cache") / "data"


def locate(dataset: Dataset) -> Located | None:
    """Find the folder with all files of a data set; ``None`` if there is none.

    ``SEQBENCH_DATA`` may name the folder that holds the data set's folder, or that folder itself if
    it has the data set's name: file names such as ``ratings.dat`` are common to several data sets.
    """
    if dataset.folder is None:
        return None
    if chosen := os.environ.get("SEQBENCH_DATA"):
        data = expanded(chosen)
        own_names = {name.casefold() for name in (dataset.folder, dataset.name, *dataset.aliases)}
        candidates = [data / dataset.folder]
        if data.absolute().name.casefold() in own_names:
            candidates.append(data)
        for folder in candidates:
            if _holds(folder, dataset):
                return Located(folder, "SEQBENCH_DATA")
    if dataset.local is not None:
        folder = expanded(dataset.local)
        if _holds(folder, dataset):
            return Located(folder, "configuration")
    folder = cache_folder() / dataset.folder
    return Located(folder, "cache") if _holds(folder, dataset) else None


def require(dataset: Dataset) -> Located:
    """Find the folder as `locate` does.

    Raises:
        DataError: the data set isn't here; the sentence says how to get it.
    """
    if located := locate(dataset):
        return located
    if dataset.archive is not None:
        remedy = f"run `seqbench data fetch {dataset.name}`"
    else:
        remedy = f"put {', '.join(dataset.files)} into {cache_folder() / str(dataset.folder)}"
    raise DataError(
        f"{dataset.title} is not on this machine: {remedy}, "
        f"or name the folder that holds {dataset.folder}/ in SEQBENCH_DATA."
    )


def is_ready(dataset: Dataset) -> bool:
    """Whether a run on the data set can start now: it is synthetic, or its files are here."""
    return dataset.synthetic is not None or locate(dataset) is not None


def damaged_files(dataset: Dataset, folder: Path) -> list[str]:
    """Return a sentence for each file in ``folder`` that can't be read or isn't the published
    one."""
    problems = []
    for name, published in known_md5s(dataset, folder).items():
        try:
            with (folder / name).open("rb") as file:
                found = md5_of(file) if published else None
        except OSError as error:
            problems.append(f"{folder / name} can't be read ({error.strerror}).")
            continue
        if found != published:
            problems.append(
                f"{folder / name} is not the published file: its md5 is {found}, not {published}."
            )
    return problems


def known_md5s(dataset: Dataset, folder: Path) -> dict[str, str | None]:
    """Return the MD5 that each file of a data set is known to have in ``folder``: the published
    one, else the one that it had when it was unpacked from the published archive."""
    unpacked: dict[str, str] = {}
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        record = json.loads((folder / RECORD).read_bytes())
        if dataset.archive and dataset.archive.md5 == record["archive"]:
            unpacked = dict(record["files"])
    return {name: md5 or unpacked.get(name) for name, md5 in dataset.files.items()}


def record_unpacked(dataset: Dataset, folder: Path) -> None:
    """Note beside files that were just unpacked from an archive of a known MD5 which MD5 each has
    whose own isn't published.

    Raises:
        OSError: a file can't be read, or the note not written.
    """
    unpublished = [name for name, md5 in dataset.files.items() if md5 is None]
    if not unpublished or dataset.archive is None or dataset.archive.md5 is None:
        return
    found = {}
    for name in unpublished:
        with (folder / name).open("rb") as file:
            found[name] = md5_of(file)
    note = {"archive": dataset.archive.md5, "files": found}
    write_atomically(folder / RECORD, json.dumps(note))


def md5_of(file: BufferedReader) -> str:
    """Compute the MD5 of an open file, in hex; GroupLens publishes it. It guards against damage,
    not against an attacker."""
    return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _holds(folder: Path, dataset: Dataset) -> bool:
    try:
        return all((folder / name).is_file() for name in dataset.files)
    except OSError:
        return False

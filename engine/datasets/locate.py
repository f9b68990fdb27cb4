"""Where a data set's files are: SEQBENCH_DATA first, then its configured folder, then the cache."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from engine.errors import DataError
from engine.spec import Dataset


@dataclass(frozen=True)
class Located:
    """A folder that holds every file of a data set."""

    folder: Path
    origin: Literal["SEQBENCH_DATA", "configuration", "cache"]


def cache_folder() -> Path:
    """Where fetched and prepared data is kept: ``SEQBENCH_CACHE``, or the user's cache folder."""
    if chosen := os.environ.get("SEQBENCH_CACHE"):
        return Path(chosen).expanduser()
    return platformdirs.user_cache_path("seqbench") / "data"


def locate(dataset: Dataset) -> Located | None:
    """Find a data set's folder, or None when a file of it is missing or nothing is to be found.

    ``SEQBENCH_DATA`` may name the folder that holds the data set's folder, or that folder itself;
    the latter only counts under the data set's own name, for file names such as ``ratings.dat``
    don't tell one data set from another.
    """
    if dataset.folder is None:
        return None
    if chosen := os.environ.get("SEQBENCH_DATA"):
        data = Path(chosen).expanduser()
        own_names = {name.casefold() for name in (dataset.folder, dataset.name, *dataset.aliases)}
        candidates = [data / dataset.folder]
        if data.absolute().name.casefold() in own_names:
            candidates.append(data)
        for folder in candidates:
            if _holds(folder, dataset):
                return Located(folder, "SEQBENCH_DATA")
    if dataset.local is not None:
        folder = Path(dataset.local).expanduser()
        if _holds(folder, dataset):
            return Located(folder, "configuration")
    folder = cache_folder() / dataset.folder
    return Located(folder, "cache") if _holds(folder, dataset) else None


def require(dataset: Dataset) -> Located:
    """`locate`, for those who can't go on without.

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
    """Whether a run on the data set could start now; a synthetic one always could."""
    return dataset.synthetic is not None or locate(dataset) is not None


def damaged_files(dataset: Dataset, folder: Path) -> list[str]:
    """One sentence for each file in ``folder`` that isn't the published one."""
    problems = []
    for name, published in dataset.files.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, _md5).hexdigest() if published else None
        except OSError as error:
            problems.append(f"{folder / name} can't be read ({error.strerror}).")
            continue
        if found != published:
            problems.append(
                f"{folder / name} is not the published file: its md5 is {found}, not {published}."
            )
    return problems


def _holds(folder: Path, dataset: Dataset) -> bool:
    try:
        return all((folder / name).is_file() for name in dataset.files)
    except OSError:
        return False


def _md5() -> hashlib._Hash:
    # MD5 is what GroupLens publishes; it guards against damage, not against an attacker.
    return hashlib.md5(usedforsecurity=False)

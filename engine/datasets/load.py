"""Reading a data set: from the prepared copy in the cache, its source files, or a generator."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.datasets.filters import Step, apply_filter
from engine.datasets.interactions import Interactions
from engine.datasets.locate import damaged_files, require
from engine.datasets.ordering import order_by_time
from engine.datasets.prepared import (
    Prepared,
    is_sound,
    load_prepared,
    preparation_key,
    preparing,
    save_prepared,
    source_checksum,
)
from engine.datasets.readers.read import read_source
from engine.datasets.synthetic import generate
from engine.errors import DataError
from engine.spec import Dataset


def load_interactions(dataset: Dataset) -> Interactions:
    """Read a data set to train on it; that a prepared copy is undamaged is checked.

    The name of a data set whose file has a published checksum stands for exactly that data, so
    there other counts than the catalogue's are an error. Elsewhere what the file holds is taken:
    copies differ, and `Interactions.checksum` tells them apart.

    Raises:
        DataError: the data is absent, malformed, or not what its published checksum stands for.
    """
    return _load(dataset, check=True).interactions


def open_data(dataset: Dataset) -> Prepared:
    """Read a data set to look at it: a prepared copy is mapped into memory and taken as it is.

    Raises:
        DataError: as `load_interactions`.
    """
    return _load(dataset, check=False)


def is_prepared(dataset: Dataset) -> bool:
    """Whether `open_data` finds a prepared copy. Raises `DataError` if the data isn't here."""
    if dataset.synthetic is not None:
        return True
    return load_prepared(dataset.name, _key(dataset, source_file(dataset))) is not None


def prepare(dataset: Dataset, path: Path) -> Prepared:
    """Read, filter and sort the source at ``path``, whatever is in the cache.

    Raises:
        DataError: it can't be read, is malformed, or the filter leaves nothing.
    """
    ratings, steps = apply_filter(read_source(dataset, path), dataset.filter)
    ordered = order_by_time(ratings)
    return Prepared(ordered.interactions, ordered.user_ids, ordered.item_ids, tuple(steps))


def source_file(dataset: Dataset) -> Path:
    """Where the interactions of a data set are. Raises `DataError` if they aren't here."""
    return require(dataset).folder / next(iter(dataset.files))


def catalogue_differences(dataset: Dataset, interactions: Interactions) -> list[str]:
    """One sentence, or none: how the counts differ from the catalogue's."""
    counted = {
        "users": (interactions.num_users, dataset.users),
        "items": (interactions.num_items, dataset.items),
        "interactions": (len(interactions.items), dataset.interactions),
    }
    wrong = [f"{a:,} {name} (not {b:,})" for name, (a, b) in counted.items() if a != b]
    return [f"{dataset.title} holds {', '.join(wrong)} here."] if wrong else []


def verify(dataset: Dataset) -> list[str]:
    """Check a data set completely: files there, checksums as published, every line well formed,
    users, items and interactions as catalogued. Returns a sentence for each thing that is wrong.
    """
    if dataset.synthetic is None:
        try:
            located = require(dataset)
        except DataError as error:
            return [str(error)]
        if problems := damaged_files(dataset, located.folder):
            return problems
    try:
        return catalogue_differences(dataset, load_interactions(dataset))
    except DataError as error:
        return [str(error)]


def _load(dataset: Dataset, check: bool) -> Prepared:
    if dataset.synthetic is not None:
        return _generated(dataset)
    path = source_file(dataset)
    prepared = _load_file(dataset, path, check)
    if any(dataset.files.values()):
        differences = catalogue_differences(dataset, prepared.interactions)
        if differences:
            remedy = (
                f"Remove that copy and run `seqbench data fetch {dataset.name}`."
                if dataset.archive
                else "Import the file again, under another name or with --replace."
            )
            raise DataError(
                f"{path} is not what {dataset.title} stands for: {differences[0]} {remedy}"
            )
    return prepared


def _load_file(dataset: Dataset, path: Path, check: bool) -> Prepared:
    key = _key(dataset, path)

    def kept() -> Prepared | None:
        found = load_prepared(dataset.name, key)
        return None if found is None or (check and not is_sound(found)) else found

    if (prepared := kept()) is not None:
        return prepared
    with preparing(dataset.name):
        if (prepared := kept()) is not None:
            return prepared
        prepared = prepare(dataset, path)
        save_prepared(dataset.name, key, prepared)
    return prepared


def _key(dataset: Dataset, path: Path) -> str:
    try:
        return preparation_key(dataset, source_checksum(path))
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error


def _generated(dataset: Dataset) -> Prepared:
    interactions = generate(dataset)
    users, items = interactions.num_users, interactions.num_items
    step = Step("source", users, items, len(interactions.items))
    return Prepared(interactions, np.arange(1, users + 1), np.arange(1, items + 1), (step,))

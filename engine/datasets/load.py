"""Loading a data set: from the prepared copy in the cache, its source file, or a generator."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.datasets.digests import file_digests
from engine.datasets.filters import FilterStep, apply_filter
from engine.datasets.interactions import Interactions
from engine.datasets.locate import damaged_files, require
from engine.datasets.ordering import order_by_time
from engine.datasets.prepared import (
    Prepared,
    is_sound,
    load_prepared,
    preparation_key,
    preparation_lock,
    save_prepared,
)
from engine.datasets.readers.read import read_source
from engine.datasets.synthetic import generate
from engine.errors import DataError
from engine.spec import Dataset


def load_interactions(dataset: Dataset) -> Interactions:
    """Load a data set for training, checking that a prepared copy is undamaged.

    If the data set's file has a published checksum, its counts must be the catalogue's. Otherwise
    copies may differ, and `Interactions.checksum` tells them apart.

    Raises:
        DataError: the data is absent, malformed, or differs from the catalogue.
    """
    return _load(dataset, check=True).interactions


def open_data(dataset: Dataset, *, check: bool = False) -> Prepared:
    """Load a data set with its ids, for viewing: a prepared copy is mapped into memory.

    Args:
        check: whether to check that a prepared copy is undamaged.

    Raises:
        DataError: as `load_interactions`.
    """
    return _load(dataset, check)


def is_prepared(dataset: Dataset) -> bool:
    """Whether there is a prepared copy for `open_data`. Raises `DataError` if the data isn't
    here."""
    if dataset.synthetic is not None:
        return True
    return load_prepared(dataset.name, _key(dataset, source_file(dataset))) is not None


def prepare(dataset: Dataset, path: Path) -> Prepared:
    """Read, filter and sort the source at ``path``, without the cache.

    Raises:
        DataError: the file can't be read or is malformed, or the filter leaves nothing.
    """
    ratings, steps = apply_filter(read_source(dataset, path), dataset.filter)
    ordered = order_by_time(ratings)
    return Prepared(ordered.interactions, ordered.user_ids, ordered.item_ids, tuple(steps))


def source_file(dataset: Dataset) -> Path:
    """Return the file of a data set's interactions. Raises `DataError` if it isn't here."""
    return require(dataset).folder / next(iter(dataset.files))


def catalogue_differences(dataset: Dataset, interactions: Interactions) -> list[str]:
    """Return a sentence on the counts that differ from the catalogue's; an empty list if none
    do."""
    counted = {
        "users": (interactions.num_users, dataset.users),
        "items": (interactions.num_items, dataset.items),
        "interactions": (len(interactions.items), dataset.interactions),
    }
    wrong = [f"{a:,} {name} (not {b:,})" for name, (a, b) in counted.items() if a != b]
    return [f"{dataset.title} holds {', '.join(wrong)} here."] if wrong else []


def verify(dataset: Dataset) -> list[str]:
    """Check a data set completely, and return a sentence for each problem: absent files, checksums
    other than published, malformed lines, counts other than the catalogue's."""
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

    def cached() -> Prepared | None:
        found = load_prepared(dataset.name, key)
        return None if found is None or (check and not is_sound(found)) else found

    if (prepared := cached()) is not None:
        return prepared
    with preparation_lock(dataset.name):
        if (prepared := cached()) is not None:
            return prepared
        prepared = prepare(dataset, path)
        if _key(dataset, path) != key:
            raise DataError(
                f"{path} changed while it was read: try again once nothing writes to it."
            )
        save_prepared(dataset.name, key, prepared)
    return prepared


def _key(dataset: Dataset, path: Path) -> str:
    try:
        return preparation_key(dataset, file_digests(path).sha256)
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error


def _generated(dataset: Dataset) -> Prepared:
    interactions = generate(dataset)
    users, items = interactions.num_users, interactions.num_items
    step = FilterStep("source", users, items, len(interactions.items))
    return Prepared(interactions, np.arange(1, users + 1), np.arange(1, items + 1), (step,))

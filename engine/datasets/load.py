"""Loading a data set: from the prepared copy in the cache, its source file, or a generator."""

from __future__ import annotations

from dataclasses import replace
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
from engine.datasets.times import to_microseconds, unit_of
from engine.errors import DataError
from engine.spec import Dataset
from engine.spec.data import GIVEN_FILES


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
    return load_prepared(dataset.name, _key(dataset, *source_files(dataset))) is not None


def prepare(dataset: Dataset, *paths: Path) -> Prepared:
    """Read, filter and sort a source, without the cache.

    Args:
        paths: the source's file, or those of training, validation and test.

    Raises:
        DataError: a file can't be read or is malformed, or the filter leaves nothing.
    """
    ratings, steps = apply_filter(read_source(dataset, *paths), dataset.filter)
    ordered = order_by_time(ratings)
    own, unit = ordered.interactions, ratings.unit
    if own.times is not None:
        units = ratings.per_second
        if units is None:
            units = unit = unit_of(own.times)
        own = replace(own, times=to_microseconds(own.times, units))
    return Prepared(own, ordered.user_ids, ordered.item_ids, tuple(steps), unit)


def source_file(dataset: Dataset) -> Path:
    """Return the file of a data set's interactions. Raises `DataError` if it isn't here."""
    return source_files(dataset)[0]


def source_files(dataset: Dataset) -> tuple[Path, ...]:
    """Return the files of a data set's interactions: one, or of a split that is given those of
    training, validation and test. Raises `DataError` if they aren't here."""
    folder = require(dataset).folder
    many = GIVEN_FILES if dataset.split.kind == "given" else 1
    return tuple(folder / name for name in list(dataset.files)[:many])


def catalogue_differences(dataset: Dataset, interactions: Interactions) -> list[str]:
    """Return a sentence on the counts that differ from the catalogue's; an empty list if none
    do. A count that isn't confirmed is compared with nothing."""
    counted = {
        "users": (interactions.num_users, dataset.users),
        "items": (interactions.num_items, dataset.items),
        "interactions": (len(interactions.items), dataset.interactions),
    }
    wrong = [
        f"{a:,} {name} (not {b:,})"
        for name, (a, b) in counted.items()
        if a != b and name not in dataset.unconfirmed
    ]
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
    paths = source_files(dataset)
    prepared = _load_files(dataset, paths, check)
    if any(dataset.files.values()):
        differences = catalogue_differences(dataset, prepared.interactions)
        if differences:
            remedy = (
                f"Remove that copy and run `seqbench data fetch {dataset.name}`."
                if dataset.archive
                else "Import the file again, under another name or with --replace."
            )
            raise DataError(
                f"{paths[0]} is not the {dataset.title} that is expected: {differences[0]} {remedy}"
            )
    return prepared


def _load_files(dataset: Dataset, paths: tuple[Path, ...], check: bool) -> Prepared:
    key = _key(dataset, *paths)

    def cached() -> Prepared | None:
        found = load_prepared(dataset.name, key)
        return None if found is None or (check and not is_sound(found)) else found

    if (prepared := cached()) is not None:
        return prepared
    with preparation_lock(dataset.name):
        if (prepared := cached()) is not None:
            return prepared
        prepared = prepare(dataset, *paths)
        if _key(dataset, *paths) != key:
            raise DataError(
                f"{' or '.join(map(str, paths))} changed while it was read: try again when nothing "
                "is writing to it."
            )
        save_prepared(dataset.name, key, prepared)
    return prepared


def _key(dataset: Dataset, *paths: Path) -> str:
    try:
        return preparation_key(dataset, " ".join(file_digests(path).sha256 for path in paths))
    except OSError as error:
        raise DataError(f"{error.filename} can't be read: {error.strerror}.") from error


def _generated(dataset: Dataset) -> Prepared:
    interactions = generate(dataset)
    users, items = interactions.num_users, interactions.num_items
    step = FilterStep("source", users, items, len(interactions.items))
    return Prepared(interactions, np.arange(1, users + 1), np.arange(1, items + 1), (step,))

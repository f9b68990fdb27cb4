"""Choosing the reader of a source."""

from __future__ import annotations

from pathlib import Path

from engine.datasets.readers.joined import join
from engine.datasets.readers.lines import read_lines, read_pairs
from engine.datasets.readers.ratings import COLONS, CSV, TAB, read_ratings
from engine.datasets.readers.sequences import is_sequential, read_sequences
from engine.datasets.readers.source import Ratings
from engine.datasets.readers.steam import read_reviews
from engine.spec import Dataset

_RATING_FILES = {"movielens-tab": TAB, "movielens-colons": COLONS, "movielens-csv": CSV}


def read_source(dataset: Dataset, *paths: Path) -> Ratings:
    """Read all interactions of a source, in file order.

    Args:
        paths: the source's file, or those of training, validation and test.

    Raises:
        DataError: a file can't be read or is malformed; the sentence says where and how.
    """
    if dataset.reader == "recbole" and any(map(is_sequential, paths)):
        return read_sequences(paths)
    found = [_read(dataset, path) for path in paths]
    return join(found) if len(found) > 1 else found[0]


def _read(dataset: Dataset, path: Path) -> Ratings:
    with_ratings = dataset.filter.min_rating is not None
    if layout := _RATING_FILES.get(dataset.reader):
        return read_ratings(path, layout, with_ratings=with_ratings)
    if dataset.reader == "steam-reviews":
        return read_reviews(path)
    if dataset.reader in ("pairs", "lines"):
        return read_pairs(path) if dataset.reader == "pairs" else read_lines(path)
    # Not at the top: pandas takes half a second to import, and only tables need it.
    from engine.datasets.readers.table import read_table

    return read_table(path, dataset.columns, with_ratings=with_ratings)

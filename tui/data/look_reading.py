"""Reading what a data set is like, in a thread: apart, as it loads numpy."""

from __future__ import annotations

from engine.datasets.load import is_prepared, open_data, source_file
from engine.datasets.problems import find_problems, sentences
from engine.datasets.splits import split_data
from engine.datasets.statistics import split_counts, statistics
from engine.spec import Dataset
from tui.data.words import Look

AT_ONCE = 60_000_000
"""Bytes of a source that is read without being asked for: about two seconds' work."""


def look_into(dataset: Dataset, asked: bool) -> Look | None:
    """Read a data set's figures; None where that takes a while and nobody asked for it.

    Raises:
        DataError: it can't be read, or can't be split as it says.
    """
    at_once = asked or dataset.synthetic is not None or is_prepared(dataset)
    if not at_once and source_file(dataset).stat().st_size > AT_ONCE:
        return None
    prepared = open_data(dataset)
    own = prepared.interactions
    split = split_counts(split_data(own, dataset))
    remarks = tuple(sentences(find_problems(own), own))
    return Look(statistics(own), prepared.steps, split, remarks)

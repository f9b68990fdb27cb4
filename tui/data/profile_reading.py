"""Reading a data set's statistics, in a thread; loads numpy, which `tui.data.reading` doesn't."""

from __future__ import annotations

from engine.datasets.load import is_prepared, open_data, source_file
from engine.datasets.problems import find_problems, sentences
from engine.datasets.splitting.splits import split_data
from engine.datasets.splitting.statistics import split_counts, statistics
from engine.evaluated import cold_sentence
from engine.spec import Dataset
from tui.data.words import Profile

AT_ONCE = 60_000_000
"""Bytes of the largest source that is read without asking: about two seconds' work."""


def profile_of(dataset: Dataset, asked: bool) -> Profile | None:
    """Read a data set's statistics; None if that takes long and the user didn't ask for them.

    Raises:
        DataError: the data can't be read, or can't be split as the data set says.
    """
    at_once = asked or dataset.synthetic is not None or is_prepared(dataset)
    if not at_once and source_file(dataset).stat().st_size > AT_ONCE:
        return None
    prepared = open_data(dataset)
    own = prepared.interactions
    split = split_counts(split_data(own, dataset))
    problems = sentences(find_problems(own), own, dataset.split, split)
    said = (cold_sentence(*split.ceilings), *problems)
    remarks = tuple(filter(None, said))
    return Profile(statistics(own), prepared.steps, split, remarks)

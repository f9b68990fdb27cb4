"""Reading what the paired test says of two runs or cells, in a thread: apart, as reading ranks
loads numpy."""

from __future__ import annotations

from contextlib import closing

from engine.analysis.diff import Diff
from engine.analysis.pairs.words import words_for
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation


def read_words(location: StoreLocation, diff: Diff) -> tuple[str, ...]:
    """Say what the paired test says of the right side against the left, or why it says nothing.

    Raises:
        UserError: the store can't be read.
    """
    with closing(connect_reader(location)) as con:
        return tuple(words_for(con, location, diff.right.runs, diff.left.runs, "right"))

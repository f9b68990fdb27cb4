"""Reading what test users tell of a cell, in a thread: apart, as reading ranks loads numpy."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from engine.analysis.pairs.cells import intervals
from engine.store.compare.grouping import Choice, runs_of_cell
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation

Intervals = Mapping[str, tuple[float, float]]
"""Of means, at 95 % over users, by `engine.metrics.METRICS`."""

MOST_SEEDS = 100
"""Of a cell whose intervals are read: each seed's ranks are a file."""


def read_cell(location: StoreLocation, choice: Choice, cell: str) -> Intervals | str:
    """Read the intervals of a cell's test metrics, or a sentence why there are none.

    Raises:
        StoreError: a store that can't be read.
    """
    with closing(connect_reader(location)) as con:
        runs = runs_of_cell(con, choice, cell)
        if len(runs) > MOST_SEEDS:
            return f"Not read: it has more than {MOST_SEEDS} seeds."
        return intervals(con, location, runs)

"""Reading what test users tell of a run, in a thread: apart, as reading ranks loads numpy."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from engine.analysis.pairs.cells import intervals
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation


def read_intervals(location: StoreLocation, run_id: str) -> Mapping[str, tuple[float, float]]:
    """Read the intervals of a run's test metrics, at 95 % over users, by metric; none where its
    ranks can't be read.

    Raises:
        StoreError: a store that can't be read.
    """
    with closing(connect_reader(location)) as con:
        found = intervals(con, location, [run_id])
    return {} if isinstance(found, str) else found

"""Reading the pivot, in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

from engine.analysis.columns.definitions import Aggregate
from engine.analysis.pairs.users import UserIntervals
from engine.analysis.pivot.arranged import PivotRow, apart_sentences
from engine.analysis.pivot.stored import StoredPivot, leaders, stored_pivot
from engine.analysis.pivot.text import for_people
from engine.config import Catalogue
from engine.store.compare.grouping import Choice, imported_left_out, runs_of_cell
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from tui.pivot.rows import Leaders

__all__ = ["Aggregate", "Choice", "PivotRow", "Shown", "UserIntervals", "read_cell", "read_pivot"]

MOST_SEEDS = 100
"""Most seeds of a cell whose intervals are read: each seed's ranks are a file."""


@dataclass(frozen=True)
class Shown:
    """A pivot as it was read."""

    choice: Choice
    found: StoredPivot = field(default_factory=StoredPivot)
    rows: tuple[PivotRow, ...] = ()
    """For people: margins beside their differences."""
    apart: str = ""
    """Why cells that look alike stand apart, for the first of them."""
    leaders: Leaders = field(default_factory=dict)
    imported: int = 0
    """Runs of other programs that match and make no cell."""


def read_pivot(
    location: StoreLocation,
    choice: Choice,
    aggregate: Aggregate,
    catalogue: Catalogue | None,
    names: Sequence[str],
) -> Shown:
    """Read the pivot of a store, with the columns ``names``.

    Raises:
        UsageError: a filter that means nothing.
        StoreError: a store that can't be read.
    """
    tables = list(catalogue.published.values()) if catalogue else []
    with closing(connect_reader(location)) as con:
        found = stored_pivot(con, choice, aggregate, tables, catalogue, location, names)
        left_out = imported_left_out(con, choice)
    rows = tuple(for_people(found.rows))
    apart = " ".join(apart_sentences(rows, most=1))
    return Shown(choice, found, rows, apart, leaders(rows, aggregate, names), left_out)


def read_cell(location: StoreLocation, choice: Choice, cell: str) -> UserIntervals | str:
    """Read the intervals of a cell's test metrics, or a sentence why there are none.

    Raises:
        StoreError: a store that can't be read.
    """
    from engine.analysis.pairs.cells import intervals  # loads numpy: not before it is needed

    with closing(connect_reader(location)) as con:
        runs = runs_of_cell(con, choice, cell)
        if len(runs) > MOST_SEEDS:
            return f"Not read: it has more than {MOST_SEEDS} seeds."
        return intervals(con, location, runs)

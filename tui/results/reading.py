"""Reading two runs or cells to compare, in a thread."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from engine.analysis.columns.definitions import Aggregate
from engine.analysis.diff import Diff, Side, cell_side, compare_sides, run_side
from engine.store.compare.grouping import Choice
from engine.store.connect import connect_reader
from engine.store.database import StoreConnection
from engine.store.location import StoreLocation
from tui.results.diff_text import RunOrCell

if TYPE_CHECKING:
    from engine.config import Catalogue

__all__ = ["Aggregate", "Choice", "Diff", "read_diff", "read_words"]


def read_diff(
    location: StoreLocation,
    sides: tuple[RunOrCell, RunOrCell],
    choice: Choice,
    aggregate: Aggregate,
    catalogue: Catalogue | None = None,
) -> Diff:
    """Read what differs between two runs or cells, left and right.

    Raises:
        UserError: the store can't be read.
    """

    def side(con: StoreConnection, one: RunOrCell) -> Side:
        if one.is_cell:
            return cell_side(con, one.key, choice, aggregate, catalogue)
        return run_side(con, one.key, aggregate)

    left, right = sides
    with closing(connect_reader(location)) as con:
        return compare_sides(con, side(con, left), side(con, right), aggregate)


def read_words(
    location: StoreLocation, diff: Diff, catalogue: Catalogue | None = None
) -> tuple[str, ...]:
    """Say what the paired test says of the right side against the left, or why it says nothing.

    Raises:
        UserError: the store can't be read.
    """
    from engine.analysis.pairs.words import words_for  # loads numpy: not before it is needed

    with closing(connect_reader(location)) as con:
        sides = diff.right.runs, diff.left.runs
        return words_for(con, location, sides, ("right", "left"), catalogue).sentences

"""What the comparison shows: which runs or cells, with which columns, in which order."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.analysis.columns.definitions import SORT, Aggregate, Column
from engine.analysis.columns.offered import DEFAULT, every_column, shown_columns
from engine.analysis.reference import alike_sources
from engine.store.compare.filter_sql import conditions
from engine.store.compare.filter_words import FilterError
from engine.store.compare.grouping import Choice


@dataclass(frozen=True)
class View:
    """What the comparison shows.

    Attributes:
        names: columns that a user may choose, in order.
        aggregate: how a run's epochs become one figure.
        sorted_by: name of the column that the rows are sorted by, shown or not.
        by_cell: one row a cell, else one a run.
        imported: whether cells are made of imported runs too.
        filter: what a run must have, in the filter language.
        expanded: names of cells below which their runs stand.
        baseline: id of the run, or name of the cell, to which differences are shown; a run stands
            for its cell with ``by_cell``, a cell for its newest run without. Empty for none.
    """

    names: tuple[str, ...] = DEFAULT
    aggregate: Aggregate = "best"
    sorted_by: str = SORT
    descending: bool = True
    by_cell: bool = False
    imported: bool = False
    filter: str = ""
    expanded: frozenset[str] = frozenset()
    baseline: str = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns of the table, in order."""
        return shown_columns(self.aggregate, self.names)

    @property
    def sort(self) -> Column:
        """The column that the rows are sorted by."""
        return every_column(self.aggregate)[self.sorted_by]

    @property
    def sources(self) -> tuple[str, ...]:
        """The store's columns to read: those shown, those that signs beside them tell of, and
        those that published figures stand beside."""
        shown = (entry.source for entry in self.columns)
        signs = ("origin", "marks", "note", "tags", "refits")
        return tuple(dict.fromkeys(["id", *signs, *shown, *alike_sources("max")]))

    def choice(self, hidden: tuple[str, ...] = ()) -> Choice:
        """Which runs are compared, without those that are ``hidden``."""
        return Choice(self.filter, self.aggregate, hidden, self.imported)

    def with_sort(self, source: str) -> View:
        """Sort by the shown column of that source; again, the other way round."""
        if source == self.sort.source:
            return replace(self, descending=not self.descending)
        column = next(entry for entry in self.columns if entry.source == source)
        most_first = column.better == "higher" or column.name == "age"
        most_first |= self.by_cell and column.name == "seed"
        return replace(self, sorted_by=column.name, descending=most_first)


def filter_problem(text: str, aggregate: Aggregate) -> str:
    """Say what is wrong with a filter, and where; empty if nothing is."""
    try:
        conditions(text, aggregate)
    except FilterError as error:
        return f"character {error.at}: {error.problem}"
    return ""


def plotted(view: View, under: str) -> tuple[list[Column], Column, Column]:
    """Columns that may be an axis of the scatter plot, and the first x and y.

    Args:
        under: the store's name of the column under the cursor.
    """
    every = every_column(view.aggregate)
    offered = [entry for entry in every.values() if entry.kind != "text"]
    y = view.sort if view.sort in offered and view.sort.better else every[SORT]
    x = next((entry for entry in offered if entry.source == under and entry != y), None)
    if x is None or x.better == "higher":
        x = every["EpochTime"]
    return offered, x, y

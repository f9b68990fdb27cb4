"""Published results beside ours, each labelled as what it is.

Beside a cell stand the figures of sources whose protocol agrees with the cell's in all that they
say of it (`engine.analysis.literature`).

The reference table takes the maximum over epochs of what it logged as test, which in its author's
later notebooks is the validation set. So two values of ours are shown beside a published metric:
the same aggregate of our validation metric, and our test metric at the epoch chosen on validation.
Of a source that says that it measured on test, both are our test metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from engine.analysis.columns.definitions import COSTS, Kind, Value, kind_of
from engine.analysis.literature.differences import agree
from engine.analysis.literature.figures import BOTH, Setup, published_setup
from engine.marks import of_times
from engine.metrics import EPOCH_MEASURES, REFERENCE_COLUMNS, summary_of

if TYPE_CHECKING:
    from engine.config import PublishedTable
    from engine.config.published import PublishedCell


@dataclass(frozen=True, slots=True)
class Beside:
    """A published result, with ours."""

    column: str
    kind: Kind
    published: Decimal
    alike: float | None
    """Our value measured like the published one, as far as is known: for a metric, on the
    validation set with the table's aggregate."""
    test: float | None
    """Our test metric at the epoch chosen on validation; None unless it is a metric."""
    marked: bool = False
    """Whether it is a cost, and ours is of a run that is marked for its times."""

    @property
    def difference(self) -> float | None:
        """``alike`` − ``published``; None of what isn't compared."""
        return None if self.alike is None or self.marked else self.alike - float(self.published)

    @property
    def test_difference(self) -> float | None:
        """``test`` − ``published``."""
        return None if self.test is None else self.test - float(self.published)


@dataclass(frozen=True, slots=True)
class ReferenceOfCell:
    """The results that a table publishes for a model, data set and length."""

    table: str
    title: str
    source: str
    note: str
    aggregate: str
    """Of epochs: ``max``, or ``best`` on validation, which stands for what isn't known."""
    masked: bool
    """Whether seen items are masked, else they are ranked."""
    on_test: bool
    """Whether the source is known to measure on test."""
    figures: tuple[tuple[str, Decimal], ...]
    """With the digits that they were published with."""

    def sources(self) -> tuple[str, ...]:
        """List the store's columns that `beside` reads."""
        wanted = {source for name, _ in self.figures for source in self.sources_of(name) if source}
        return tuple(sorted(wanted))

    def beside(self, ours: Mapping[str, Value], marks: object = None) -> tuple[Beside, ...]:
        """Pair the published results with a run's, given by the store's column names, and its
        marks, separated by spaces."""
        disturbed = bool(of_times(marks))
        return tuple(
            self._pair(name, published, ours.get, disturbed and name in COSTS)
            for name, published in self.figures
        )

    def _pair(
        self, name: str, published: Decimal, ours: Callable[[str], Value], marked: bool
    ) -> Beside:
        alike, test = self.sources_of(name)
        return Beside(
            column=name,
            kind=kind_of(name),
            published=published,
            alike=_number(ours(alike)),
            test=_number(ours(test)) if test else None,
            marked=marked,
        )

    def sources_of(self, name: str) -> tuple[str, str | None]:
        """Return the store's column that is measured alike, and for a metric the one at test."""
        measure = REFERENCE_COLUMNS[name]
        if measure not in EPOCH_MEASURES:
            return measure, None
        if not measure.startswith("test_"):
            return summary_of(measure, self.aggregate), None
        metric = measure.removeprefix("test_") + ("_masked" if self.masked else "")
        part = "test" if self.on_test else "valid"
        return f"{part}_{metric}_{self.aggregate}", f"test_{metric}_best"


@cache
def alike_sources(aggregate: str) -> tuple[str, ...]:
    """List every store column that `ReferenceOfCell.beside` may read for a table's aggregate."""
    every = tuple((name, Decimal(0)) for name in REFERENCE_COLUMNS)
    names: set[str] = set()
    for masked in (False, True):
        found = ReferenceOfCell("", "", "", "", aggregate, masked, on_test=False, figures=every)
        names.update(found.sources())
    return tuple(sorted(names))


def references_of(
    tables: Iterable[PublishedTable],
    model: str,
    dataset: str,
    length: int,
    ours: Setup | None = None,
) -> list[ReferenceOfCell]:
    """List what is published for a model, data set and length, table by table.

    Args:
        ours: the setup of our cell. Without it only figures are listed whose source says nothing of
            theirs but L and whether seen items are masked.
    """
    own = ours or Setup(length=length, seen=BOTH)
    return [
        reference_of(table, cell)
        for table in tables
        for cell in table.cells
        if (cell.model, cell.dataset) == (model, dataset)
        and table.protocol_of(cell).length == length
        and agree(published_setup(table, cell), own)
    ]


def reference_of(table: PublishedTable, cell: PublishedCell) -> ReferenceOfCell:
    """Return the figures of a table's cell that the reference table has a column for."""
    protocol = table.protocol_of(cell)
    named = {_COLUMNS.get(name, name): value for name, value in cell.figures.items()}
    return ReferenceOfCell(
        table=table.name,
        title=f"{table.title}: {cell.label}" if cell.label else table.title,
        source=table.source,
        note=table.note,
        aggregate="best" if protocol.epoch == "unknown" else protocol.epoch,
        masked=protocol.seen in ("masked", "input-masked"),
        on_test=protocol.part == "test",
        figures=tuple((name, named[name]) for name in REFERENCE_COLUMNS if name in named),
    )


_COLUMNS = {name.removesuffix("/test"): name for name in REFERENCE_COLUMNS}
"""Columns of the reference table by the names of figures."""


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) else None

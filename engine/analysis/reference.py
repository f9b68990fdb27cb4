"""Published results beside ours, each labelled as what it is.
 The reference table takes the maximum over epochs of what it logged as test, which in its author's
later notebooks is the validation set. So two values of ours are shown beside a published metric:
the same aggregate of our validation metric, and our test metric at the epoch chosen on validation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from engine.analysis.columns.definitions import COSTS, Kind, Value, kind_of
from engine.marks import of_times
from engine.metrics import EPOCH_MEASURES, REFERENCE_COLUMNS, summary_of

if TYPE_CHECKING:
    from engine.config import ReferenceTable


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
    split: str
    aggregate: str
    ranking: str
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
        metric = measure.removeprefix("test_") + (
            "_masked" if self.ranking == "seen-masked" else ""
        )
        return f"valid_{metric}_{self.aggregate}", f"test_{metric}_best"


@cache
def alike_sources(aggregate: str) -> tuple[str, ...]:
    """List every store column that `ReferenceOfCell.beside` may read for a table's aggregate."""
    every = tuple((name, Decimal(0)) for name in REFERENCE_COLUMNS)
    names: set[str] = set()
    for ranking in ("all-items", "seen-masked"):
        names.update(ReferenceOfCell("", "", "", "", aggregate, ranking, every).sources())
    return tuple(sorted(names))


def references_of(
    tables: Iterable[ReferenceTable], model: str, dataset: str, length: int
) -> list[ReferenceOfCell]:
    """List what is published for a model, data set and length, table by table."""
    return [
        ReferenceOfCell(
            table=table.name,
            title=table.title,
            source=table.source,
            split=table.split,
            aggregate=table.aggregate,
            ranking=table.ranking,
            figures=tuple(
                (name, cell.figures[name]) for name in REFERENCE_COLUMNS if name in cell.figures
            ),
        )
        for table in tables
        for cell in table.cells
        if (cell.model, cell.dataset, cell.length) == (model, dataset, length)
    ]


def digits_text(published: Decimal) -> str:
    """Write a published value with its own digits, with thousands separators: ``0.130``."""
    return f"{published:,f}"


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) else None

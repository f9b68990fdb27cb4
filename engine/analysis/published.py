"""Published results compared with our cells: the difference, its interval, and a verdict if the
interval allows one.
 A published result is one number: one seed, a maximum over epochs, few digits. So it is set against
the same aggregate of ours (`engine.analysis.reference`: for a metric the validation set's), the
mean over seeds of each run's own. Whether another seed of ours might have given the published
figure is asked of the interval that holds one further observation (Hahn & Meeker, Statistical
Intervals, 1991, sec. 4.8),

    mean ± (t · s · √(1 + 1/S) + u)

with s the deviation over our S seeds, t Student's for S - 1 degrees of freedom and u one unit of
the published result's last digit: digits may have been rounded or cut. It takes the published
models' seeds to vary as ours do. The users are the same on both sides, so that they add nothing.
Of time, memory and loss only the difference is told: other machines and other code made them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.analysis.claims.claim import LEVEL, Claim, Verdict
from engine.analysis.claims.rule import Side, Untold, untold
from engine.analysis.columns.definitions import COSTS
from engine.analysis.labels.words import cell_title
from engine.analysis.literature.figures import Setup
from engine.analysis.pairs.student import critical
from engine.analysis.reference import ReferenceOfCell, reference_of, references_of
from engine.analysis.run.relaunch import Launch
from engine.cell import Cell
from engine.marks import MEANING, in_order, of_times
from engine.spread import Spread
from engine.store.compare.grouping import CellRow

if TYPE_CHECKING:
    from engine.config import PublishedTable


@dataclass(frozen=True, slots=True)
class Against:
    """A published result, and ours measured the same way."""

    published: Decimal
    alike: Spread | None
    """Over seeds; None if no run has a value."""
    margin: float | None
    """Half the difference's interval at 95 %; None of one seed, or of what isn't a metric."""
    untold: Untold | None = None
    """Why no verdict on a metric is possible, if none is."""
    marked: bool = False
    """Whether it is a cost, and one of our runs is marked for its times."""

    @property
    def difference(self) -> float | None:
        """Ours minus the published value; None if they aren't compared."""
        if self.alike is None or self.marked:
            return None
        return self.alike.mean - float(self.published)

    @property
    def verdict(self) -> Verdict | None:
        """How ours compares; None if the interval isn't known, or nothing can be claimed."""
        if self.difference is None or self.margin is None:
            return None
        low, high = self.difference - self.margin, self.difference + self.margin
        ours = Claim("", "ours", "published", self.difference, low, high, untold=self.untold)
        return ours.verdict


@dataclass(frozen=True, slots=True)
class Published:
    """The published results of one table for a cell, by the reference table's column names."""

    reference: ReferenceOfCell
    figures: Mapping[str, Against]
    side: Side
    """Our cell."""
    marks: tuple[str, ...] = ()
    """Marks of our runs (`engine.marks`), which keep values from being compared with it."""


def against(
    published: Decimal, ours: Spread | None, *, metric: bool, side: Side | None = None
) -> Against:
    """Compare a published result with a cell's."""
    margin = None
    if metric and ours is not None and ours.deviation is not None:
        factor = critical(LEVEL, ours.count - 1) * math.sqrt(1 + 1 / ours.count)
        margin = factor * ours.deviation + last_digit(published)
    why = None
    if metric and ours is not None:
        why = untold(replace(side or Side("ours", ours.count), seeds=ours.count))
    return Against(published, ours, margin, why)


def last_digit(published: Decimal) -> float:
    """Return a unit of a value's last digit, which may be a 0: .001 for ``0.130``."""
    exponent = published.as_tuple().exponent
    assert isinstance(exponent, int)  # it is finite
    return float(Decimal((0, (1,), exponent)))


def published_for(
    tables: Iterable[PublishedTable],
    row: CellRow,
    marks: Mapping[Cell, tuple[str, ...]] | None = None,
    launches: Mapping[Cell, Launch] | None = None,
    labels: Mapping[Cell, str] | None = None,
    setups: Mapping[Cell, Setup] | None = None,
    improving: Mapping[Cell, tuple[str, ...]] | None = None,
) -> list[Published]:
    """List what is published for a cell that was read with `sources`, table by table.

    Args:
        marks: those of the cells that have any.
        setups: those of the cells.
        launches: how the runs of cells are launched, where it is known.
        labels: what tells cells apart (`engine.analysis.labels.words`).
        improving: the ids of runs that were still improving at their epoch limit, where known.
    """
    own = (marks or {}).get(row.cell, ())
    disturbed = bool(of_times(" ".join(own)))
    launch = (launches or {}).get(row.cell)
    title = cell_title(row.cell, (labels or {}).get(row.cell, ""))
    side = Side(title, row.seeds, own, (improving or {}).get(row.cell, ()), launch)
    found = []
    for reference in references_of(tables, *row.cell.place, (setups or {}).get(row.cell)):
        figures = {}
        for name, value in reference.figures:
            ours = row.figures.get(reference.sources_of(name)[0])
            is_metric = name.endswith("/test")
            over = ours.spread if ours else None
            entry = against(value, over, metric=is_metric, side=side)
            figures[name] = replace(entry, marked=disturbed and name in COSTS)
        found.append(Published(reference, figures, side, own))
    return found


def sources(tables: Iterable[PublishedTable]) -> list[str]:
    """List the store's columns that `published_for` reads."""
    found = (reference_of(table, cell) for table in tables for cell in table.cells)
    names = (each.sources_of(name)[0] for each in found for name, _ in each.figures)
    return list(dict.fromkeys(names))


def caveats(found: Sequence[Published]) -> list[str]:
    """List what a reader must know to read the differences right."""
    if not found:
        return []
    splits = dict.fromkeys(
        f"{each.reference.title}: {each.reference.aggregate} over epochs of one seed, compared "
        f"with our validation {each.reference.aggregate} (mean over seeds), because what it calls "
        "test is probably validation."
        for each in found
        if not each.reference.on_test
    )
    figures = [figure for each in found for figure in each.figures.values()]
    sentences = [*splits]
    marks = in_order(mark for each in found for mark in each.marks)
    sentences += [f"! {mark}: for a run of that cell, {MEANING[mark]}." for mark in marks]
    words = sum(figure.verdict is not None for figure in figures)
    if words:
        sentences.append(
            f"± is half the interval (95 %) for one more seed like ours; {words} such words aren't "
            "corrected for multiple comparisons."
        )
    if why := untold(*dict.fromkeys(each.side for each in found)):
        sentences.append(f"{why.sentence}.")
    return sentences

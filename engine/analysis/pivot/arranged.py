"""The reference table's form: rows Model › Dataset › Length, its twelve columns, quality
first, and maxima below.

Cells (`engine.cell`) of one model, data set and length have rows of their own, named by what
differs, and are never averaged.
A subtotal is the maximum over the cells beneath it, as in the reference, whatever made the cells.
Below a cell may stand what is published for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import Literal

from engine.analysis.apart import Conditions, what_differs
from engine.analysis.columns.definitions import Value
from engine.analysis.export import listed
from engine.analysis.floor import Floor, Standing, floor_text, with_sign
from engine.analysis.labels.words import Described, cell_labels
from engine.analysis.published import Against, Published
from engine.analysis.refits import without_refits
from engine.cell import Cell
from engine.marks import IMPORTED, MEANING, in_order
from engine.metrics import REFERENCE_COLUMNS

Level = Literal[
    "model", "dataset", "length", "published", "alike", "difference", "margin", "verdict", "total"
]
BESIDE: tuple[Level, ...] = ("published", "alike", "difference", "margin", "verdict")
"""Rows below a cell, for the published results of one table: those, ours measured the same
way, ours minus the published, half that difference's 95 % interval, and the verdict on ours."""
COLUMNS = tuple(
    dict.fromkeys(
        ("NDCG@10/test", "Recall@10/test", "MRR@10/test", "HitRate@10/test", *REFERENCE_COLUMNS)
    )
)
"""The reference table's columns, quality first: a pivot's unless others are chosen."""
TOTAL = "Grand Total (Max)"


@dataclass(frozen=True, slots=True)
class PivotCell:
    """One cell, before it has a place among others."""

    cell: Cell
    protocol: int | None
    split: str | None
    seeds: int
    figures: tuple[Value, ...]
    """In the order of the pivot's columns."""
    deviations: tuple[float | None, ...] = ()
    """Over seeds; empty where there are none."""
    published: tuple[Published, ...] = ()
    marks: tuple[str, ...] = ()
    """Marks of its runs (`engine.marks`)."""
    refit: bool = False
    """Whether its runs were trained with validation included."""


@dataclass(frozen=True, slots=True)
class PivotRow:
    """One row; in a subtotal or the total, every value is the maximum of the cells below, without
    refits unless all are."""

    level: Level
    label: str
    """The last part of its place, such as ``50``."""
    model: str = ""
    dataset: str = ""
    length: int | None = None
    seeds: int | None = None
    """Runs in a cell."""
    figures: tuple[Value | Decimal, ...] = ()
    """In the order of the pivot's columns; a published one with its digits."""
    deviations: tuple[float | None, ...] = ()
    """Over seeds, of a cell of several; empty else."""
    cell: str = ""
    """The cell's name."""
    named: str = ""
    """What distinguishes a cell from others of its model, data set and length; empty if it is
    alone."""
    imported: bool = False
    """Whether another program trained the cell's runs."""
    marks: tuple[str, ...] = ()
    """Marks of a cell's runs, for which its label has a ``!``."""
    refit: bool = False
    """Whether a cell's runs were trained with validation included."""
    why_not: str = ""
    """Why no verdict on a metric below a cell is possible, if none is."""
    apart: tuple[str, ...] = ()
    """What keeps a cell from being averaged with others of its place: ``profile``, ``settings``,
    ``data``, ``split``, ``protocol``."""
    floor: str | None = None
    """The floor that a cell is compared with, and its value."""
    vs_floor: Standing | None = None
    """Where a cell stands against it, for which its label has a sign."""

    @property
    def is_cell(self) -> bool:
        return self.level == "length"


def arranged(
    cells: Sequence[PivotCell],
    labels: Mapping[Cell, str] | None = None,
    names: Sequence[str] = COLUMNS,
) -> list[PivotRow]:
    """Put cells in their places, with subtotals and the total.

    Args:
        labels: what tells cells apart (`engine.analysis.labels.stored`); conditions and digests if
            not given.
        names: the pivot's columns, which the cells' figures are of.
    """
    if not cells:
        return []
    if labels is None:
        labels = cell_labels(Described(each.cell, conditions=_told(each)) for each in cells)
    ordered = sorted(cells, key=_order)
    found: list[PivotRow] = []
    for model, of_model in groupby(ordered, key=lambda cell: cell.cell.model):
        below = list(of_model)
        found.append(PivotRow("model", model, model, figures=_maximum(below)))
        for dataset, of_dataset in groupby(below, key=lambda cell: cell.cell.dataset):
            some = list(of_dataset)
            figures = _maximum(some)
            found.append(PivotRow("dataset", dataset, model, dataset, figures=figures))
            for _, alike in groupby(some, key=lambda cell: cell.cell.length):
                found += _rows_of(list(alike), labels, names)
    return [*found, PivotRow("total", TOTAL, figures=_maximum(ordered))]


def places_shown(rows: Sequence[PivotRow], names: Sequence[str] = COLUMNS) -> list[int]:
    """Return the indices of the columns that people are shown: all that were chosen, but of
    `COLUMNS` the ones with a value in some row, and HitRate only where it differs from Recall (they
    are equal with one true item)."""
    if not rows or tuple(names) != COLUMNS:
        return list(range(len(names)))
    values = dict(zip(COLUMNS, zip(*(row.figures for row in rows), strict=True), strict=True))
    if values["HitRate@10/test"] == values["Recall@10/test"]:
        del values["HitRate@10/test"]
    return [
        place
        for place, name in enumerate(COLUMNS)
        if any(value not in (None, "") for value in values.get(name, ()))
    ]


def apart_sentences(rows: Iterable[PivotRow], most: int = 3) -> list[str]:
    """Explain in sentences why places have several rows, for the first ``most`` of them."""
    several: dict[tuple[str, str, int | None], list[PivotRow]] = {}
    for row in rows:
        if row.apart:
            several.setdefault((row.model, row.dataset, row.length), []).append(row)
    sentences = [
        f"{model} × {dataset} × {length} has {len(some)} rows, not averaged: they differ in "
        f"{listed(some[0].apart)}."
        for (model, dataset, length), some in several.items()
    ]
    more = len(sentences) - most
    if more > 0:
        rest = "1 more cell" if more == 1 else f"{more} more cells"
        sentences[most:] = [f"The same is true of {rest}."]
    return sentences


def with_standings(
    rows: Iterable[PivotRow],
    floors: Sequence[Floor],
    standings: Mapping[Cell, tuple[Floor, Standing]],
) -> tuple[PivotRow, ...]:
    """Give cells their floor, and the sign of where they stand against it."""
    own = {floor.cell.name: floor_text(floor) for floor in floors}
    found = []
    for row in rows:
        if row.is_cell:
            floor, where = standings.get(Cell.named(row.cell), (None, None))
            text = floor_text(floor) if floor else own.get(row.cell)
            label = with_sign(row.label, where)
            row = replace(row, label=label, floor=text, vs_floor=where)
        found.append(row)
    return tuple(found)


def mark_sentences(rows: Iterable[PivotRow]) -> list[str]:
    """Explain the marks of cells, a sentence each."""
    marks = in_order(mark for row in rows for mark in row.marks)
    return [f"! {mark}: for a run of that cell, {MEANING[mark]}." for mark in marks]


def _maximum(cells: Iterable[PivotCell]) -> tuple[Value, ...]:
    """Take the maximum of every column, without refits unless all are."""
    compared = without_refits(list(cells), lambda cell: cell.refit)
    columns = zip(*(cell.figures for cell in compared), strict=True)
    return tuple(
        max((value for value in column if isinstance(value, int | float)), default=None)
        for column in columns
    )


def _rows_of(
    cells: Sequence[PivotCell], labels: Mapping[Cell, str], names: Sequence[str]
) -> Iterator[PivotRow]:
    """Yield the rows of one place: each cell, and below it what is published for its columns."""
    apart = what_differs([_conditions(cell) for cell in cells])
    for cell in cells:
        place = cell.cell.place
        imported = cell.cell.profile == IMPORTED
        named = labels.get(cell.cell) or (IMPORTED if imported else "")
        label = " · ".join([str(cell.cell.length), *([named] if named else [])])
        label += " !" if cell.marks else ""
        figures, deviations = cell.figures, cell.deviations
        row = PivotRow("length", label, *place, cell.seeds, figures, deviations, cell.cell.name)
        yield replace(
            row, named=named, imported=imported, marks=cell.marks, refit=cell.refit, apart=apart
        )
        for published in cell.published:
            if published.figures.keys().isdisjoint(names):
                continue
            title = f"{published.reference.title}: " if len(cell.published) > 1 else ""
            for level in BESIDE:
                yield _beside(level, published, place, title, names)


def _beside(
    level: Level,
    published: Published,
    place: tuple[str, str, int],
    title: str,
    names: Sequence[str],
) -> PivotRow:
    aggregate, on_test = published.reference.aggregate, published.reference.on_test
    sign = f" ! {' '.join(published.marks)}" if published.marks else ""
    label = {
        "published": f"{title}published{'' if on_test else ' (labelled test)'}",
        "alike": f"{title}ours, {'test' if on_test else 'validation'}"
        f"{'' if aggregate == 'best' else f' {aggregate}'}{sign}",
        "difference": "difference",
        "margin": "± 95 %",
        "verdict": "ours is",
    }[level]
    entries = [published.figures.get(name) for name in names]
    figures = tuple(None if entry is None else _figure(entry, level) for entry in entries)
    deviations: tuple[float | None, ...] = ()
    if level == "alike":
        spreads = (entry.alike if entry else None for entry in entries)
        deviations = tuple(spread.deviation if spread else None for spread in spreads)
    if not any(each is not None for each in deviations):
        deviations = ()
    why = ""
    if level == "verdict":
        found = (entry.untold for entry in published.figures.values())
        why = next((each.sentence for each in found if each is not None), "")
    return PivotRow(level, label, *place, figures=figures, deviations=deviations, why_not=why)


def _figure(entry: Against, level: Level) -> Value | Decimal:
    match level:
        case "published":
            return entry.published
        case "alike":
            return entry.alike.mean if entry.alike else None
        case "difference":
            return entry.difference
        case "margin":
            return entry.margin
        case _:
            return entry.verdict


def _conditions(each: PivotCell) -> Conditions:
    cell = each.cell
    return Conditions(cell.profile, cell.settings, cell.checksum, each.split, each.protocol)


def _told(each: PivotCell) -> dict[str, str]:
    protocol = None if each.protocol is None else str(each.protocol)
    return {"split": each.split or "unknown", "protocol": protocol or "unknown"}


def _order(each: PivotCell) -> tuple[str, str, int, str, str, int, str]:
    cell, protocol = each.cell, -1 if each.protocol is None else each.protocol
    return (*cell.place, cell.profile, cell.settings, protocol, cell.checksum)

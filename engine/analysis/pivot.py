"""The reference table's form: rows Model › Dataset › Length, its twelve columns, maxima below.

A cell is one model, data set and length. Its runs differ in seed; those that differ in more (data,
protocol, settings) stand in rows of their own, told apart by what differs, and are never averaged.
A subtotal is the maximum over the cells beneath it, as in the reference, whatever made the cells.
Below a cell may stand what is published for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Literal

from engine.analysis.comparison import STD, Row, Value, by_cell, counts
from engine.analysis.published import Against, Published
from engine.marks import IMPORTED
from engine.metrics import REFERENCE_COLUMNS

Level = Literal[
    "model", "dataset", "length", "published", "alike", "difference", "margin", "verdict", "total"
]
BESIDE: tuple[Level, ...] = ("published", "alike", "difference", "margin", "verdict")
"""Rows below a cell, of one table's published figures: those, ours measured alike, ours less the
published, half that difference's interval at 95 %, and what may be said of ours."""
COLUMNS = tuple(REFERENCE_COLUMNS)
TOTAL = "Grand Total (Max)"

_PLACE = ("model", "dataset", "length")


@dataclass(frozen=True, slots=True)
class PivotCell:
    """One cell, before it has a place among others."""

    model: str
    dataset: str
    length: int
    profile: str
    settings: str
    checksum: str
    protocol: int | None
    seeds: int
    figures: tuple[Value, ...]
    """In the order of `COLUMNS`."""
    deviations: tuple[float | None, ...] = ()
    """Over seeds; empty where there are none."""
    name: str = ""
    """The store's name for it, if it came from there."""
    published: tuple[Published, ...] = ()
    runs: tuple[str, ...] = ()
    """Their ids, where single runs were read."""


@dataclass(frozen=True, slots=True)
class PivotRow:
    """One row; of a subtotal or the total, every figure is the maximum of the cells beneath."""

    level: Level
    label: str
    """The last part of its place, such as ``50``."""
    model: str = ""
    dataset: str = ""
    length: int | None = None
    seeds: int | None = None
    """Runs in a cell."""
    figures: tuple[Value, ...] = ()
    """In the order of `COLUMNS`."""
    deviations: tuple[float | None, ...] = ()
    """Over seeds, of a cell of several; empty else."""
    cell: str = ""
    """The store's name of the cell, if it came from there."""
    imported: bool = False
    """Whether another program trained the cell's runs."""
    apart: tuple[str, ...] = ()
    """What keeps a cell from being averaged with others of its place: ``profile``, ``settings``,
    ``data``, ``protocol``."""
    runs: tuple[str, ...] = ()
    """Ids of a cell's runs, where single runs were read."""

    @property
    def is_cell(self) -> bool:
        return self.level == "length"


def pivot(rows: Sequence[Row], *, imported: bool = False) -> list[PivotRow]:
    """The pivot of the rows of `compare_rows`, whose aggregate made each run's figures.

    A cell of several seeds is their maximum where the aggregate is the maximum, as in the
    reference, and else their mean with its deviation. Only runs that are done count.

    Args:
        imported: whether runs of other programs make cells, which are cells of their own.
    """
    return arranged(_cells(rows, imported))


def arranged(cells: Sequence[PivotCell]) -> list[PivotRow]:
    """Put cells in their places, with subtotals and the total."""
    if not cells:
        return []
    ordered = sorted(cells, key=_order)
    found: list[PivotRow] = []
    for model, of_model in groupby(ordered, key=lambda cell: cell.model):
        below = list(of_model)
        found.append(PivotRow("model", model, model, figures=_maximum(below)))
        for dataset, of_dataset in groupby(below, key=lambda cell: cell.dataset):
            some = list(of_dataset)
            figures = _maximum(some)
            found.append(PivotRow("dataset", dataset, model, dataset, figures=figures))
            for _, alike in groupby(some, key=lambda cell: cell.length):
                found += _rows_of(list(alike))
    return [*found, PivotRow("total", TOTAL, figures=_maximum(ordered))]


def apart_sentences(rows: Iterable[PivotRow], most: int = 3) -> list[str]:
    """Why some places have several rows, the first ``most`` of them."""
    several: dict[tuple[str, str, int | None], list[PivotRow]] = {}
    for row in rows:
        if row.apart:
            several.setdefault((row.model, row.dataset, row.length), []).append(row)
    sentences = [
        f"{model} × {dataset} × {length} has {len(some)} rows, which are not averaged: they differ "
        f"in {_listed(some[0].apart)}."
        for (model, dataset, length), some in several.items()
    ]
    more = len(sentences) - most
    if more > 0:
        sentences[most:] = [f"So do the rows of {more} more places."]
    return sentences


def _maximum(cells: Iterable[PivotCell]) -> tuple[Value, ...]:
    """Of every column."""
    columns = zip(*(cell.figures for cell in cells), strict=True)
    return tuple(
        max((value for value in column if isinstance(value, int | float)), default=None)
        for column in columns
    )


def _rows_of(cells: Sequence[PivotCell]) -> Iterator[PivotRow]:
    """The rows of one place: a cell each, and below it what is published."""
    apart = _what_differs(cells)
    for cell in cells:
        place = (cell.model, cell.dataset, cell.length)
        label = " · ".join([str(cell.length), *_told_apart(cell, apart)])
        figures, spread = cell.figures, cell.deviations
        row = PivotRow("length", label, *place, cell.seeds, figures, spread, cell.name)
        yield replace(row, imported=cell.profile == IMPORTED, apart=apart, runs=cell.runs)
        for published in cell.published:
            title = f"{published.reference.title}: " if len(cell.published) > 1 else ""
            for level in BESIDE:
                yield _beside(level, published, place, title)


def _beside(
    level: Level, published: Published, place: tuple[str, str, int], title: str
) -> PivotRow:
    aggregate = published.reference.aggregate
    label = {
        "published": f"{title}published as “test”",
        "alike": f"{title}ours, validation{'' if aggregate == 'best' else f' {aggregate}'}",
        "difference": "difference",
        "margin": "± 95 %",
        "verdict": "ours is",
    }[level]
    entries = [published.figures.get(name) for name in COLUMNS]
    figures = tuple(None if entry is None else _figure(entry, level) for entry in entries)
    deviations: tuple[float | None, ...] = ()
    if level == "alike":
        spreads = (entry.alike if entry else None for entry in entries)
        deviations = tuple(spread.deviation if spread else None for spread in spreads)
    if not any(each is not None for each in deviations):
        deviations = ()
    return PivotRow(level, label, *place, figures=figures, deviations=deviations)


def _figure(entry: Against, level: Level) -> Value:
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


def _what_differs(cells: Sequence[PivotCell]) -> tuple[str, ...]:
    """Why cells of one place aren't one."""
    if len(cells) < 2:
        return ()
    found = []
    by_protocol: dict[int | None, set[tuple[str, str]]] = {}
    for cell in cells:
        by_protocol.setdefault(cell.protocol, set()).add((cell.profile, cell.settings))
    if len({cell.profile for cell in cells}) > 1:
        found.append("profile")
    if any(len(settings) > 1 for settings in by_protocol.values()):
        found.append("settings")
    if len({cell.checksum for cell in cells}) > 1:
        found.append("data")
    if len(by_protocol) > 1:
        found.append("protocol")
    return tuple(found)


def _told_apart(cell: PivotCell, apart: Sequence[str]) -> Iterator[str]:
    if cell.profile == IMPORTED and "profile" not in apart:
        yield IMPORTED
    if "profile" in apart:
        yield f"{cell.profile} {cell.settings}"
    elif "settings" in apart:
        yield cell.settings
    if "data" in apart:
        yield f"data {cell.checksum[:8] or 'unknown'}"
    if "protocol" in apart:
        yield f"protocol {'unknown' if cell.protocol is None else cell.protocol}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _order(cell: PivotCell) -> tuple[str, str, int, str, str, int, str]:
    protocol = -1 if cell.protocol is None else cell.protocol
    place = (cell.model, cell.dataset, cell.length)
    return (*place, cell.profile, cell.settings, protocol, cell.checksum)


def _cells(rows: Sequence[Row], imported: bool) -> list[PivotCell]:
    """In groups of equal data, protocol and settings."""
    cells = by_cell(rows, imported=imported)
    extreme = {"max": max, "min": min}.get(str(rows[0]["aggregate"])) if rows else None
    alike: dict[tuple[Value, ...], list[Row]] = {}
    for row in rows:
        if counts(row, imported=imported):
            alike.setdefault(tuple(row[name] for name in _SAME), []).append(row)
    found = []
    for cell in cells:
        some = alike[tuple(cell[name] for name in _SAME)]
        if extreme is not None:
            for name in COLUMNS:
                values = [value for row in some if (value := _known(row[name])) is not None]
                cell[name], cell[name + STD] = extreme(values, default=None), None
        found.append(_cell(cell, some))
    return found


_SAME = (*_PLACE, "profile", "settings", "protocol", "checksum")


def _cell(cell: Mapping[str, Any], runs: Sequence[Row]) -> PivotCell:
    deviations = tuple(_known(cell[name + STD]) for name in COLUMNS)
    return PivotCell(
        model=str(cell["model"]),
        dataset=str(cell["dataset"]),
        length=int(cell["length"]),
        profile=str(cell["profile"]),
        settings=str(cell["settings"] or ""),
        checksum=str(cell["checksum"] or ""),
        protocol=cell["protocol"],
        seeds=int(cell["seeds"]),
        figures=tuple(_known(cell[name]) for name in COLUMNS),
        deviations=deviations if any(each is not None for each in deviations) else (),
        runs=tuple(str(run["run"]) for run in runs),
    )


def _known(value: Any) -> Any:
    """A number as it is; ``None`` for what isn't one."""
    return value if isinstance(value, int | float) and value == value else None

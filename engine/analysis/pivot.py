"""The reference table's form: rows Model › Dataset › Length, its twelve columns, maxima below.

A cell is one model, data set and length. Its runs differ in seed; those that differ in more (data,
protocol, settings) stand in rows of their own, told apart by profile and settings, and are never
averaged. A subtotal is the maximum over the cells beneath it, as in the reference, whatever made
the cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.analysis.comparison import STD, Row, Value, by_cell, counts
from engine.metrics import REFERENCE_COLUMNS

Level = Literal["model", "dataset", "length", "total"]
LEVELS: tuple[Level, ...] = ("model", "dataset", "length", "total")
COLUMNS = tuple(REFERENCE_COLUMNS)
TOTAL = "Grand Total (Max)"

_PLACE = ["model", "dataset", "length"]


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
    import pandas as pd

    cells = _cells(rows, imported)
    if not cells:
        return []
    # Of objects, so that a whole number stays one beside a figure that isn't known.
    frame = pd.DataFrame(cells, dtype=object)
    found: list[PivotRow] = []
    for model, of_model in frame.groupby("model", sort=True):
        found.append(_maximum("model", str(model), of_model, str(model)))
        for dataset, of_dataset in of_model.groupby("dataset", sort=True):
            found.append(_maximum("dataset", str(dataset), of_dataset, str(model), str(dataset)))
            several = of_dataset["length"].duplicated(keep=False)
            for (_, cell), among_several in zip(of_dataset.iterrows(), several, strict=True):
                found.append(_cell(cell, apart=bool(among_several)))
    return [*found, _maximum("total", TOTAL, frame)]


def _cells(rows: Sequence[Row], imported: bool) -> list[dict[str, Any]]:
    """One dict a cell, in the pivot's order; in groups of equal data, protocol and settings."""
    cells = by_cell(rows, imported=imported)
    if rows and rows[0]["aggregate"] in ("max", "min"):
        pick = max if rows[0]["aggregate"] == "max" else min
        for cell in cells:
            alike = [row for row in rows if counts(row, imported=imported) and _same(row, cell)]
            for name in COLUMNS:
                cell[name] = pick(_numbers(row[name] for row in alike), default=None)
                cell[name + STD] = None
    return sorted(cells, key=lambda cell: [_sortable(cell[name]) for name in _ORDER])


_SAME = ("model", "dataset", "length", "profile", "settings", "protocol", "checksum")
_ORDER = (*_PLACE, "profile", "settings", "protocol", "checksum")


def _same(row: Row, cell: Row) -> bool:
    return all(row[name] == cell[name] for name in _SAME)


def _sortable(value: Value) -> tuple[int, float, str]:
    """Numbers by size, texts by letter, what isn't known last."""
    if value is None:
        return 2, 0.0, ""
    return (1, 0.0, value) if isinstance(value, str) else (0, float(value), "")


def _cell(cell: Any, *, apart: bool) -> PivotRow:
    label = f"{cell['length']}"
    if apart:
        label += f" · {cell['profile']} {cell['settings']}"
    deviations = tuple(_known(cell[name + STD]) for name in COLUMNS)
    return PivotRow(
        level="length",
        label=label,
        model=str(cell["model"]),
        dataset=str(cell["dataset"]),
        length=int(cell["length"]),
        seeds=int(cell["seeds"]),
        figures=tuple(_known(cell[name]) for name in COLUMNS),
        deviations=deviations if any(each is not None for each in deviations) else (),
    )


def _maximum(level: Level, label: str, frame: Any, model: str = "", dataset: str = "") -> PivotRow:
    figures = tuple(max(_numbers(frame[name]), default=None) for name in COLUMNS)
    return PivotRow(level=level, label=label, model=model, dataset=dataset, figures=figures)


def _numbers(values: Iterable[Any]) -> list[float]:
    return [value for value in map(_known, values) if value is not None]


def _known(value: Any) -> Any:
    """A number as it is; ``None`` for what isn't one, as pandas may have made of ``None``."""
    return value if isinstance(value, int | float) and value == value else None

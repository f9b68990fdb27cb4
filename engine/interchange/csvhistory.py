"""Reads the histories of runs from a CSV file whose rows describe epochs."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import UserError, shown
from engine.files.regular import open_regular
from engine.interchange.epochs import COLUMNS
from engine.interchange.histories import MOST_SECONDS, EpochFigures, Histories, History
from engine.interchange.tagmap import MEASURES, RUN_FIELDS, TagMap

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

MOST_EPOCH = 2**53
_TIMES = ("t", "_timestamp")
"""Columns of an epoch's end, in seconds since 1970: ours, and that of Weights & Biases."""
_COUNTERS = ("", "_step", "_runtime")
"""Columns of other programs that count rows, updates and time; the first is an index without a
name."""
_EPOCH = "epoch"
_RUN = "run"


@dataclass
class _Told:
    """What is known about a run from the rows so far."""

    named: dict[str, str] = field(default_factory=dict)
    """By name of `RUN_FIELDS`."""
    epochs: dict[int, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    """The values of each epoch by measure, and its end as ``t``."""


def read_csv(source: Path, known: TagMap) -> Histories:
    """Read every run of a CSV file.

    Rows belong to one run if they agree in the column ``run`` or, where there is none, in model,
    data set, length and seed. The column ``epoch`` is required; ``t`` is the epoch's end in seconds
    since 1970, for which the file's own time stands in. Any other column is a figure if its name is
    a tag of the map or a measure, and is ignored otherwise; an empty cell is an unknown figure.

    An epoch may be spread over several rows, as by loggers that write training and validation each
    in its own, if no two of them have different figures in one column. Rows that tell nothing, and
    a header that is repeated, are passed over.

    Args:
        known: which measure each tag stands for.

    Raises:
        UserError: the file can't be read, or isn't such a CSV; names the line and the problem.
    """
    try:
        with open_regular(source) as file:
            text = io.TextIOWrapper(file, "utf-8-sig", newline="")
            return _read(source, csv.reader(text, strict=True), known, source.stat().st_mtime)
    except OSError as error:
        raise UserError(f"{source} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UserError(f"{source} is not UTF-8 text: save it as that.") from None
    except csv.Error as error:
        raise UserError(f"{source} is not CSV: {error}.") from None


def _read(source: Path, reader: CsvReader, known: TagMap, now: float) -> Histories:
    names = next(reader, [])
    columns = _columns(source, names, known.measures())
    runs: dict[tuple[str | None, ...], _Told] = defaultdict(_Told)
    for row in reader:
        if not row or row == names:
            continue
        where = f"{source}:{reader.line_num}"
        if len(row) != len(names):
            raise UserError(f"{where}: has {len(row)} cells where {len(names)} columns are named.")
        cells = dict(zip(names, (cell.strip() for cell in row), strict=True))
        if not any(cells[name] for name in (_EPOCH, *columns)):
            continue
        place = {name: cells[name].removeprefix("'") for name in RUN_FIELDS if cells.get(name)}
        key = (cells[_RUN],) if cells.get(_RUN) else tuple(map(place.get, RUN_FIELDS))
        told = runs[key]
        if any(told.named.setdefault(name, value) != value for name, value in place.items()):
            raise UserError(f"{where}: {shown(cells[_RUN])} had another cell or seed before.")
        _take(where, told, cells, columns)
    return Histories(
        [
            History(
                str(source),
                told.named,
                [_epoch(epoch, told.epochs[epoch], now) for epoch in sorted(told.epochs)],
            )
            for told in runs.values()
        ],
        _passed_over(source, names, {*columns, *known.tags, *COLUMNS, *_TIMES, *_COUNTERS}),
    )


def _take(where: str, told: _Told, cells: Mapping[str, str], columns: Mapping[str, str]) -> None:
    """Add the values of a row to those of its epoch."""
    epoch = _number(where, _EPOCH, cells[_EPOCH])
    if epoch is None or not 0 <= epoch < MOST_EPOCH or epoch != int(epoch):
        raise UserError(f"{where}: epoch is {shown(cells[_EPOCH])}, which isn't an epoch.")
    figures = told.epochs[int(epoch)]
    for name in _TIMES:
        t = _number(where, name, cells.get(name, ""))
        if t is not None:
            if not 0 <= t < MOST_SECONDS:
                raise UserError(f"{where}: {name} is {shown(cells[name])}, not seconds since 1970.")
            figures["t"] = max(t, figures.get("t", t))
    for name, measure in columns.items():
        value = _number(where, name, cells[name])
        before = figures.get(measure, math.nan)
        if value is None or (math.isnan(value) and measure in figures):
            continue
        if not math.isnan(before) and before != value:
            raise UserError(
                f"{where}: {shown(name)} of epoch {int(epoch)} is {value:g}, and was {before:g} "
                "before: remove one, or set the column to null in a --map."
            )
        figures[measure] = value


def _epoch(epoch: int, figures: Mapping[str, float], now: float) -> EpochFigures:
    measures = {name: value for name, value in figures.items() if name != "t"}
    return EpochFigures(epoch, figures.get("t", round(now, 3)), measures)


def _passed_over(source: Path, names: Sequence[str], told: Container[str]) -> list[str]:
    """Return a sentence on the columns whose meaning isn't given, if there are any."""
    unknown = [name for name in names if name not in told]
    if not unknown:
        return []
    first = ", ".join(map(shown, unknown[:3]))
    more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
    return [f"{source}: columns that the map doesn't know (--map) are ignored: {first}{more}."]


def _columns(source: Path, names: Sequence[str], measures: Mapping[str, str]) -> dict[str, str]:
    """Map the name of each column that holds a measure to the measure."""
    if _EPOCH not in names:
        raise UserError(f"{source} has no column 'epoch': name the columns in its first line.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{source} has two columns {shown(twice)}.")
    found = {
        name: measures.get(name, name) for name in names if name in measures or name in MEASURES
    }
    if len(set(found.values())) < len(found):
        raise UserError(f"{source} has two columns for one metric: set one to null in a --map.")
    if not found:
        raise UserError(
            f"{source} has no column with a known metric: say which is which with --map."
        )
    return found


def _number(where: str, name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{where}: {shown(name)} is {shown(text)}, which isn't a number.") from None

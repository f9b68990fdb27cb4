"""Reads the histories of runs from a CSV file with one row per epoch."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import UserError, shown
from engine.interchange.histories import MOST_SECONDS, EpochFigures, Histories, History
from engine.interchange.tagmap import MEASURES, RUN_FIELDS, TagMap
from engine.regular import open_regular

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

MOST_EPOCH = 2**53
_TIME = "t"
_EPOCH = "epoch"
_RUN = "run"


def read_csv(source: Path, known: TagMap) -> Histories:
    """Read every run of a CSV file.

    Rows belong to one run if they agree in the column ``run`` or, where there is none, in model,
    data set, length and seed. The column ``epoch`` is required; ``t`` is the epoch's end in seconds
    since 1970, for which the file's own time stands in. Any other column is a figure if its name is
    a tag of the map or a measure, and is ignored otherwise; an empty cell is an unknown figure.

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
    runs: dict[tuple[str, ...], dict[int, EpochFigures]] = {}
    named: dict[tuple[str, ...], dict[str, str]] = {}
    for row in reader:
        if not row:
            continue
        where = f"{source}:{reader.line_num}"
        if len(row) != len(names):
            raise UserError(f"{where}: has {len(row)} cells where {len(names)} columns are named.")
        cells = dict(zip(names, (cell.strip() for cell in row), strict=True))
        place = {name: cells[name].removeprefix("'") for name in RUN_FIELDS if cells.get(name)}
        key = (cells[_RUN],) if cells.get(_RUN) else tuple(place.values())
        if named.setdefault(key, place) != place:
            raise UserError(f"{where}: {shown(key[0])} was another cell or seed before.")
        epoch = _number(where, _EPOCH, cells[_EPOCH])
        if epoch is None or not 0 <= epoch < MOST_EPOCH or epoch != int(epoch):
            raise UserError(f"{where}: epoch is {shown(cells[_EPOCH])}, which counts none.")
        t = _number(where, _TIME, cells.get(_TIME, ""))
        if t is not None and not 0 <= t < MOST_SECONDS:
            raise UserError(f"{where}: t is {shown(cells[_TIME])}, not seconds since 1970.")
        figures = {
            measure: value
            for name, measure in columns.items()
            if (value := _number(where, name, cells[name])) is not None
        }
        epochs = runs.setdefault(key, {})
        if int(epoch) in epochs:
            raise UserError(f"{where}: epoch {int(epoch)} of this run was told before.")
        epochs[int(epoch)] = EpochFigures(int(epoch), round(now, 3) if t is None else t, figures)
    histories = [
        History(str(source), named[key], [epochs[epoch] for epoch in sorted(epochs)])
        for key, epochs in runs.items()
    ]
    return Histories(histories, [])


def _columns(source: Path, names: Sequence[str], measures: Mapping[str, str]) -> dict[str, str]:
    """Map the name of each column that holds a figure to its measure."""
    if _EPOCH not in names:
        raise UserError(f"{source} has no column 'epoch': name the columns in its first line.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{source} has two columns {shown(twice)}.")
    found = {
        name: measures.get(name, name) for name in names if name in measures or name in MEASURES
    }
    if len(set(found.values())) < len(found):
        raise UserError(f"{source} has two columns for one figure: set one to null in a --map.")
    if not found:
        raise UserError(f"{source} has no column of a figure that is known: say which with --map.")
    return found


def _number(where: str, name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{where}: {shown(name)} is {shown(text)}, which is no number.") from None

"""CSV and JSON for programs: every digit, in pieces, so that many rows take little memory."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby, islice
from types import NoneType
from typing import Any

from engine.analysis.columns.definitions import BUDGET, Value
from engine.analysis.columns.text import printable, told
from engine.analysis.comparison import Row, RunRows, column_of

_AT_ONCE = 1_000
"""Rows of a piece."""

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""Characters that begin a formula in spreadsheets, in some the wide forms too."""

_FEW = {str, NoneType}
"""Kinds of values of which many are equal."""

_NUMBERS: dict[type, Callable[[Any], str]] = {float: float.__repr__, int: int.__repr__}


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


_CSV = csv.writer(_Echo(), lineterminator="\n")

Texts = Callable[[str, Sequence[Any]], Sequence[str]]
"""Writes the values of a column, given its heading."""


def csv_of_rows(rows: Sequence[Row], heads: Mapping[str, str]) -> Iterator[str]:
    """Write rows as `csv_pieces` does.

    Args:
        heads: the columns to write, each with its heading.
    """
    yield from csv_pieces([tuple(heads.values())])
    yield from map(_csv_piece, _lines(rows, heads, _csv_column, ","))


def csv_pieces(lines: Iterable[Sequence[Value | Decimal]]) -> Iterator[str]:
    """Write lines of values as CSV for programs and spreadsheets: every digit of a number, and a
    quote before a text that a spreadsheet would take for a formula.
    """
    rest = iter(lines)
    while some := list(islice(rest, _AT_ONCE)):
        columns = (_csv_column("", column) for column in zip(*some, strict=True))
        yield _csv_piece(map(",".join, zip(*columns, strict=True)))


def json_of_rows(rows: Sequence[Row], heads: Mapping[str, str]) -> Iterator[str]:
    """Write rows as an array of objects, indented by two, in ASCII.

    Args:
        heads: the columns to write, each with its heading.

    Raises:
        ValueError: a number is infinite, or none.
    """
    before = "["
    for lines in _lines(rows, heads, _json_column, ",\n    "):
        objects = ",\n".join([f"  {{\n    {line}\n  }}" for line in lines])
        yield f"{before}\n{objects}"
        before = ","
    yield "\n]\n" if rows else "[]\n"


def _lines(
    rows: Sequence[Row], heads: Mapping[str, str], texts: Texts, between: str
) -> Iterator[list[str]]:
    """Write rows, `_AT_ONCE` at a time: the texts of their columns with ``between`` between.

    What many of `RunRows` have in common is written once.
    """
    part_of = rows.part_of if isinstance(rows, RunRows) else {}
    parts = [(part, list(names)) for part, names in groupby(heads, part_of.get)]
    written: list[dict[int, str]] = [{} for _ in parts]
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        columns: list[Sequence[str]] = []
        for (part, names), known in zip(parts, written, strict=True):
            if part is None or not isinstance(some, RunRows):
                columns += [texts(heads[name], _values(some, name)) for name in names]
                continue
            values = some.common[part]
            new = {id(each): each for each in values if id(each) not in known}
            if new:
                found = [texts(heads[n], [each[n] for each in new.values()]) for n in names]
                known.update(zip(new, map(between.join, zip(*found, strict=True)), strict=True))
            columns.append([known[id(each)] for each in values])
        yield list(map(between.join, zip(*columns, strict=True)))


def _values(rows: Sequence[Row], name: str) -> Sequence[Any]:
    values = column_of(rows, name)
    return [told(value, BUDGET[name]) for value in values] if name in BUDGET else values


def _csv_piece(lines: Iterable[str]) -> str:
    # A line that is empty would be none.
    return "\n".join([line or '""' for line in lines]) + "\n"


def _csv_column(_: str, values: Sequence[Any]) -> Sequence[str]:
    kinds = set(map(type, values))
    if kinds <= _FEW:
        texts = {value: _csv_cell(value) for value in set(values)}
        return list(map(texts.__getitem__, values))
    return list(map(_NUMBERS.get(kinds.pop(), _csv_cell) if len(kinds) == 1 else _csv_cell, values))


def _csv_cell(value: Value | Decimal) -> str:
    if isinstance(value, str):
        text = printable(value)
        # The second cell keeps `csv` from quoting a first one that is empty.
        text = f"'{text}" if text.lstrip().startswith(_FORMULA) else text
        written: str = _CSV.writerow((text, ""))
        return written[:-2]
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _json_column(head: str, values: Sequence[Any]) -> Sequence[str]:
    before = f"{json.dumps(head)}: "
    if values and isinstance(values[0], dict):  # the separators below would be in it too
        return [before + json.dumps(value, allow_nan=False) for value in values]
    # All values by one call, which C makes: no text of JSON has a line break.
    text = json.dumps(values, separators=(f"\n{before}", ""), allow_nan=False)
    return (before + text[1:-1]).split("\n")

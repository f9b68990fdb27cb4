"""JSON lines: an object a line, such as Amazon's reviews. A list of items is a history."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from engine.datasets.readers.records import Part, Records
from engine.datasets.readers.textlines import PLAIN, Form, malformed, numbered_lines
from engine.errors import DataError, shown

LINES_FOR_NAMES = 1_000
"""Lines whose keys are looked at to know what keys there are."""


def json_names(path: Path, form: Form = PLAIN) -> list[str]:
    """Return the keys of the first lines; those of a nested object after its own, with a dot.

    Raises:
        DataError: the file can't be read, or a line is no JSON object.
    """
    names: dict[str, None] = {}
    for _, record in islice(_objects(path, form), LINES_FOR_NAMES):
        names.update(dict.fromkeys(_keys(record)))
    if not names:
        raise DataError(f"{path} holds no rows: choose another file.")
    return list(names)


def read_json_lines(path: Path, wanted: Mapping[Part, str], form: Form = PLAIN) -> Records:
    """Read the values of keys, each line a record; where the items are a list, each item is one,
    and times and ratings are lists of as many, or one for all. An absent key is a missing value.

    Raises:
        DataError: the file can't be read, or a line is no JSON object.
    """
    columns: dict[Part, list[Any]] = {part: [] for part in wanted}
    lines = array("q")
    same: dict[str, str] = {}  # an id's text is kept once, not once an interaction
    names, appends = list(wanted.values()), [columns[part].append for part in wanted]
    for number, record in _objects(path, form):
        values = [record[name] if name in record else _nested(record, name) for name in names]
        if any(isinstance(value, list | dict) for value in values):
            for row in _flat(path, number, dict(zip(wanted, values, strict=True)), wanted):
                for append, value in zip(appends, row, strict=True):
                    append(value)
                lines.append(number)
            continue
        for append, value in zip(appends, values, strict=True):
            append(same.setdefault(value, value) if type(value) is str else value)
        lines.append(number)
    series = {part: pd.Series(values, dtype=object) for part, values in columns.items()}
    return Records(path, series, dict(wanted), lambda at: f"line {lines[at]}")


def _objects(path: Path, form: Form) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in numbered_lines(path, form):
        try:
            record = json.loads(line.decode("utf-8", "surrogateescape"))
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise malformed(path, number, "a JSON object on each line", line)
        yield number, record


def _keys(record: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{before}{key}.")
        else:
            yield before + key


def _nested(record: Mapping[str, Any], name: str) -> Any:
    """Return the value of a key with dots, each leading into an object; ``None`` if it isn't
    there."""
    value: Any = record
    for key in name.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _flat(
    path: Path, number: int, values: Mapping[Part, Any], names: Mapping[Part, str]
) -> Iterator[list[Any]]:
    """Yield the values of each item of a line that is a history."""
    items = values["item"]
    count = len(items) if isinstance(items, list) else 1
    columns = []
    for part, value in values.items():
        several = isinstance(value, list) and part != "user" and isinstance(items, list)
        singles = value if several else [value]
        if any(isinstance(single, list | dict) for single in singles):
            raise DataError(
                f"{path}, line {number}: key {shown(names[part])} holds {str(value)[:40]!r}, no "
                f"{part}: name another key."
            )
        if several and len(value) != count:
            raise DataError(
                f"{path}, line {number}: {count} items and {len(value)} of the {part} (key "
                f"{shown(names[part])}): correct the file, or name another key."
            )
        columns.append(value if several else [value] * count)
    yield from map(list, zip(*columns, strict=True))

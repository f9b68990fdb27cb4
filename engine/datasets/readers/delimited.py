"""Text with separators: one parser for the row of names and the rows below it."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from engine.datasets.readers.records import LARGEST_EXACT, Part, Records
from engine.datasets.readers.textlines import (
    BLOCK_BYTES,
    PLAIN,
    READ_BYTES,
    Blocks,
    Form,
    open_text,
)
from engine.errors import DataError, cut

ROWS_AT_ONCE = 1_000_000
_STAND_IN = "\x1f"
"""Stands for a separator of several bytes: ASCII's unit separator."""


@dataclass(frozen=True)
class Delimited:
    """A text table: where it is, and how its rows are divided."""

    path: Path
    separator: str = ","
    header: bool = True
    """Whether the first row names the columns; else their names are 1, 2, …"""
    form: Form = PLAIN

    @property
    def divider(self) -> str:
        """The separator as the parser is given it, a single byte."""
        return self.separator if len(self.separator.encode()) == 1 else _STAND_IN


def first_row(table: Delimited) -> list[str]:
    """Return the cells of the first row that isn't blank. Raises `DataError`."""
    try:
        with _open(table) as file:
            row = pd.read_csv(file, header=None, nrows=1, dtype=object, **_options(table))
    except pd.errors.EmptyDataError:
        raise DataError(f"{table.path} holds no rows: choose another file.") from None
    except ValueError as error:
        raise _no_table(table, error) from error
    return [_restored(table, "" if pd.isna(cell) else str(cell)) for cell in row.iloc[0]]


def delimited_names(table: Delimited) -> list[str]:
    """Return the names of the columns; without a header their positions. Raises `DataError`."""
    first = first_row(table)
    return [cell.strip() if table.header else str(at) for at, cell in enumerate(first, 1)]


def read_delimited(table: Delimited, wanted: Mapping[Part, str]) -> Records:
    """Read columns of a text table. Rows equal to the header are left out, wherever they stand.

    Args:
        wanted: names that the table has; of columns with the same name the first is meant.

    Raises:
        DataError: the file can't be read, or a row has more cells than there are columns.
    """
    names = delimited_names(table)
    places = {part: names.index(name) for part, name in wanted.items()}
    try:
        frame = _frame(table, len(names), places)
    except (ValueError, pd.errors.ParserWarning) as error:
        raise _too_wide(table, len(names)) or _no_table(table, error) from error
    kept = np.flatnonzero(~_repeated_header(table, frame, places))
    columns = {part: frame[place].iloc[kept] for part, place in places.items()}
    return Records(table.path, columns, dict(wanted), lambda at: _where(table, int(kept[at])))


def _frame(table: Delimited, width: int, places: Mapping[Part, int]) -> pd.DataFrame:
    """Read the columns at ``places``, ids as int64 if all are whole numbers, else as text."""
    ids = (places["user"], places["item"])
    texts = {places["history"]: object} if "history" in places else {}
    read = partial(_rows, table, width, list(places.values()))
    if not _has_leading_zeros(table):
        try:
            return _with_exact_times(read, {**texts, **dict.fromkeys(ids, np.int64)}, places)
        except (ValueError, OverflowError) as error:
            if isinstance(error, pd.errors.ParserError | pd.errors.EmptyDataError):
                raise
    frame = _with_exact_times(read, {**texts, **dict.fromkeys(ids, object)}, places)
    if table.divider != table.separator:
        for place in ids:
            cells = [_restored(table, cell) for cell in frame[place]]
            frame[place] = pd.Series(cells, dtype=object)
    return frame


def _with_exact_times(
    read: Callable[[Mapping[int, type]], pd.DataFrame],
    kinds: Mapping[int, type],
    places: Mapping[Part, int],
) -> pd.DataFrame:
    """Read columns, and the times as text if they were read as floats that don't hold them."""
    frame = read(kinds)
    time = places.get("time")
    if (
        time is not None
        and frame[time].dtype.kind == "f"
        and (frame[time].abs() >= LARGEST_EXACT).any()
    ):
        frame[time] = read({**kinds, time: object})[time]
    return frame


def _rows(
    table: Delimited, width: int, places: list[int], kinds: Mapping[int, type]
) -> pd.DataFrame:
    """Read the columns at ``places``, of the types that are given, or that their cells have."""
    try:
        return _typed_rows(table, width, places, kinds)
    except UnicodeEncodeError:  # pandas' texts take no bytes that aren't UTF-8; objects do
        return _typed_rows(table, width, places, {**dict.fromkeys(range(width), object), **kinds})


def _typed_rows(
    table: Delimited, width: int, places: list[int], kinds: Mapping[int, type]
) -> pd.DataFrame:
    # All columns are read, in chunks: with usecols, pandas accepts lines that have more fields
    # than there are columns. Where all have, it warns.
    with _open(table) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", pd.errors.ParserWarning)
        parts = pd.read_csv(
            file,
            header=0 if table.header else None,
            names=range(width),
            chunksize=ROWS_AT_ONCE,
            dtype=dict(kinds),
            low_memory=False,
            **_options(table),
        )
        return pd.concat([part[places] for part in parts], ignore_index=True)


def _options(table: Delimited) -> dict[str, Any]:
    return {
        "sep": table.divider,
        "index_col": False,
        "encoding": "utf-8",
        "encoding_errors": "surrogateescape",
        "keep_default_na": False,
        "na_values": [""],
        "skipinitialspace": True,
    }


@contextmanager
def _open(table: Delimited) -> Iterator[BinaryIO]:
    """Open the text, with the divider between its cells."""
    with open_text(table.path, table.form) as file:
        yield io.BufferedReader(Blocks(_divided(table, file)), READ_BYTES)


def _divided(table: Delimited, file: BinaryIO) -> Iterator[bytes]:
    separator, divider = table.separator.encode(), table.divider.encode()
    left, lines = b"", 1
    while block := file.read(BLOCK_BYTES):
        if (at := block.find(0)) >= 0:  # the parser would end the cell there
            line = lines + block.count(b"\n", 0, at)
            raise DataError(
                f"{table.path}, line {line}: a NUL, which text never has: correct or copy the file "
                "again, or give its --encoding."
            )
        lines += block.count(b"\n")
        if separator == divider:
            yield block
            continue
        whole, newline, left = (left + block).rpartition(b"\n")
        yield (whole + newline).replace(separator, divider)
    yield left.replace(separator, divider)


def _restored(table: Delimited, cell: Any) -> Any:
    """Put the separator back into a text that it stood in."""
    if table.divider == table.separator or not isinstance(cell, str):
        return cell
    return cell.replace(_STAND_IN, table.separator)


def _has_leading_zeros(table: Delimited) -> bool:
    """Whether a cell may begin with 0 and another digit: an id that numbers can't represent."""
    # It begins with the digit that is looked for, which takes a tenth of the time.
    begin = rb"[\n\"" + re.escape(table.divider.encode()) + b"]"
    leading = re.compile(b"0(?:(?<=" + begin + b"0)|(?<=" + begin + b"[ \t+-]0))[0-9]")
    with _open(table) as file:
        line = b"\n"
        while block := file.read(BLOCK_BYTES):
            if leading.search(line + block):
                return True
            line = block[block.rfind(b"\n") :] if b"\n" in block else line + block
    return False


def _repeated_header(
    table: Delimited, frame: pd.DataFrame, places: Mapping[Part, int]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows are equal to the header: of files that were joined, each with its own."""
    none = np.zeros(len(frame), np.bool_)
    if not table.header or len(frame) == 0:
        return none
    first, same = first_row(table), ~none
    for place in places.values():
        column = frame[place]
        if pd.api.types.is_numeric_dtype(column) or not same.any():
            return none
        same &= column.isin((first[place], f"\ufeff{first[place]}")).to_numpy(np.bool_)
    return same


def _where(table: Delimited, record: int) -> str:
    """Return the line on which a record begins, or its number if lines no conclusion apart."""
    number = record + 1
    try:
        for at, (line, _) in enumerate(_numbered_rows(table)):
            if at == record + table.header:
                return f"line {line}"
    except csv.Error:  # a cell of more than 128 KiB
        pass
    return f"record {number}"


def _too_wide(table: Delimited, width: int) -> DataError | None:
    """Return the error that names the first row with more cells than there are columns."""
    try:
        wide = next((each for each in _numbered_rows(table) if any(each[1][width:])), None)
    except csv.Error:
        return None
    if wide is None:
        return None
    line, row = wide
    return DataError(
        f"{table.path}, line {line}: {len(row)} cells, where there are {width} columns: put cells "
        "that contain a separator in quotes, or give another --separator."
    )


def _numbered_rows(table: Delimited) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that isn't blank, the header too, with the line on which it begins."""
    with _open(table) as file:
        text = io.TextIOWrapper(file, "utf-8", "surrogateescape", newline="\n")
        rows = csv.reader(text, delimiter=table.divider, skipinitialspace=True)
        begin = 1
        for row in rows:
            if len(row) > 1 or any(cell.strip() for cell in row):
                yield begin, row
            begin = rows.line_num + 1


def _no_table(table: Delimited, error: Exception) -> DataError:
    reason = cut(str(error).strip().splitlines()[-1], 120)
    return DataError(
        f"{table.path} isn't a table with this separator ({reason}): correct the file, or give its "
        "--separator, --encoding or --packing."
    )

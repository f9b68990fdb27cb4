"""From a table's columns to interactions: the checks that every form of table passes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.datasets.readers.source import EncodedIds, Ratings, encode_ids, text_of
from engine.datasets.times import to_microseconds, unit_of
from engine.errors import DataError, cut, shown
from engine.spec.moments import SECOND

Part = Literal["user", "item", "time", "rating", "history"]
"""What a column holds; a history is text, of the items before the one of its row."""

LARGEST_EXACT = 2**53
"""Whole numbers below it are exact as a float."""
_LARGEST = 2**63 - 1
_LIST = re.compile(r"\[.*\]", re.DOTALL)
_AS_DATES = " (dates are written like 2021-02-28 10:00:00)"
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.0*)?")

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Records:
    """The columns of a table that were asked for, each (records,), in file order."""

    path: Path
    columns: Mapping[Part, pd.Series[Any]]
    names: Mapping[Part, str]
    """The name of each column in the file."""
    where: Callable[[int], str]
    """Where a record stands in the file, by its index: ``line 7`` where records are lines."""

    def __len__(self) -> int:
        return len(self.columns["user"])


def ratings_of(records: Records) -> Ratings:
    """Check the columns and encode them.

    Ids may be whole numbers or text. Times may be numbers, or dates.

    Raises:
        DataError: there is no record, or one lacks a user, an item, a time or a rating, or has a
            time or rating that is none; the sentence names the first.
    """
    if not len(records):
        raise DataError(f"{records.path} holds no rows: choose another file.")
    users, user_ids = _ids(records, "user")
    items, item_ids = _ids(records, "item")
    times, per_second, unit = _times(records) if "time" in records.columns else (None, None, None)
    ratings = _ratings(records) if "rating" in records.columns else None
    return Ratings(users, items, times, ratings, user_ids, item_ids, per_second, unit)


def _refuse(records: Records, part: Part, wrong: Mask, problem: str) -> None:
    """Raise `DataError` if any record is wrong, naming the first: its value is missing, or else
    what ``problem`` says, such as *no number*."""
    if not wrong.any():
        return
    first = int(wrong.argmax())
    value, column = records.columns[part].iloc[first], shown(records.names[part])
    what, cure = f"the {part} is empty", "correct the file"
    if not (pd.isna(value) or _is_blank(value)):
        what = f"the {part} {cut(text_of(value), 40)!r} is {problem}"
        cure += _AS_DATES if "date" in problem else ""
    often = f"in {int(wrong.sum()):,} of {len(wrong):,} records"
    raise DataError(
        f"{records.path}, {records.where(first)}: {what} (column {column}, {often}): {cure}, or "
        "name another column."
    )


def _ids(records: Records, part: Part) -> EncodedIds:
    """Return a column of ids as `encode_ids` does."""
    column = records.columns[part]
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu":
        values = column.to_numpy()
        if values.min() >= 0 and values.max() <= _LARGEST:
            return values.astype(np.int64), None
    codes, distinct = pd.factorize(column)
    texts = [text_of(each) for each in distinct]
    absent = codes < 0
    if blank := [code for code, text in enumerate(texts) if _is_blank(text)]:
        absent |= np.isin(codes, blank)
    _refuse(records, part, absent, "empty")
    if part == "item" and all(map(_LIST.fullmatch, texts)):
        raise DataError(
            f"{records.path}, {records.where(0)}: the item {cut(texts[0], 40)!r} is a list written "
            f"as text (column {shown(records.names[part])}): write a row for each of its items, or "
            "lists as Parquet or JSON lines have them."
        )
    if all(map(_WHOLE.fullmatch, texts)):  # 7.0, as a column of floats has it
        texts = [text.partition(".")[0] for text in texts]
    ids = list(dict.fromkeys(texts))
    if len(ids) < len(texts):  # the number 7 and the text 7
        position = {text: code for code, text in enumerate(ids)}
        codes = np.array([position[text] for text in texts])[codes]
    try:
        return encode_ids(codes, ids)
    except DataError as error:
        raise DataError(f"{records.path}, column {shown(records.names[part])}: {error}") from None


def _times(records: Records) -> tuple[NDArray[np.int64], float | None, int | None]:
    """Return times with their `Ratings.per_second` and `Ratings.unit`: whole numbers as they are,
    other ones in microseconds, dates since 1970."""
    column = _plain(records.columns["time"])
    if pd.api.types.is_datetime64_any_dtype(column):
        _refuse(records, "time", column.isna().to_numpy(np.bool_), "no date")
        return *_since_1970(column), None
    numbers, wrong = _numbers(column)
    if wrong.any() and not pd.api.types.is_numeric_dtype(column):
        dates = _dates(column)
        undated = dates.isna().to_numpy(np.bool_)
        if undated.sum() < wrong.sum():
            _refuse(records, "time", undated, "no date")
            return *_since_1970(dates), None
    _refuse(records, "time", wrong, "no number and no date" if wrong.all() else "no number")
    if numbers.dtype.kind in "iu" or (numbers == np.floor(numbers)).all():
        return numbers.astype(np.int64), None, None
    unit = unit_of(numbers)
    return to_microseconds(numbers, unit), SECOND, unit


def _ratings(records: Records) -> NDArray[np.float32]:
    numbers, wrong = _numbers(_plain(records.columns["rating"]))
    _refuse(records, "rating", wrong, "no number")
    return numbers.astype(np.float32)


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of numbers or of dates as such, and any other as text."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return column
    if pd.api.types.is_datetime64_any_dtype(column):
        return column
    kind = pd.api.types.infer_dtype(column, skipna=False)
    if kind == "string":
        return column.astype(object)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal"):
        return pd.Series(_exact(column.tolist()), name=column.name)
    return pd.Series([text_of(value) for value in column], dtype=object)


def _exact(values: list[Any]) -> NDArray[Any]:
    """Return Python's numbers as int64 if they are whole, else as float64."""
    with suppress(OverflowError, ValueError):  # infinite, none or too large
        if all(value == int(value) for value in values):
            return np.array([int(value) for value in values], np.int64)
    return np.array([_float(value) for value in values])


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf


def _numbers(column: pd.Series[Any]) -> tuple[NDArray[Any], Mask]:
    """Return a column as integers or float64, and which of its values are no finite numbers, or
    larger than 64 bits. No whole number is rounded."""
    parsed = pd.to_numeric(column, errors="coerce")
    if pd.api.types.is_integer_dtype(parsed):
        whole = parsed.to_numpy()
        return whole, np.asarray(whole > _LARGEST, np.bool_)
    values = parsed.to_numpy(np.float64, na_value=np.nan)
    wrong = ~(np.abs(values) < _LARGEST)
    if (np.abs(values[~wrong]) < LARGEST_EXACT).all():
        return values, wrong
    known = np.where(wrong, 0, values)
    if column.dtype != object:
        return known.astype(np.int64), wrong
    texts = zip(column, known.tolist(), strict=True)
    return np.array([_whole(text, value) for text, value in texts], np.int64), wrong


def _whole(text: str, value: float) -> int:
    """Return the whole part of a number, exactly as its text has it."""
    if abs(value) >= LARGEST_EXACT:
        with suppress(InvalidOperation):  # of odd texts that pandas reads, such as 1e 18
            return int(Decimal(text))
    return int(value)


def _dates(column: pd.Series[Any]) -> pd.Series[Any]:
    return pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True)


def _since_1970(dates: pd.Series[Any]) -> tuple[NDArray[np.int64], float]:
    """Return moments as seconds since 1970, or as micro- or nanoseconds if any has such a fraction,
    and how many of them are a second. A date without a time zone is taken to be in UTC."""
    moments = dates.dt.tz_convert(None) if dates.dt.tz is not None else dates
    if (finest := moments.to_numpy()).dtype == "datetime64[ns]":
        values = finest.astype(np.int64)
        if (values % 1_000).any():
            return values, 1_000 * SECOND
    values = finest.astype("datetime64[us]").astype(np.int64)
    whole = (values % SECOND == 0).all()
    return (values // SECOND, 1) if whole else (values, SECOND)


def _is_blank(value: object) -> bool:
    return isinstance(value, str | bytes) and not value.strip()

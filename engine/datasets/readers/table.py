"""Tables with named columns: CSV and the like, Parquet, and RecBole's atomic ``.inter`` files."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.datasets.readers.source import Ratings, encode_ids
from engine.datasets.readers.textlines import open_unpacked
from engine.datasets.times import to_microseconds
from engine.errors import DataError, cut, did_you_mean
from engine.spec import Columns
from engine.spec.moments import SECOND

PARQUET = b"PAR1"
"""First bytes of a Parquet file."""

ROWS_AT_ONCE = 1_000_000
_LEADING_ZERO = re.compile(rb"(?:^|[^0-9.])0[0-9]")

RECBOLE = Columns(user="user_id", item="item_id", time="timestamp", rating="rating", separator="\t")
"""The fields of RecBole's own data sets."""


def read_table(path: Path, columns: Columns | None, *, with_ratings: bool = False) -> Ratings:
    """Read the given columns of a table; without ``columns`` those of an ``.inter`` file.

    Ids may be whole numbers or text. Times may be numbers, or ISO dates. The file may be gzipped.

    Raises:
        DataError: the file can't be read, lacks a column, or has a malformed value.
    """
    with open_unpacked(path) as file:
        parquet = file.read(len(PARQUET)) == PARQUET
    names = column_names(path, columns)
    chosen = columns or _recbole_columns(path, names)
    wanted = {"user": chosen.user, "item": chosen.item}
    if chosen.time is not None:
        wanted["time"] = chosen.time
    if with_ratings and chosen.rating is not None:
        wanted["rating"] = chosen.rating
    for name in wanted.values():
        if name not in names:
            raise DataError(f"{path} has no column {name!r}: {did_you_mean(name, names)}")
    if len(set(wanted.values())) < len(wanted):
        raise DataError(f"{path}: one column is named for two things: name another.")
    frame = _parquet(path, wanted) if parquet else _text_table(path, wanted, chosen.separator)
    if frame.empty:
        raise DataError(f"{path} holds no rows: choose another file.")
    first_line = 1 if parquet else 2
    users, user_ids = _ids(path, frame[wanted["user"]], first_line)
    items, item_ids = _ids(path, frame[wanted["item"]], first_line)
    times, per_second = None, None
    if "time" in wanted:
        times, per_second = _times(path, frame[wanted["time"]], first_line)
    ratings = (
        _numbers(path, frame[wanted["rating"]], first_line, "rating").astype(np.float32)
        if "rating" in wanted
        else None
    )
    return Ratings(users, items, times, ratings, user_ids, item_ids, per_second)


def column_names(path: Path, columns: Columns | None) -> list[str]:
    """Return the names of a table's columns. Raises `DataError`."""
    with open_unpacked(path) as file:
        if file.read(len(PARQUET)) == PARQUET:
            return _parquet_names(path)
        file.seek(0)
        line = file.readline(2**20).decode("utf-8-sig", "replace").rstrip("\r\n")
    separator = columns.separator if columns else RECBOLE.separator
    return [name.strip().strip('"') for name in line.split(separator)]


def _recbole_columns(path: Path, names: list[str]) -> Columns:
    """Find the columns of an ``.inter`` file, whose header has ``name:type`` for each."""
    bare = {name.partition(":")[0]: name for name in names}
    for needed in (RECBOLE.user, RECBOLE.item):
        if needed not in bare:
            raise DataError(
                f"{path} is no .inter file: its first line names no column {needed}:token."
            )
    return Columns(
        user=bare[RECBOLE.user],
        item=bare[RECBOLE.item],
        time=bare.get(str(RECBOLE.time)),
        rating=bare.get(str(RECBOLE.rating)),
        separator=RECBOLE.separator,
    )


def _text_table(path: Path, wanted: dict[str, str], separator: str) -> pd.DataFrame:
    names = list(wanted.values())
    ids = {wanted["user"], wanted["item"]}

    def read(kinds: dict[str, Any]) -> pd.DataFrame:
        # All columns are read, in chunks: with usecols, pandas accepts lines that have more fields
        # than there are columns.
        with open_unpacked(path) as file:
            parts = pd.read_csv(
                file,
                sep=separator,
                index_col=False,
                chunksize=ROWS_AT_ONCE,
                dtype=kinds,
                encoding="utf-8-sig",
                encoding_errors="surrogateescape",
                keep_default_na=False,
                na_values=[""],
                skipinitialspace=True,
                low_memory=False,
            )
            return pd.concat([part[names] for part in parts], ignore_index=True)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if _has_leading_zeros(path):
                return read(dict.fromkeys(names, object))
            try:
                return read(dict.fromkeys(ids, np.int64))
            except (ValueError, OverflowError) as error:
                if isinstance(error, pd.errors.ParserError | pd.errors.EmptyDataError):
                    raise
                return read(dict.fromkeys(names, object))
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        reason = cut(str(error).strip().splitlines()[-1], 120)
        raise DataError(
            f"{path} is no table with this separator ({reason}): correct the file, or say how its "
            "columns are separated."
        ) from error


def _has_leading_zeros(path: Path) -> bool:
    """Whether a field may begin with 0 and another digit: ids that numbers can't represent."""
    with open_unpacked(path) as file:
        end = b""
        while block := file.read(2**22):
            if _LEADING_ZERO.search(end + block):
                return True
            end = block[-2:]
    return False


def _parquet(path: Path, wanted: dict[str, str]) -> pd.DataFrame:
    _need_pyarrow(path)
    try:
        return pd.read_parquet(path, columns=list(wanted.values()))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} can't be read as Parquet ({cut(str(error), 120)}).") from error


def _parquet_names(path: Path) -> list[str]:
    _need_pyarrow(path)
    from pyarrow import parquet

    try:
        return list(parquet.read_schema(path).names)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} can't be read as Parquet ({cut(str(error), 120)}).") from error


def _need_pyarrow(path: Path) -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise DataError(
            f"{path} is a Parquet file, which takes pyarrow to read: "
            "run `pip install pyarrow`, or export the table as CSV."
        ) from error


def _ids(path: Path, column: pd.Series[Any], first_line: int) -> tuple[NDArray[Any], Any]:
    """Return a column of ids as `encode_ids` does. Raises `DataError` if any is empty."""
    if pd.api.types.is_integer_dtype(column) and not column.isna().any() and column.min() >= 0:
        return column.to_numpy(np.int64), None
    absent = column.isna().to_numpy()
    if absent.any():
        raise DataError(
            f"{path}, line {first_line + int(absent.argmax())}: {column.name} is empty "
            f"(in {int(absent.sum()):,} lines): correct or drop them."
        )
    codes, distinct = pd.factorize(column)
    try:
        return encode_ids(codes, [str(each) for each in distinct])
    except DataError as error:
        raise DataError(f"{path}, column {column.name}: {error}") from None


def _times(
    path: Path, column: pd.Series[Any], first_line: int
) -> tuple[NDArray[np.int64], float | None]:
    """Return times and their `Ratings.per_second`: whole numbers as they are, dates since 1970; in
    microseconds if any has a fraction of a second."""
    if pd.api.types.is_integer_dtype(column) and not column.isna().any():
        return column.to_numpy(np.int64), None
    if pd.api.types.is_datetime64_any_dtype(column):
        return _since_1970(column)
    if not pd.api.types.is_numeric_dtype(column) and _looks_like_date(column):
        dates = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True)
        if not dates.isna().any():
            return _since_1970(dates)
    numbers = _numbers(path, column, first_line, "time")
    if (numbers == np.floor(numbers)).all():
        return numbers.astype(np.int64), None
    return to_microseconds(numbers, None), SECOND


def _looks_like_date(column: pd.Series[Any]) -> bool:
    return "-" in str(column.iloc[0])[1:]


def _since_1970(dates: pd.Series[Any]) -> tuple[NDArray[np.int64], float]:
    """Return dates as seconds since 1970, or as microseconds if any has a fraction, and how many of
    them are a second."""
    micros = dates.dt.tz_localize(None) if dates.dt.tz is not None else dates
    values = micros.to_numpy("datetime64[us]").astype(np.int64)
    whole = (values % SECOND == 0).all()
    return (values // SECOND, 1) if whole else (values, SECOND)


def _numbers(path: Path, column: pd.Series[Any], first_line: int, what: str) -> NDArray[np.float64]:
    """Return a column as float64. Raises `DataError` if it holds anything but numbers below
    2^53."""
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = ~(np.abs(values) < 2**53)
    if wrong.any():
        at = int(wrong.argmax())
        raise DataError(
            f"{path}, line {first_line + at}: the {what} {str(column.iloc[at])[:40]!r} is "
            f"{'no number and no date' if what == 'time' else 'no number'} "
            f"(as in {int(wrong.sum()):,} of {len(values):,} lines): correct the file, or name "
            "another column."
        )
    return values

"""Tables of any form with named columns: text with separators, RecBole's ``.inter``, Parquet, JSON
lines."""

from __future__ import annotations

from pathlib import Path

from engine.datasets.readers.columns import which_column
from engine.datasets.readers.delimited import Delimited, delimited_names, read_delimited
from engine.datasets.readers.jsonlines import json_names, read_json_lines
from engine.datasets.readers.parquet import is_parquet, parquet_names, read_parquet
from engine.datasets.readers.records import Part, Records, ratings_of
from engine.datasets.readers.source import Ratings
from engine.datasets.readers.textlines import PLAIN, Form
from engine.errors import DataError
from engine.spec import Columns

RECBOLE = Columns(user="user_id", item="item_id", time="timestamp", rating="rating", separator="\t")
"""The fields of RecBole's own data sets."""


def read_table(
    path: Path,
    columns: Columns | None,
    *,
    reader: str = "table",
    form: Form = PLAIN,
    with_ratings: bool = False,
) -> Ratings:
    """Read the given columns of a table; without ``columns`` those of RecBole's own data sets.

    Ids may be whole numbers or text. Times may be numbers, or ISO dates. Where the items of a row
    are a list, the row is a history.

    Args:
        reader: ``table``, ``recbole`` or ``json-lines``.

    Raises:
        DataError: the file can't be read, lacks a column, or has a malformed value.
    """
    names = column_names(path, columns or RECBOLE, reader, form)
    chosen = columns or recbole_columns(path, names)
    wanted: dict[Part, str] = {"user": chosen.user, "item": chosen.item}
    if chosen.time is not None:
        wanted["time"] = chosen.time
    if with_ratings and chosen.rating is not None:
        wanted["rating"] = chosen.rating
    for name in wanted.values():
        if name not in names and reader != "json-lines":
            raise DataError(f"{path} has no column {name!r}: {which_column(name, names)}")
    if len(set(wanted.values())) < len(wanted):
        raise DataError(f"{path}: one column is named for two things: name another.")
    return ratings_of(_records(path, chosen, wanted, reader, form))


def column_names(
    path: Path, columns: Columns, reader: str = "table", form: Form = PLAIN
) -> list[str]:
    """Return the names of a table's columns, or its keys. Raises `DataError`."""
    if reader == "json-lines":
        return json_names(path, form)
    if is_parquet(path, form):
        return parquet_names(path, form)
    return delimited_names(Delimited(path, columns.separator, columns.header, form))


def recbole_columns(path: Path, names: list[str]) -> Columns:
    """Find the fields of RecBole's own data sets in a header with ``name:type`` for each."""
    bare = {name.partition(":")[0]: name for name in names}
    for needed in (RECBOLE.user, RECBOLE.item):
        if needed not in bare:
            raise DataError(
                f"{path} isn't an .inter file: its first line names no column {needed}:token."
            )
    return Columns(
        user=bare[RECBOLE.user],
        item=bare[RECBOLE.item],
        time=bare.get(str(RECBOLE.time)),
        rating=bare.get(str(RECBOLE.rating)),
        separator=RECBOLE.separator,
    )


def _records(
    path: Path, columns: Columns, wanted: dict[Part, str], reader: str, form: Form
) -> Records:
    if reader == "json-lines":
        return read_json_lines(path, wanted, form)
    if is_parquet(path, form):
        return read_parquet(path, wanted, form)
    return read_delimited(Delimited(path, columns.separator, columns.header, form), wanted)

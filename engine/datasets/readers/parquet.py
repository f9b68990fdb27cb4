"""Parquet, by pyarrow, which is an extra. A list of items in a row is a history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

from engine.datasets.readers.records import Part, Records
from engine.datasets.readers.textlines import PLAIN, Form
from engine.datasets.readers.unpacking import open_unpacked
from engine.errors import DataError, cut, shown

FIRST_BYTES = b"PAR1"


def is_parquet(path: Path, form: Form = PLAIN) -> bool:
    """Whether a file's content begins as Parquet does. Raises `DataError`."""
    with open_unpacked(path, form.packing) as file:
        return file.read(len(FIRST_BYTES)) == FIRST_BYTES


def parquet_names(path: Path, form: Form = PLAIN) -> list[str]:
    """Return the names of a Parquet file's columns. Raises `DataError`."""
    with _open(path, form) as file:
        return list(file.schema_arrow.names)


def read_parquet(path: Path, wanted: Mapping[Part, str], form: Form = PLAIN) -> Records:
    """Read columns of a Parquet file. Where items are lists, a row is a history: times and ratings
    are lists of as many, or one for all.

    Raises:
        DataError: the file can't be read, or a column is neither of single values nor of lists.
    """
    with _open(path, form) as file:
        table = file.read(columns=list(wanted.values()))
        names = table.schema.names
        found = {part: table.column(names.index(name)) for part, name in wanted.items()}
        rows = None
        if _is_list(found["item"].type):
            found, rows = _flat(path, wanted, found)
        for part, column in found.items():
            if _is_nested(column.type):
                raise DataError(
                    f"{path}: column {shown(wanted[part])} holds {cut(str(column.type), 60)}, no "
                    f"{part}: name another column."
                )
        columns = {part: _series(column) for part, column in found.items()}
    return Records(
        path, columns, dict(wanted), lambda at: f"row {(at if rows is None else int(rows[at])) + 1}"
    )


def _flat(path: Path, wanted: Mapping[Part, str], found: dict[Part, Any]) -> tuple[Any, Any]:
    """Return the columns with a record for each item, and the row of each record."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = {
        part: pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
        for part, column in found.items()
    }
    lengths = pc.list_value_length(whole["item"])
    if lengths.null_count:
        at = lengths.is_null().to_pylist().index(True)
        raise DataError(
            f"{path}, row {at + 1}: the item is empty (column {shown(wanted['item'])}, in "
            f"{lengths.null_count:,} of {len(lengths):,} records): correct the file, or name "
            "another column."
        )
    rows = pc.list_parent_indices(whole["item"])
    flat = {}
    for part, column in whole.items():
        if part == "user" or not _is_list(column.type):
            flat[part] = column.take(rows)
            continue
        other = pc.fill_null(pc.list_value_length(column), -1).to_numpy()
        if (other != lengths.to_numpy()).any():
            at = int((other != lengths.to_numpy()).argmax())
            raise DataError(
                f"{path}, row {at + 1}: {lengths[at]} items and "
                f"{max(int(other[at]), 0)} of the {part} (column {shown(wanted[part])}): correct "
                "the file, or name another column."
            )
        flat[part] = pc.list_flatten(column)
    return flat, rows.to_numpy()


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_nested(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_nested(kind))


def _series(column: Any) -> Any:
    """Return a column as a Series whose dates are moments."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if types.is_date(column.type):
        column = column.cast(pa.timestamp("ms"))
    return column.to_pandas()


@contextmanager
def _open(path: Path, form: Form) -> Iterator[Any]:
    """Open a Parquet file; one that is packed is unpacked into memory."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(
            f"{path} is a Parquet file, and reading it needs pyarrow: run `pip install pyarrow`, "
            "or export the table as CSV."
        ) from error
    with open_unpacked(path, form.packing) as file:
        try:
            plain = isinstance(file, BufferedReader)
            yield parquet.ParquetFile(file if plain else pa.BufferReader(file.read()))
        except (OSError, ValueError, pa.ArrowException) as error:
            reason = cut(" ".join(str(error).split()), 120)
            raise DataError(
                f"{path} can't be read as Parquet ({reason}): fetch or copy it again."
            ) from error

"""Exports the epochs of runs as one table, CSV or Parquet: the run's columns, then its measures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any

from engine.analysis.csvjson import csv_pieces
from engine.errors import UsageError
from engine.files.named import named_file
from engine.metrics import EPOCH_MEASURES
from engine.progress import OnProgress, untold
from engine.store.compare.comparison import matching
from engine.store.database import StoreConnection
from engine.store.schema import EPOCH_INTEGERS

RUN_COLUMNS = ("run", "model", "dataset", "length", "seed", "profile", "suite", "state", "origin")
COLUMNS = (*RUN_COLUMNS, "epoch", "attempt", "t", *EPOCH_INTEGERS, *EPOCH_MEASURES)
"""Columns of the table. ``t`` is when the epoch ended, in seconds since 1970."""

_TEXTS = frozenset({"run", "model", "dataset", "profile", "suite", "state", "origin"})
_WHOLES = frozenset({"length", "seed", "epoch", "attempt", *EPOCH_INTEGERS})
_ROWS_AT_ONCE = 20_000

Line = Sequence[Any]


def write_epochs(
    con: StoreConnection,
    output: Path,
    format: str,  # noqa: A002 - the command line's name for it
    *,
    filter: str = "",  # noqa: A002 - the command line's name for it
    on_progress: OnProgress = untold,
) -> int:
    """Write one row per epoch of the matching runs, in order of run and epoch.

    Args:
        format: ``csv`` or ``parquet``.
        filter: which runs, in the language of docs/queries.md; empty for all.
        on_progress: told how many rows are written.

    Returns:
        The number of rows. No file is written if it is 0.

    Raises:
        UsageError: the filter is invalid, or Parquet's package is not installed.
        UserError: the file can't be written.
    """
    where, parameters = matching(filter)
    own = ", ".join(f"r.{'id' if name == 'run' else name}" for name in RUN_COLUMNS)
    figures = ", ".join(f"e.{name}" for name in COLUMNS[len(RUN_COLUMNS) :])
    cursor = con.execute(
        f"SELECT {own}, {figures} FROM runs r JOIN epochs e ON e.run = r.id"  # noqa: S608
        f" WHERE {where} ORDER BY r.id, e.epoch",
        parameters,
    )
    first = cursor.fetchmany(_ROWS_AT_ONCE)
    if not first:
        return 0
    write = {"csv": _write_csv, "parquet": _write_parquet}[format]
    with named_file(output) as file:
        return write(file, _batches(first, cursor, on_progress))


def _batches(first: list[Line], cursor: Any, on_progress: OnProgress) -> Iterator[list[Line]]:
    batch, done = first, 0
    while batch:
        yield batch
        done += len(batch)
        on_progress(done, None)
        batch = cursor.fetchmany(_ROWS_AT_ONCE)


def _write_csv(file: IO[bytes], batches: Iterable[list[Line]]) -> int:
    rows = 0
    head: list[Line] = [COLUMNS]
    for batch in chain([head], batches):
        file.writelines(piece.encode("utf-8", "replace") for piece in csv_pieces(batch))
        rows += len(batch)
    return rows - 1


def _write_parquet(file: IO[bytes], batches: Iterable[list[Line]]) -> int:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UsageError(
            "Parquet needs the package pyarrow: pip install 'seqbench[parquet]', or export CSV."
        ) from None
    kinds = {name: pa.string() for name in _TEXTS} | {name: pa.int64() for name in _WHOLES}
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in COLUMNS])
    rows = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in batches:
            columns = [
                pa.array(column, type=field.type)
                for column, field in zip(zip(*batch, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.table(columns, schema=schema))
            rows += len(batch)
    return rows

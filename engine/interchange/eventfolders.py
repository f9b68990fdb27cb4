"""Exports runs as TensorBoard event files: a folder per run, with the reference table's tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from engine.analysis.columns.definitions import columns
from engine.files.named import named_file, named_folder
from engine.interchange.events import Scalars, write_scalars
from engine.metrics import measure_of
from engine.progress import OnProgress, counted, untold
from engine.store.compare.comparison import matching
from engine.store.database import StoreConnection
from engine.store.series import epochs

PARAMETERS = "Model/TotalParams"
EPOCHS = "Total Epoch Trained"


@cache
def tags() -> Mapping[str, str]:
    """Map each tag to the measure of an epoch that it shows; tags are the comparison's columns."""
    measures = ((column.name, measure_of(column.source)) for column in columns())
    return {name: measure for name, measure in measures if measure}


def write_event_folders(
    con: StoreConnection,
    output: Path,
    *,
    filter: str = "",  # noqa: A002 - the command line's name for it
    on_progress: OnProgress = untold,
) -> int:
    """Write ``output/<run>/events.out.tfevents.…`` for each matching run that has an epoch.

    The same runs give the same files, so exporting again replaces an earlier export.

    Args:
        on_progress: told how many runs are written.

    Returns:
        The number of runs.

    Raises:
        UsageError: the filter is invalid.
        UserError: the folder can't be written.
    """
    where, parameters = matching(filter)
    runs = con.rows(
        "SELECT id, parameters FROM runs r WHERE epoch IS NOT NULL"  # noqa: S608
        f" AND {where} ORDER BY id",
        parameters,
    )
    written = 0
    for run, size in counted(runs, on_progress):
        if found := epochs(con, run):
            folder = output / run
            named_folder(folder)
            began = int(found[0]["t"])
            with named_file(folder / f"events.out.tfevents.{began:010d}.seqbench") as file:
                write_scalars(file, float(found[0]["t"]), _events(found, size))
            written += 1
    return written


def _events(found: list[dict[str, Any]], parameters: int | None) -> Iterator[Scalars]:
    for count, row in enumerate(found, 1):
        figures = {tag: row[measure] for tag, measure in tags().items()}
        figures |= {PARAMETERS: parameters or None, EPOCHS: count}
        known = {tag: float(value) for tag, value in figures.items() if value is not None}
        yield Scalars(float(row["t"]), int(row["epoch"]), known)

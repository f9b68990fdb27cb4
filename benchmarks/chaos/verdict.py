"""Whether anything was lost: a store that was disturbed beside one that wasn't."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import psutil

from engine.metrics import METRIC_COLUMNS
from engine.store.connect import connect_reader
from engine.store.database import StoreConnection
from engine.store.location import StoreLocation

COMPARED = ("epoch", "step", "targets", "batches", "loss", "grad_norm", "lr", *METRIC_COLUMNS)
"""What two executions of one run must agree in, epoch by epoch, to the last bit."""


def losses(
    disturbed: StoreLocation, undisturbed: StoreLocation, pairs: Sequence[tuple[str, str]]
) -> list[str]:
    """What is wrong with the disturbed store, a sentence each.

    Args:
        pairs: a run of the disturbed store, and its twin of the undisturbed one.
    """
    with (
        closing(connect_reader(disturbed)) as ours,
        closing(connect_reader(undisturbed)) as theirs,
    ):
        found = [text for run, twin in pairs for text in _differences(ours, theirs, run, twin)]
        if (sound := ours.rows("PRAGMA integrity_check")[0][0]) != "ok":
            found.append(f"the database is damaged: {sound}")
        found += [
            f"{row[0]}, attempt {row[1]}, still takes up a slot"
            for row in ours.rows("SELECT run, attempt FROM attempts WHERE exited IS NULL")
        ]
        left = ours.rows("SELECT count(*) FROM requests")[0][0]
        if left:
            found.append(f"{left} requests lie about")
    for run, twin in pairs:
        ranks = [
            np.load(location.folder(name).test_ranks, allow_pickle=False)
            for location, name in ((disturbed, run), (undisturbed, twin))
            if location.folder(name).test_ranks.exists()
        ]
        if len(ranks) != 2 or not np.array_equal(*ranks):
            found.append(f"{run}: its test ranks are others")
    return found + [f"process {pid} is left over: {command}" for pid, command in orphans(disturbed)]


def _differences(
    ours: StoreConnection, theirs: StoreConnection, run: str, twin: str
) -> Iterator[str]:
    state = ours.rows("SELECT state FROM runs WHERE id = ?", (run,))[0][0]
    if state != "done":
        yield f"{run} is {state}"
    mine, other = _epochs(ours, run), _epochs(theirs, twin)
    if [row[0] for row in mine] != list(range(1, len(mine) + 1)):
        yield f"{run}: its epochs are not each there once"
    if len(mine) != len(other):
        yield f"{run}: {len(mine)} epochs in place of {len(other)}"
    for row, twin_row in zip(mine, other, strict=False):
        if row != twin_row:
            yield f"{run}: epoch {row[0]} has other figures"
            return


def _epochs(connection: StoreConnection, run: str) -> list[tuple[Any, ...]]:
    columns = ", ".join(COMPARED)
    sql = f"SELECT {columns} FROM epochs WHERE run = ? ORDER BY epoch"
    return [tuple(row) for row in connection.rows(sql, (run,))]


def orphans(location: StoreLocation) -> list[tuple[int, str]]:
    """Workers and supervisors of this store that still run."""
    marks = (str(location.runs), str(location.db))
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if (
            "-m" in command
            and process.pid != os.getpid()
            and any(mark in word for mark in marks for word in command)
        ):
            found.append((process.pid, " ".join(command)[:200]))
    return found

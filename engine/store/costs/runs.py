"""Costs of runs, and the training time to reach a quality, from epochs and telemetry."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from engine.errors import UsageError
from engine.metrics import EPOCH_MEASURES, SPEEDS
from engine.store.costs.energy import joules
from engine.store.database import fetch


@dataclass(frozen=True, slots=True)
class RunCosts:
    """Costs of one run; ``None`` where its journal has no such value."""

    seconds_to_best: float | None
    """Training time up to the end of the epoch chosen on validation."""
    epoch_seconds: float | None
    """Training time of an epoch, median over the epochs."""
    gpu_memory_mib: float | None
    """Peak GPU memory over the epochs, MiB."""
    host_memory_mib: float | None
    """Peak resident memory of the run's process among the samples of telemetry."""
    users_per_second_1: float | None
    users_per_second_256: float | None
    cpu_seconds: float | None = None
    """CPU time of an epoch's training, of all threads, median over the epochs."""
    joules_per_epoch: float | None = None
    """Energy of an epoch's training, median over the epochs."""
    joules_to_best: float | None = None
    """Energy of training up to the end of the epoch chosen on validation."""
    joules_of: str | None = None
    """What is in the energy: ``GPU``, ``CPU`` or ``GPU + CPU``."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What the training of a run took up to the end of an epoch; ``None`` where one of the epochs
    has no such value."""

    seconds: float | None
    joules: float | None


NEVER = Reached(None, None)
"""What there is of a run that never got there."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was put into runs.

    Attributes:
        seconds: of all their epochs together, evaluation included.
        notes: how many of the runs have a note.
    """

    seconds: float
    notes: int


def spent_on(con: sqlite3.Connection, runs: Iterable[str]) -> Spent:
    """Sum up what was put into runs, by their ids."""
    (row,) = fetch(
        con,
        "SELECT coalesce(sum(s.total_seconds), 0), coalesce(sum(r.note <> ''), 0) FROM runs r"
        " LEFT JOIN summaries s ON s.run = r.id WHERE r.id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(runs)),),
    )
    return Spent(*row)


def run_costs(con: sqlite3.Connection, runs: Iterable[str]) -> dict[str, RunCosts]:
    """Read costs of runs, by id; an id that the store doesn't have is left out."""
    rows = fetch(
        con,
        f"""SELECT r.id, {seconds_until("s.best_epoch")} AS seconds_to_best,
            s.train_seconds_median AS epoch_seconds, s.gpu_memory_mib_max AS gpu_memory_mib,
            s.cpu_seconds_median AS cpu_seconds, s.joules_per_epoch, s.joules_to_best, s.joules_of,
            (SELECT max(process_memory_mib) FROM telemetry WHERE run = r.id) AS host_memory_mib,
            {", ".join(f"r.{name}" for name in SPEEDS)}
        FROM json_each(?) wanted CROSS JOIN runs r ON r.id = wanted.value
        LEFT JOIN summaries s ON s.run = r.id""",  # noqa: S608
        (json.dumps(list(runs)),),
    )
    names = [column.name for column in fields(RunCosts)]
    return {row["id"]: RunCosts(**{name: row[name] for name in names}) for row in rows}


def spent_to_reach(
    con: sqlite3.Connection, measure: str, levels: Mapping[str, float]
) -> dict[str, Reached]:
    """Return what the training of each run took up to the end of the first epoch with at least its
    level. A run that never reached it is left out.

    Args:
        measure: a column of the table ``epochs``.
        levels: by run id.

    Raises:
        UsageError: an epoch has no such measure.
    """
    if measure not in EPOCH_MEASURES:
        raise UsageError(f"an epoch has no figure {measure!r}.")
    rows = fetch(
        con,
        f"""WITH wanted AS (
            SELECT key AS id, (SELECT min(epoch) FROM epochs
                WHERE run = key AND {measure} >= value) AS epoch FROM json_each(?))
        SELECT r.id, {seconds_until("r.epoch")}, {joules_until("r.epoch")}
        FROM wanted r WHERE r.epoch IS NOT NULL""",  # noqa: S608
        (json.dumps(dict(levels)),),
    )
    return {run: Reached(*spent) for run, *spent in rows}


def seconds_until(epoch: str) -> str:
    """Write SQL for the training seconds of a run ``r`` up to the end of an epoch, which is SQL,
    too; NULL without one, or if one of the epochs has no such value."""
    return (
        "(SELECT CASE WHEN count(*) = count(e.train_seconds) THEN sum(e.train_seconds) END"  # noqa: S608
        f" FROM epochs e WHERE e.run = r.id AND e.epoch <= {epoch})"
    )


def joules_until(epoch: str) -> str:
    """Write SQL for the joules of training: like `seconds_until`."""
    parts = "(SELECT t.joules_of FROM summaries t INDEXED BY summaries_totals WHERE t.run = r.id)"
    return (
        f"(SELECT sum({joules(parts, 'e')}) FROM epochs e"  # noqa: S608
        f" WHERE e.run = r.id AND e.epoch <= {epoch})"
    )

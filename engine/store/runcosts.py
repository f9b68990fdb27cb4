"""What runs cost, and when they reached what: from their epochs and telemetry."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.errors import UsageError
from engine.metrics import EPOCH_MEASURES, SPEEDS
from engine.store.database import fetch


@dataclass(frozen=True, slots=True)
class RunCosts:
    """One run's; ``None`` is what it doesn't tell."""

    seconds_to_best: float | None
    """Of training, up to the end of the chosen epoch."""
    epoch_seconds: float | None
    """Of training, mean over the epochs."""
    gpu_memory_mib: float | None
    """The most of an epoch."""
    host_memory_mib: float | None
    """Of the run's process, resident; the most that was sampled."""
    users_per_second_1: float | None
    users_per_second_256: float | None


def run_costs(con: sqlite3.Connection, runs: Iterable[str]) -> dict[str, RunCosts]:
    """By run id; a run that isn't there is left out."""
    rows = fetch(
        con,
        f"""SELECT r.id, ({_TRAINED} AND e.epoch <= s.best_epoch),
            s.train_seconds_mean, s.gpu_memory_mib_max,
            (SELECT max(process_memory_mib) FROM telemetry WHERE run = r.id),
            {", ".join(f"r.{name}" for name in SPEEDS)}
        FROM json_each(?) wanted CROSS JOIN runs r ON r.id = wanted.value
        LEFT JOIN summaries s ON s.run = r.id""",  # noqa: S608
        (json.dumps(list(runs)),),
    )
    return {run: RunCosts(*values) for run, *values in rows}


def seconds_to_reach(
    con: sqlite3.Connection, measure: str, levels: Mapping[str, float]
) -> dict[str, float]:
    """Seconds of training up to the end of the first epoch whose measure is at least a run's
    level; runs that never were are left out.

    Raises:
        UsageError: an epoch has no such measure.
    """
    if measure not in EPOCH_MEASURES:
        raise UsageError(f"an epoch has no figure {measure!r}.")
    rows = fetch(
        con,
        f"""WITH wanted AS (
            SELECT key AS run, (SELECT min(epoch) FROM epochs
                WHERE run = key AND {measure} >= value) AS epoch FROM json_each(?))
        SELECT r.run, ({_TRAINED.replace("r.id", "r.run")} AND e.epoch <= r.epoch)
        FROM wanted r WHERE r.epoch IS NOT NULL""",  # noqa: S608
        (json.dumps(dict(levels)),),
    )
    return {run: seconds for run, seconds in rows if seconds is not None}


_TRAINED = (
    "SELECT CASE WHEN count(*) = count(e.train_seconds) THEN sum(e.train_seconds) END"
    " FROM epochs e WHERE e.run = r.id"
)
"""Seconds of some epochs, unless one of them tells none."""

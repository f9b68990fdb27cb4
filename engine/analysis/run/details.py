"""Everything that the store has of one run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.analysis.columns.definitions import Value
from engine.analysis.provenance import provenance_of
from engine.metrics import SPEEDS
from engine.store import queries, series
from engine.store.compare.comparison import SUMMARY_COLUMNS, runs_by_id
from engine.store.compare.computed import TO_QUALITY
from engine.store.database import fetch
from engine.store.evaluations import evaluations_of

FIGURES = ("parameters", *SPEEDS, *SUMMARY_COLUMNS, *TO_QUALITY)
"""The names of a run's metrics and costs."""


@dataclass(frozen=True)
class RunDetails:
    """One run, with its configuration, metrics, epochs, attempts, warnings and evaluations."""

    run: queries.Run
    spec: Mapping[str, Any]
    """`engine.spec.RunSpec` as JSON."""
    figures: Mapping[str, Value]
    """By the names in `FIGURES`."""
    provenance: Mapping[str, Value]
    epochs: tuple[Mapping[str, Any], ...]
    attempts: tuple[Mapping[str, Any], ...]
    started: Mapping[str, Any]
    """Fields of the newest attempt's ``start``; empty before it."""
    warnings: tuple[str, ...]
    evaluations: Mapping[str, Mapping[str, Any]]
    """Its evaluations under other rules (`engine.store.evaluations`), by the rule's name."""


def run_details(con: sqlite3.Connection, run_id: str) -> RunDetails | None:
    """Read one run; None if the store doesn't have it."""
    run = queries.get_run(con, run_id)
    if run is None:
        return None
    rows = runs_by_id(con, FIGURES, [run_id])
    specs = fetch(con, "SELECT spec FROM specs WHERE run = ?", (run_id,))
    events = series.events(con, run_id)
    starts = [event for event in events if event["kind"] == "start"]
    return RunDetails(
        run=run,
        spec=json.loads(specs[0][0]) if specs else {},
        figures=dict(zip(FIGURES, rows[0], strict=True)) if rows else {},
        provenance=provenance_of(con, [run_id]).get(run_id, {}),
        epochs=tuple(series.epochs(con, run_id)),
        attempts=tuple(series.attempts(con, run_id)),
        started=starts[-1] if starts else {},
        warnings=tuple(
            str(event.get("message", "")) for event in events if event["kind"] == "warning"
        ),
        evaluations=evaluations_of(con, [run_id]).get(run_id, {}),
    )

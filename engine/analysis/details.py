"""Everything that the store has of one run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.analysis.comparison import Value
from engine.analysis.provenance import provenance_of
from engine.metrics import SPEEDS
from engine.store import queries, series
from engine.store.database import fetch


@dataclass(frozen=True)
class RunDetails:
    """One run, with its configuration, figures, epochs, attempts and warnings."""

    run: queries.Run
    spec: Mapping[str, Any]
    """`engine.spec.RunSpec` as JSON."""
    figures: Mapping[str, Value]
    """What a comparison shows, by the names of
    `engine.store.compare.comparison.comparison_columns`."""
    provenance: Mapping[str, Value]
    epochs: tuple[Mapping[str, Any], ...]
    attempts: tuple[Mapping[str, Any], ...]
    started: Mapping[str, Any]
    """Fields of the newest attempt's ``start``; empty before it."""
    warnings: tuple[str, ...]


def run_details(con: sqlite3.Connection, run_id: str) -> RunDetails | None:
    """Read one run; None if the store doesn't have it."""
    run = queries.get_run(con, run_id)
    if run is None:
        return None
    speeds = fetch(con, f"SELECT {', '.join(SPEEDS)} FROM runs WHERE id = ?", (run_id,))  # noqa: S608
    summaries = fetch(con, "SELECT * FROM summaries WHERE run = ?", (run_id,))
    figures: dict[str, Value] = {"parameters": run.parameters}
    for speed in speeds:
        figures |= dict(speed)
    for summary in summaries:
        figures |= {name: value for name, value in dict(summary).items() if name != "run"}
    specs = fetch(con, "SELECT spec FROM specs WHERE run = ?", (run_id,))
    events = series.events(con, run_id)
    starts = [event for event in events if event["kind"] == "start"]
    return RunDetails(
        run=run,
        spec=json.loads(specs[0][0]) if specs else {},
        figures=figures,
        provenance=provenance_of(con, [run_id]).get(run_id, {}),
        epochs=tuple(series.epochs(con, run_id)),
        attempts=tuple(series.attempts(con, run_id)),
        started=starts[-1] if starts else {},
        warnings=tuple(
            str(event.get("message", "")) for event in events if event["kind"] == "warning"
        ),
    )

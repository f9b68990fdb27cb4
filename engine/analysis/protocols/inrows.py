"""What runs reach under other rules, beside the rows of a comparison, for programs."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.analysis.columns.definitions import metric_name, result_column
from engine.analysis.comparison import RunRows
from engine.metrics import METRICS, RANKINGS, RESULT_OF, SPLITS
from engine.store.evaluations import evaluations_of

KEY = "evaluations"

_NAMES = {
    f"{split}_{metric}{ranking}": metric_name(metric, masked=bool(ranking), split=split)
    for split in SPLITS
    for metric in METRICS
    for ranking in RANKINGS
} | {name: result_column(result).name for name, result in RESULT_OF.items()}


def with_evaluations(con: sqlite3.Connection, rows: RunRows) -> RunRows:
    """Give each row its run's evaluations by the rule's name, under `KEY`: the split, the protocol,
    the checksum, whom they are of, and metrics by the names of columns."""
    found = evaluations_of(con, [str(values[0]) for values in rows.values])
    none: Mapping[str, Any] = {KEY: {}}
    parts: list[Mapping[str, Any]] = [
        {KEY: {rule: _told(each) for rule, each in found[run].items()}} if run in found else none
        for run in (str(values[0]) for values in rows.values)
    ]
    return replace(rows, common=(*rows.common, parts))


def _told(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    names = ("split", "protocol", "checksum")
    metrics = {
        _NAMES[name]: value for name, value in evaluation["metrics"].items() if name in _NAMES
    }
    return {**{name: evaluation[name] for name in names}, **evaluation["counts"], **metrics}

"""Evaluations of finished runs under other rules of targets, as the store knows them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from engine.store.database import fetch


def evaluations_of(
    con: sqlite3.Connection, runs: Iterable[str]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Read the evaluations of runs, by run id and by the rule's name, in the order of these: the
    content of `engine.results.evaluations.Evaluation`. Runs without any are left out."""
    rows = fetch(
        con,
        "SELECT run, rule, content FROM evaluations"
        " WHERE run IN (SELECT value FROM json_each(?)) ORDER BY run, rule",
        (json.dumps(list(runs)),),
    )
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for run, rule, content in map(tuple, rows):
        found.setdefault(run, {})[rule] = json.loads(content)
    return found

"""Evaluations under other rules, from run folders into the store."""

from __future__ import annotations

import json

from engine.files.regular import read_regular
from engine.runfolder import RunFolder
from engine.store.database import StoreConnection


def keep_evaluations(connection: StoreConnection, folder: RunFolder) -> None:
    """Write the evaluations that a run's folder has to the store, in place of those that it knows
    (inside a write transaction). Files that are none are passed over."""
    from engine.results.evaluations import parse_evaluation  # numpy, which few runs need here

    run = folder.run_id
    connection.execute("DELETE FROM evaluations WHERE run = ?", (run,))
    for rule in folder.evaluations():
        try:
            content = json.loads(read_regular(folder.evaluation(rule)))
            parse_evaluation(rule, content)
        except (OSError, ValueError, RecursionError):
            continue
        connection.execute(
            "INSERT INTO evaluations (run, rule, content)"
            " SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM runs WHERE id = ?1)",
            (run, rule, json.dumps(content)),
        )

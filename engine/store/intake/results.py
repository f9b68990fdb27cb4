"""Results of finished runs, into the store: those that their journal's end tells, and of runs of
earlier versions what their folder gives."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress

from engine.metrics import RESULT_OF
from engine.runfolder import RunFolder
from engine.store.database import StoreConnection


def keep_results(connection: StoreConnection, run: str, results: Mapping[str, float]) -> None:
    """Write a finished run's results, by name, to its row in ``summaries`` (inside a write
    transaction)."""
    known = {name: value for name, value in results.items() if name in RESULT_OF}
    if known:
        columns = ", ".join(f"{name} = :{name}" for name in known)
        connection.execute(
            f"UPDATE summaries SET {columns} WHERE run = :run",  # noqa: S608
            {**known, "run": run},
        )


def kept_results(connection: StoreConnection, runs: Iterable[str]) -> dict[str, dict[str, float]]:
    """Read the results that the store has of runs, by run id and by name."""
    rows = connection.rows(
        f"SELECT run, {', '.join(RESULT_OF)} FROM summaries"  # noqa: S608
        " WHERE run IN (SELECT value FROM json_each(?))",
        (json.dumps(list(runs)),),
    )
    return {
        row[0]: {
            name: value
            for name, value in zip(RESULT_OF, tuple(row)[1:], strict=True)
            if value is not None
        }
        for row in rows
    }


def results_of_folder(folder: RunFolder) -> dict[str, float]:
    """Return what a finished run's folder gives beside its journal: what follows from its ranks by
    themselves, and what was computed later. Files that can't be read give nothing."""
    from engine.results.cutoffs import rank_results  # numpy, which few runs need here
    from engine.results.files import read_ranks, read_results

    found: dict[str, float] = {}
    with suppress(OSError, ValueError):
        found |= rank_results(*read_ranks(folder))
    with suppress(OSError, ValueError):
        found |= read_results(folder)
    return found

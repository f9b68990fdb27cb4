"""Whether the database and the run folders agree, for ``seqbench db check`` and ``doctor``."""

from __future__ import annotations

from contextlib import closing

from engine.errors import StoreError
from engine.store.connect import connect_reader
from engine.store.database import storage_note
from engine.store.location import StoreLocation


def check(location: StoreLocation) -> list[str]:
    """List what is wrong, a sentence each; empty if nothing is."""
    try:
        with closing(connect_reader(location)) as connection:
            integrity = [str(row[0]) for row in connection.rows("PRAGMA integrity_check(3)")]
            known = {
                str(run): bool(saved)
                for run, saved in connection.rows("SELECT id, saved FROM runs")
            }
            warned = connection.rows(
                "SELECT run, count(*), min(problem) FROM warnings GROUP BY run ORDER BY run"
            )
    except StoreError as error:
        return [str(error)]
    found = [note] if (note := storage_note(location)) else []
    if integrity != ["ok"]:
        found.append(
            f"{location.db} is damaged ({integrity[0]}): `seqbench db rebuild` rebuilds it from "
            "the run folders."
        )
    on_disk = {folder.run_id for folder in location.folders()}
    found += [
        f"runs/{run} isn't in the store: `seqbench db rebuild` adds it."
        for run in sorted(on_disk - known.keys())
    ]
    found += [
        f"The folder of {run} is gone, and its checkpoints with it: `seqbench db rebuild` removes "
        "the run."
        for run, saved in sorted(known.items())
        if saved and run not in on_disk
    ]
    found += [
        f"{run}: {problem}" + (f" (and {count - 1} more)" if count > 1 else "")
        for run, count, problem in warned
    ]
    return found

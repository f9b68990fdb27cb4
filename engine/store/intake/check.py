"""Whether the store and the run folders agree, for ``seqbench db check`` and ``doctor``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.store.database import StoreConnection
from engine.store.location import StoreLocation

SHOWN = 20
"""Problems of a kind that are listed; of more their number is told."""


def check(connection: StoreConnection, location: StoreLocation) -> list[str]:
    """List what is wrong, a sentence each; empty if nothing is.

    Raises:
        StoreError: the store can't be read.
    """
    before = _saved(connection)
    on_disk = {folder.run_id for folder in location.folders()}
    # Once more, for runs that were added or deleted while the folders were listed.
    known = _saved(connection)
    problems = connection.rows(
        "SELECT run, attempt, offset, problem FROM warnings ORDER BY run, attempt, offset"
    )
    refused = {row["run"] for row in problems if row["attempt"] == 0}
    verdicts = [str(row[0]) for row in connection.rows(f"PRAGMA integrity_check({SHOWN})")]
    return [
        *(
            f"{location.db} is damaged ({verdict}): `seqbench db rebuild` rebuilds it."
            for verdict in verdicts
            if verdict != "ok"
        ),
        *_first(
            f"runs/{run} isn't in the store: `seqbench db rebuild` adds it."
            for run in sorted(on_disk - before.keys() - known.keys() - refused)
        ),
        *_first(
            f"The folder of {run} is gone, and its checkpoints with it: `seqbench db rebuild` "
            "removes the run."
            for run in sorted(before.keys() & known.keys() - on_disk)
            if before[run] and known[run]
        ),
        *_first(_told(*row) for row in problems),
    ]


def _saved(connection: StoreConnection) -> dict[str, bool]:
    """Return whether a run has had a folder, by run id, without those that are being deleted."""
    rows = connection.rows(
        "SELECT id, saved FROM runs"
        " WHERE id NOT IN (SELECT run FROM requests WHERE action = 'delete')"
    )
    return {str(run): bool(saved) for run, saved in rows}


def _told(run: str, attempt: int, offset: int, problem: str) -> str:
    """Word a problem with a run's files, as it is kept: of attempt 0 if it isn't a journal's, with
    a negative offset if the line's number is known."""
    if attempt == 0:
        return f"{run}: {problem}"
    if offset < 0:
        return f"{run}: journal {attempt}, line {-1 - offset}: {problem}."
    return f"{run}: journal {attempt}, byte {offset}: {problem}; the line is ignored."


def _first(sentences: Iterable[str]) -> Iterator[str]:
    found = list(sentences)
    yield from found[:SHOWN]
    if len(found) > SHOWN:
        yield f"{len(found) - SHOWN:,} more like the last one."

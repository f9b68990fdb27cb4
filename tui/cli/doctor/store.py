"""What is wrong with a store, each with its cure: for ``db check`` and ``doctor``."""

from __future__ import annotations

from engine.errors import StoreError
from engine.store.database import fetch
from tui.cli.session import Session

SHOWN = 20


def store_problems(session: Session) -> list[str]:
    """Sentences; none where all is well."""
    if not session.has_store:
        return []
    try:
        with session.reader() as connection:
            verdicts = [str(row[0]) for row in fetch(connection, "PRAGMA integrity_check(5)")]
            known = {str(row[0]) for row in fetch(connection, "SELECT id FROM runs")}
            bad_lines = fetch(
                connection, "SELECT run, attempt, offset, problem FROM warnings LIMIT 1000"
            )
    except StoreError as error:
        return [str(error)]
    problems = [
        f"{session.location.db} is damaged ({verdict}): `seqbench db rebuild` rebuilds it."
        for verdict in verdicts
        if verdict != "ok"
    ]
    unknown = [folder.run_id for folder in session.location.folders() if folder.run_id not in known]
    if unknown:
        problems.append(
            f"{len(unknown)} run folders are not in the store ({unknown[0]}, say): "
            "`seqbench db rebuild` adds them."
        )
    problems += [
        f"{row['run']}: journal {row['attempt']}, byte {row['offset']}: {row['problem']}; "
        "the line is ignored."
        for row in bad_lines[:SHOWN]
    ]
    if len(bad_lines) > SHOWN:
        problems.append(f"{len(bad_lines) - SHOWN} more journal lines are ignored.")
    return problems

"""Results of finished runs in the store: what the journal's end tells, or what the ranks of runs of
earlier versions give."""

from __future__ import annotations

from collections.abc import Mapping

from engine.metrics import RESULT_OF
from engine.runfolder import RunFolder
from engine.store.database import StoreConnection

_NAMES = frozenset(RESULT_OF)


def keep_results(connection: StoreConnection, run: str, results: Mapping[str, float]) -> None:
    """Write a finished run's results, by name, to its row in ``summaries`` (inside a write
    transaction)."""
    known = {name: value for name, value in results.items() if name in _NAMES}
    if known:
        columns = ", ".join(f"{name} = :{name}" for name in known)
        connection.execute(
            f"UPDATE summaries SET {columns} WHERE run = :run",  # noqa: S608
            {**known, "run": run},
        )


def results_from_ranks(folder: RunFolder) -> dict[str, float]:
    """Compute what a finished run's ranks give by themselves; nothing if it has none, or they can't
    be read."""
    from engine.results.cutoffs import rank_results  # numpy, which few runs need here
    from engine.results.files import read_ranks

    try:
        return rank_results(*read_ranks(folder))
    except (OSError, ValueError):
        return {}

"""The order of a comparison kept in a numbered table, so that a page far down is as quick as the
first."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from engine.store.compare.comparison import columns_sql, ordered_ids
from engine.store.compare.grouping import Choice
from engine.store.database import fetch


class Ordering:
    """Run ids in the order of a comparison, in a temporary table (in memory) of one connection."""

    def __init__(self, con: sqlite3.Connection) -> None:
        self._con = con
        fetch(con, "PRAGMA temp_store = MEMORY")

    def make(self, choice: Choice, sort: str, descending: bool) -> None:
        """Order the runs that match. Raises `UsageError` as `comparison` does."""
        direction = "DESC" if descending else "ASC"
        query, _, parameters = ordered_ids(
            sort, direction, choice.filter, choice.aggregate, choice.without
        )
        fetch(self._con, "DROP TABLE IF EXISTS temp.ordering")
        fetch(self._con, f"CREATE TEMP TABLE ordering AS {query}", parameters)

    def page(self, columns: Sequence[str], start: int, count: int) -> list[tuple[Any, ...]]:
        """Read ``columns`` of ``count`` runs from ``start`` on, without those deleted since."""
        sql = (
            f"SELECT {columns_sql(columns)} FROM temp.ordering o CROSS JOIN runs r ON r.id = o.id"  # noqa: S608
            " CROSS JOIN summaries s ON s.run = r.id"
            " WHERE o.rowid > ? AND o.rowid <= ? ORDER BY o.rowid"
        )
        return [tuple(row) for row in fetch(self._con, sql, (start, start + count))]

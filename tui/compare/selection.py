"""What a user points at in the comparison: the row under the cursor, and the marked ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from textual.screen import Screen

from engine.analysis.baseline import has_difference
from engine.analysis.columns.definitions import DIFFERENCE, Column
from tui.compare.page import CompareRow, Page
from tui.compare.rows import exact_text
from tui.widgets.table import PagedTable


class Selection:
    """The row under the cursor of a table, and the rows that are marked.

    Attributes:
        page: what was read last, of which the table shows the rows.
        marked: rows by key, in the order in which they were marked.
    """

    def __init__(self, table: PagedTable) -> None:
        self._table = table
        self.page: Page | None = None
        self.marked: dict[str, CompareRow] = {}

    @property
    def row(self) -> CompareRow | None:
        """The run or cell under the cursor, while it is in sight."""
        if self.page is None or not self._table.display:
            return None
        return self.page.row(self._table.cursor_key)

    @property
    def rows(self) -> list[CompareRow]:
        """The rows that are marked; without any, the one under the cursor."""
        return list(self.marked.values()) or ([self.row] if self.row else [])

    @property
    def compared(self) -> tuple[CompareRow, CompareRow] | None:
        """The two rows that are marked; without any, the baseline and the one under the cursor."""
        if len(self.marked) == 2:
            first, second = self.marked.values()
            return first, second
        pinned, row = self.page.pinned if self.page else None, self.row
        if self.marked or pinned is None or row is None or row.key == pinned.key:
            return None
        return pinned, row

    def mark(self) -> None:
        """Mark the row under the cursor, or don't any more."""
        row = self.row
        if row is not None and self.marked.pop(row.key, None) is None:
            self.marked[row.key] = row

    def unmark(self, keys: Iterable[str]) -> None:
        """Take the marks of some rows away."""
        for key in list(keys):
            self.marked.pop(key, None)

    def texts(self, columns: Sequence[Column]) -> dict[str, str]:
        """Write the row under the cursor for the clipboard, by the store's columns; empty without
        a row."""
        row = self.row
        if row is None or self.page is None:
            return {}
        texts: dict[str, str] = {}
        for column in columns:
            texts[column.source] = exact_text(row, self.page, column)
            if self.page.pinned is not None and has_difference(column):
                known = self.page.difference(row, column)
                texts[column.source + DIFFERENCE] = "" if known is None else str(known)
        return texts


def only_runs(screen: Screen[Any], rows: list[CompareRow]) -> list[CompareRow]:
    """Return the rows if all are runs; else none, and the screen says why."""
    if all(row.run is not None for row in rows):
        return rows
    screen.notify(
        "This works on single runs: press enter to expand the cell.", severity="warning", timeout=4
    )
    return []

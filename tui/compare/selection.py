"""What a user points at in the comparison: the row under the cursor, and the marked ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.analysis.comparison import Column
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
        return {column.source: exact_text(row, self.page, column) for column in columns}

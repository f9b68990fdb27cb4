"""Drawing pages of the comparison in its table."""

from __future__ import annotations

from collections.abc import Collection

from tui.compare.columns import source_of, table_columns
from tui.compare.page import Page
from tui.compare.rows import Drawn, pinned_rows, table_rows
from tui.compare.view import View
from tui.widgets.table import PagedTable


class Drawing:
    """Draws in a table what a view shows, with differences if there is a baseline."""

    def __init__(self, table: PagedTable) -> None:
        self._table = table
        self._drawn = Drawn()
        self._differences = False

    def columns(self, view: View) -> None:
        """Set the view's columns and order; the cursor keeps its column, if that is still there."""
        under = self._table.cursor_column
        self._table.set_columns(
            table_columns(view.columns, grouped=view.by_cell, baseline=self._differences)
        )
        self._table.set_sort(view.sort.source, view.descending)
        if under is not None:
            self._table.move_to_key(source_of(under.key))

    def page(self, page: Page, view: View, marked: Collection[str], *, follow: bool) -> None:
        """Draw a page; ``follow`` as for `PagedTable.show`."""
        if self._differences != (page.pinned is not None):
            self._differences = not self._differences
            self.columns(view)
        rows = table_rows(page, view.columns, marked, self._drawn)
        pinned = pinned_rows(page, view.columns)
        self._table.show(page.total, page.request.start, rows, follow=follow, pinned=pinned)

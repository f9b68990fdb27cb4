"""A table of any number of rows that holds only the rows in sight and near.

It asks for rows with `PagedTable.RowsWanted` and gets them with `PagedTable.show`; cells of the
screen that haven't changed aren't sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.widgets.table_cells import Columns, TableColumn, TableRow, widened
from tui.widgets.table_painter import COMPONENTS, HEADER, STYLES, TablePainter


class PagedTable(ScrollView, can_focus=True):
    """A table with a cell cursor, a fixed left part and a header.

    Rows are numbered from 0 to ``total - 1`` in the order in which they are supplied; a row keeps
    its key when its number changes.

    Attributes:
        columns: all columns, from left to right.
        total: number of rows, held or not.
        cursor_index: number of the cursor's row.
        cursor_key: the key of the cursor's row, even while that row isn't held; None if unknown.
        pinned: rows below the header that don't scroll and have no cursor.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    DEFAULT_CSS = STYLES
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Row up", show=False),
        Binding("down", "move(1)", "Row down", show=False),
        Binding("left", "move_column(-1)", "Column left", show=False),
        Binding("right", "move_column(1)", "Column right", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,ctrl+home", "first", "First row", show=False),
        Binding("end,ctrl+end", "last", "Last row", show=False),
    ]

    @dataclass
    class RowsWanted(Message):
        """Ask for rows ``[start, start + count)``, which are in sight or near and aren't held."""

        start: int
        count: int

    @dataclass
    class CursorMoved(Message):
        """Tell that the cursor is on another row or column, or that its row has other content."""

        row: TableRow | None
        column: TableColumn | None

    @dataclass
    class RowOpened(Message):
        """Tell that a row was clicked twice."""

        key: str

    @dataclass
    class HeaderClicked(Message):
        """Tell that a column's heading was clicked."""

        column: TableColumn

    def __init__(
        self,
        columns: Iterable[TableColumn],
        *,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self.columns = Columns(tuple(columns))
        self.total = 0
        self.cursor_index = 0
        self.cursor_key: str | None = None
        self._start = 0
        """Number of the first row that is held."""
        self._rows: Sequence[TableRow] = ()
        self.pinned: tuple[TableRow, ...] = ()
        self._cursor_column = 0
        self._scrolled_before: int | None = None
        self._sort: tuple[str, bool] = ("", False)
        """Key of the column that the rows are sorted by, and whether they descend."""
        self._wanted: tuple[int, int] | None = None
        """The window that was asked for last, until rows come."""
        self._clicked: str | None = None
        """Key of the row that was clicked on, until it is again."""
        self._painter = TablePainter(self)

    @property
    def cursor_row(self) -> TableRow | None:
        """The row under the cursor; None while it isn't held."""
        return self._row(self.cursor_index)

    @property
    def cursor_column(self) -> TableColumn | None:
        """The column under the cursor; None while there are no columns."""
        columns = self.columns.all
        return columns[self._cursor_column] if columns else None

    @property
    def window(self) -> tuple[int, int]:
        """The first and the number of the rows to hold: a page in sight, two more on each side."""
        page = self._page
        first = max(0, self.scroll_offset.y - 2 * page)
        return first, 5 * page

    def set_columns(self, columns: Iterable[TableColumn]) -> None:
        """Replace the columns and drop the rows. The cursor keeps its row's and column's number."""
        self._place(tuple(columns))
        self._cursor_column = max(0, min(self._cursor_column, len(self.columns) - 1))
        self._rows = ()
        self.pinned = ()
        self._wanted = None
        self._resize()
        self.refresh()

    def set_sort(self, key: str, descending: bool) -> None:
        """Mark the column that the rows are sorted by."""
        self._sort = (key, descending)
        self.refresh(Region(0, 0, self.size.width, HEADER))

    def show(
        self,
        total: int,
        start: int,
        rows: Sequence[TableRow],
        *,
        follow: bool = True,
        pinned: Sequence[TableRow] = (),
    ) -> None:
        """Hold ``rows``, numbered from ``start`` on, out of ``total``, below the ``pinned`` ones.

        With ``follow`` the cursor stays on its row, and the view scrolls so that the row stays on
        its line of the screen. Without, the cursor keeps its row's number.
        """
        before = {index: self._row(index) for index in self._in_sight()}
        same_size = total == self.total and tuple(pinned) == self.pinned
        self.pinned = tuple(pinned)
        self.total, self._start, self._rows = total, start, tuple(rows)
        self._wanted = None
        columns = widened(self.columns.given, [*rows, *pinned])
        if columns != self.columns.given:
            same_size = False
        if not same_size:
            self._place(columns)
            self._resize()
        moved = self._follow() if follow else 0
        self.cursor_index = max(0, min(self.cursor_index, total - 1))
        if moved and self.scroll_offset.y + moved >= 0:
            self.scroll_to(y=self.scroll_offset.y + moved, animate=False)
        if same_size and not moved:
            self._repaint_changed(before)
        else:
            self.refresh()
        self._announce()
        self._ask()

    def move_to(self, index: int) -> None:
        """Put the cursor on a row and bring it into sight."""
        index = max(0, min(index, self.total - 1))
        before, self.cursor_index, self.cursor_key = self.cursor_index, index, None
        page, top = self._page, self.scroll_offset.y
        if not top <= index < top + page:
            self.scroll_to(y=index if index < top else index - page + 1, animate=False)
            self.refresh()
        else:
            self._refresh_row(before)
            self._refresh_row(index)
        self._announce()
        self._ask()

    def move_to_column(self, index: int) -> None:
        """Put the cursor on a column and bring it into sight."""
        if not len(self.columns):
            return
        self._cursor_column = max(0, min(index, len(self.columns) - 1))
        scroll = self.columns.scroll_to_show(
            self._cursor_column, self.scroll_offset.x, self.scrollable_content_region.width
        )
        if scroll != self.scroll_offset.x:
            self.scroll_to(x=scroll, animate=False)
            self.refresh()
        else:
            self._refresh_row(self.cursor_index)
            self.refresh(Region(0, 0, self.size.width, HEADER))
        self._announce()

    def move_to_key(self, key: str) -> None:
        """Put the cursor on the column of that key, if there is one."""
        for index, column in enumerate(self.columns):
            if column.key == key:
                self.move_to_column(index)

    def action_move(self, rows: int) -> None:
        """Move the cursor down by rows; up if negative."""
        self.move_to(self.cursor_index + rows)

    def action_move_column(self, columns: int) -> None:
        """Move the cursor to the right by columns; to the left if negative."""
        self.move_to_column(self._cursor_column + columns)

    def action_page(self, pages: int) -> None:
        """Move the cursor down by pages, each a row less than is in sight; up if negative."""
        self.move_to(self.cursor_index + pages * max(1, self._page - 1))

    def action_first(self) -> None:
        """Put the cursor on the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """Put the cursor on the last row."""
        self.move_to(self.total - 1)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the cell that is clicked; tell of a heading, and of a row opened."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        column = self.columns.at(offset.x, self.scroll_offset.x)
        if offset.y < self._head:
            if column is not None:
                self.move_to_column(column)
                self.post_message(self.HeaderClicked(self.columns.all[column]))
            return
        index = self.scroll_offset.y + offset.y - self._head
        if index < self.total:
            self.move_to(index)
            if column is not None:
                self.move_to_column(column)
            # The first of two clicks may have closed a dialog over the table.
            if event.chain == 2 and self._clicked is not None and self._clicked == self.cursor_key:
                self.post_message(self.RowOpened(self._clicked))
            self._clicked = self.cursor_key if event.chain == 1 else None

    def on_hide(self, event: events.Hide) -> None:
        """Keep the focus if the table was shown again before this event came."""
        if self.display:
            event.prevent_default()

    def on_resize(self) -> None:
        """Fit the columns into the new size, and ask for rows that came into sight."""
        self._place(self.columns.given)
        self._resize()
        self._ask()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for rows that came into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._ask()

    def notify_style_update(self) -> None:
        """Draw in the new styles, as the style sheet or the theme changed."""
        super().notify_style_update()
        self._painter.forget_styles()

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen: of the header, of a row, or below the last row."""
        painter, columns, scroll = self._painter, self.columns, self.scroll_offset
        if y < HEADER:
            cursor = self._cursor_column if self.has_focus else None
            return painter.header_line(y, columns, scroll.x, cursor, self._sort)
        if y < self._head:
            return painter.row_line(self.pinned[y - HEADER], columns, scroll.x, None)
        index = scroll.y + y - self._head
        if index >= self.total:
            return painter.empty_line()
        cursor = self._cursor_column if index == self.cursor_index else None
        return painter.row_line(self._row(index), columns, scroll.x, cursor)

    # Where things are

    @property
    def _head(self) -> int:
        """Lines above the rows that scroll."""
        return HEADER + len(self.pinned)

    @property
    def _page(self) -> int:
        """Number of rows that fit on the screen."""
        return max(1, self.scrollable_content_region.height - self._head)

    def _row(self, index: int) -> TableRow | None:
        """The row of a number; None while it isn't held."""
        held = index - self._start
        return self._rows[held] if 0 <= held < len(self._rows) else None

    def _in_sight(self) -> range:
        """Numbers of the rows on the screen."""
        top = self.scroll_offset.y
        return range(top, min(top + self._page, self.total))

    def _place(self, columns: tuple[TableColumn, ...]) -> None:
        """Lay the columns out. Where not all that are fixed can be held, the cursor's column is
        scrolled to, or the first that isn't fixed, until they can be again."""
        room, before = self.scrollable_content_region.width, self.columns.held
        self.columns = Columns(columns, room or None)
        if self.columns.held == before:
            return
        if self.columns.held < self.columns.first:
            if self._scrolled_before is None:
                self._scrolled_before = self.scroll_offset.x
            self.call_after_refresh(self._scroll_to_cursor)
        elif self._scrolled_before is not None:
            self.call_after_refresh(self._scroll_back, self._scrolled_before)
            self._scrolled_before = None

    def _scroll_back(self, x: int) -> None:
        self.scroll_to(x=x, animate=False)
        # Textual leaves both where they were if a wide screen took the offset back by itself.
        self.scroll_target_x = self.horizontal_scrollbar.position = x

    def _scroll_to_cursor(self) -> None:
        columns, room = self.columns, self.scrollable_content_region.width
        index = self._cursor_column if self._cursor_column >= columns.held else columns.first
        if index < len(columns):
            scroll = columns.scroll_to_show(index, self.scroll_offset.x, room)
            self.scroll_to(x=scroll, animate=False)
            self.refresh()

    def _resize(self) -> None:
        self.virtual_size = Size(self.columns.width, self.total + self._head)

    def _follow(self) -> int:
        """Move the cursor to where its row is now, if that is held; return by how many rows."""
        for index, row in enumerate(self._rows, self._start):
            if row.key == self.cursor_key:
                before, self.cursor_index = self.cursor_index, index
                return index - before
        return 0

    def _announce(self) -> None:
        """Note the key of the cursor's row, and tell where the cursor is."""
        row = self.cursor_row
        if row is not None:
            self.cursor_key = row.key
        self.post_message(self.CursorMoved(row, self.cursor_column))

    def _ask(self) -> None:
        """Ask for the rows around those in sight, unless the next page each way is held, so that a
        page is there before the user turns to it."""
        sight, page = self._in_sight(), self._page
        if not sight or not self.is_mounted:
            return
        first, end = max(0, sight.start - page), min(self.total, sight.stop + page)
        if self._start <= first and end <= self._start + len(self._rows):
            return
        if self._wanted != self.window:
            self._wanted = self.window
            self.post_message(self.RowsWanted(*self.window))

    # Painting

    def _refresh_row(self, index: int) -> None:
        y = index - self.scroll_offset.y + self._head
        if y >= self._head:
            self.refresh(Region(0, y, self.size.width, 1))

    def _repaint_changed(self, before: dict[int, TableRow | None]) -> None:
        """Repaint the cells on the screen that differ from those of the rows ``before``."""
        for index in self._in_sight():
            old, new = before.get(index), self._row(index)
            if old is None or new is None or old.marked != new.marked:
                if old is not new:
                    self._refresh_row(index)
                continue
            y = index - self.scroll_offset.y + self._head
            for column, (was, now) in enumerate(zip(old.cells, new.cells, strict=True)):
                start, end = self.columns.on_screen(column, self.scroll_offset.x)
                if was != now and start < end:
                    self.refresh(Region(start, y, end - start, 1))

"""The grid of cells: model × length down, data sets across; choosing among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.binding import Binding
from textual.events import Click, MouseDown, MouseMove, MouseUp
from textual.geometry import Offset
from textual.message import Message

from tui.launch.grid.cells import CellKey, Column, Row
from tui.launch.grid.drawing import GridDrawing
from tui.launch.grid.geometry import HEADER_LINES, Position, Rectangle


class CellGrid(GridDrawing, can_focus=True):
    """Choose cells with keys or mouse. Rows, columns and contents are set from outside."""

    BINDINGS = [  # noqa: RUF012
        Binding("up", "move(0, -1)", show=False),
        Binding("down", "move(0, 1)", show=False),
        Binding("left", "move(-1, 0)", show=False),
        Binding("right", "move(1, 0)", show=False),
        Binding("home", "move(-999, 0)", show=False),
        Binding("end", "move(999, 0)", show=False),
        Binding("pageup", "move(0, -999)", show=False),
        Binding("pagedown", "move(0, 999)", show=False),
        Binding("shift+up", "extend(0, -1)", show=False),
        Binding("shift+down", "extend(0, 1)", show=False),
        Binding("shift+left", "extend(-1, 0)", show=False),
        Binding("shift+right", "extend(1, 0)", show=False),
    ]

    class SelectionChanged(Message):
        """Tell that other cells are ``selected``."""

    class RectangleChanged(Message):
        """Tell that a rectangle was begun, extended or ended: see ``rectangle``."""

    class CursorMoved(Message):
        """Tell that the cursor stands on another cell: see ``cursor_key``."""

    _rectangle: Rectangle | None = None
    _pressed: Position | None = None
    """The cell on which the mouse button was pressed; None while it is up."""
    _dragged = False
    """Whether the mouse has moved to another cell since the button was pressed."""

    # What is chosen

    def set_layout(self, rows: Sequence[Row], columns: Sequence[Column]) -> None:
        """Show other rows and columns; cursor and selection stay where they can."""
        names = [column.dataset for column in columns]
        if tuple(rows) == self._rows and names == [column.dataset for column in self._columns]:
            self.set_columns(columns)
            return
        before = self.cursor_key
        self._rows, self._columns = tuple(rows), tuple(columns)
        keys = {self._key(x, y): (x, y) for y in range(len(rows)) for x in range(len(columns))}
        if before in keys:
            self._x, self._y = keys[before]
        else:
            self._x = min(self._x, max(0, len(columns) - 1))
            self._y = min(self._y, max(0, len(rows) - 1))
        self._measure()
        self.refresh()
        self.select(self.selected & keys.keys())
        if self.cursor_key is not None and self.cursor_key != before:
            self.post_message(self.CursorMoved())

    @property
    def rectangle(self) -> tuple[int, int] | None:
        """How many rows and columns the rectangle has that arrows extend; ``None`` without one."""
        held = self._rectangle is not None and self._rectangle.held
        return self._rectangle.shape(self._cursor) if self._rectangle and held else None

    def select(self, keys: Iterable[CellKey]) -> None:
        """Select these cells and no others."""
        self._end_rectangle()
        self._select(frozenset(keys))

    def _select(self, chosen: frozenset[CellKey]) -> None:
        if chosen == self.selected:
            return
        changed, self.selected = chosen ^ self.selected, chosen
        for line, y in enumerate(self._geometry.lines):
            for x in range(len(self._columns)) if y is not None else ():
                if y is not None and self._key(x, y) in changed:
                    self._refresh_cell(x, line)
        self.post_message(self.SelectionChanged())

    def move_to(self, key: CellKey) -> None:
        """Put the cursor on a cell."""
        for y in range(len(self._rows)):
            for x in range(len(self._columns)):
                if self._key(x, y) == key:
                    self._set_cursor(x, y)

    # What the user does

    def action_move(self, dx: int, dy: int) -> None:
        """Move the cursor, stopping at the edges; a held rectangle follows it."""
        if self._rectangle is not None and not self._rectangle.held:
            self._end_rectangle()
        self._move(dx, dy)

    def action_extend(self, dx: int, dy: int) -> None:
        """Select from where the cursor stood to where it goes, until it moves otherwise."""
        if self.cursor_key is not None:
            if self._rectangle is None:
                self._rectangle = Rectangle(self._cursor, self.selected, held=False)
            self._move(dx, dy)

    def _move(self, dx: int, dy: int) -> None:
        if self._rows and self._columns:
            self._set_cursor(
                min(max(self._x + dx, 0), len(self._columns) - 1),
                min(max(self._y + dy, 0), len(self._rows) - 1),
            )
            self._follow_cursor()

    def toggle(self, what: str) -> None:
        """Select the ``cell``, ``row`` or ``column`` of the cursor, or ``all``; or undo it."""
        xs = range(len(self._columns)) if what in ("row", "all") else (self._x,)
        ys = range(len(self._rows)) if what in ("column", "all") else (self._y,)
        if self._rows and self._columns:
            keys = {self._key(x, y) for x in xs for y in ys}
            self.select(self.selected - keys if keys <= self.selected else self.selected | keys)

    def begin_rectangle(self) -> None:
        """Begin a rectangle at the cursor."""
        if self.cursor_key is not None:
            self._rectangle = Rectangle(self._cursor, self.selected, held=True)
            self._follow_cursor()

    def keep_rectangle(self) -> None:
        """End the rectangle; its cells stay selected."""
        self._end_rectangle()

    def drop_rectangle(self) -> None:
        """End the rectangle, and select what was selected before it."""
        if self._rectangle is not None:
            self.select(self._rectangle.before)

    def on_blur(self) -> None:
        """End the rectangle: the keys go elsewhere."""
        self._end_rectangle()

    def _follow_cursor(self) -> None:
        if self._rectangle is not None:
            cells = {self._key(x, y) for x, y in self._rectangle.positions(self._cursor)}
            self._select(self._rectangle.before | cells)
            self.post_message(self.RectangleChanged())

    def _end_rectangle(self) -> None:
        if self._rectangle is not None:
            self._rectangle = None
            self.post_message(self.RectangleChanged())

    def on_mouse_down(self, event: MouseDown) -> None:
        """Remember where a rectangle may begin."""
        self._dragged = False
        offset = event.get_content_offset(self) if event.button == 1 else None
        self._pressed = self._position_at(offset)
        if self._pressed is not None:
            self.capture_mouse()  # the way may lead outside

    def on_mouse_move(self, event: MouseMove) -> None:
        """With the button down, select from where it was pressed to here."""
        if self._pressed is None or event.button != 1:
            return
        x, y = event.get_content_offset_capture(self) + self.scroll_offset
        position = self._geometry.nearest(x, y)
        if not self._dragged and position != self._pressed:
            self._dragged = True
            self._end_rectangle()
            self._rectangle = Rectangle(self._pressed, self.selected, held=False)
        if self._dragged:
            self._set_cursor(*position)
            self._follow_cursor()

    def on_mouse_up(self, _: MouseUp) -> None:
        """End the rectangle that the mouse drew."""
        if self._pressed is not None:
            self._pressed = None
            self.release_mouse()
        if self._dragged:
            self._end_rectangle()

    def on_click(self, event: Click) -> None:
        """Toggle a cell, or from a header or label a whole column or row."""
        offset = event.get_content_offset(self)
        if self._dragged or offset is None or not self._rows or not self._columns:
            return
        x = self._column_at(offset) if offset.x >= self._geometry.label_width else None
        y = self._row_at(offset) if offset.y >= HEADER_LINES else None
        beside = x is None and offset.x >= self._geometry.label_width
        below = y is None and offset.y >= HEADER_LINES
        if beside or below or (x is None and y is None):
            return
        self._end_rectangle()
        self._set_cursor(self._x if x is None else x, self._y if y is None else y)
        self.toggle("row" if x is None else "column" if y is None else "cell")

    def _column_at(self, offset: Offset) -> int | None:
        return self._geometry.column_at(offset.x + self.scroll_offset.x)

    def _row_at(self, offset: Offset) -> int | None:
        return self._geometry.row_at(offset.y + self.scroll_offset.y)

    def _position_at(self, offset: Offset | None) -> Position | None:
        """Find the cell at an offset in the widget; ``None`` on header, label and gap."""
        if offset is None or offset.x < self._geometry.label_width or offset.y < HEADER_LINES:
            return None
        x, y = self._column_at(offset), self._row_at(offset)
        return None if x is None or y is None else (x, y)

    def _set_cursor(self, x: int, y: int) -> None:
        if (x, y) == self._cursor:
            return
        self._x, self._y = x, y
        self._show_cursor()
        self.refresh()  # the labels of row and column light up too
        self.post_message(self.CursorMoved())

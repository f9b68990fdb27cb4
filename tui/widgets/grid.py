"""The grid of cells: model × length down, data sets across, drawn line by line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.events import Click, MouseDown, MouseMove, MouseUp, Resize
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.states import glyph, rich_style, style_variable
from tui.text import TITLE, plain, shorten
from tui.widgets.grid_cells import CellView, Column, Key, Row, cell_pieces
from tui.widgets.grid_places import (
    HEADER_LINES,
    Place,
    Places,
    Rectangle,
    first_of_model,
    gaps,
    measure,
)

__all__ = ["CellGrid", "CellView", "Column", "Key", "Row"]


class CellGrid(ScrollView, can_focus=True):
    """Choose cells with keys or mouse. Rows, columns and contents are set from outside."""

    COMPONENT_CLASSES = {  # noqa: RUF012
        "grid--label", "grid--title", "grid--selected", "grid--cursor", "grid--selected-cursor",
        "grid--quiet", "grid--current", "grid--mark",
    }  # fmt: skip

    DEFAULT_CSS = """
    CellGrid {
        height: 1fr;
        background: $background;
        color: $foreground;
        scrollbar-size-horizontal: 1;
        scrollbar-size-vertical: 1;
        & > .grid--label { color: $text-muted; }
        & > .grid--title { color: $foreground; }
        & > .grid--quiet { color: $text-disabled; }
        & > .grid--current { color: $foreground; text-style: bold; }
        & > .grid--mark { color: $accent; }
        & > .grid--selected { background: $selection-background; }
        & > .grid--cursor { background: $block-cursor-blurred-background; }
        & > .grid--selected-cursor { background: $selection-cursor-background; }
        &:focus > .grid--cursor { background: $block-cursor-background; text-style: bold; }
        &:focus > .grid--selected-cursor {
            background: $block-cursor-background;
            text-style: bold;
        }
    }
    """

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
    ALLOW_SELECT = False

    class SelectionChanged(Message):
        """Other cells are selected now."""

        def __init__(self, selected: frozenset[Key]) -> None:
            super().__init__()
            self.selected = selected

    class RectangleChanged(Message):
        """A rectangle was begun, extended or ended: see ``rectangle``."""

    class CursorMoved(Message):
        """The cursor stands on another cell."""

        def __init__(self, key: Key) -> None:
            super().__init__()
            self.key = key

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._rows: Sequence[Row] = ()
        self._columns: Sequence[Column] = ()
        self._cells: Mapping[Key, CellView] = {}
        self._selected: frozenset[Key] = frozenset()
        self._x = self._y = 0
        self._places = Places()
        self._measured: Size | None = None
        self._rectangle: Rectangle | None = None
        self._pressed: Place | None = None
        self._dragged = False

    # What it shows

    def set_layout(self, rows: Sequence[Row], columns: Sequence[Column]) -> None:
        """Other rows and columns; cursor and selection stay where they can."""
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
        self.select(self._selected & keys.keys())
        if self.cursor_key is not None and self.cursor_key != before:
            self.post_message(self.CursorMoved(self.cursor_key))

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other notes for the same data sets."""
        if tuple(columns) != self._columns:
            self._columns = tuple(columns)
            self.refresh(Region(0, 0, self.size.width, HEADER_LINES))

    def set_cells(self, cells: Mapping[Key, CellView]) -> None:
        """Contents; a cell that is absent was never run. Repaints those that changed."""
        before, self._cells = self._cells, dict(cells)
        empty = CellView()
        for line, y in enumerate(self._places.lines):
            if y is None:
                continue
            for x in range(len(self._columns)):
                key = self._key(x, y)
                if before.get(key, empty) != self._cells.get(key, empty):
                    self._refresh_cell(x, line)

    @property
    def selected(self) -> frozenset[Key]:
        return self._selected

    @property
    def cursor_key(self) -> Key | None:
        """The cell under the cursor; ``None`` while there are no cells."""
        if not self._rows or not self._columns:
            return None
        return self._key(self._x, self._y)

    @property
    def rectangle(self) -> tuple[int, int] | None:
        """Rows and columns of the rectangle that arrows extend; ``None`` while there is none."""
        held = self._rectangle is not None and self._rectangle.held
        return self._rectangle.shape(self._cursor) if self._rectangle and held else None

    @property
    def full_height(self) -> int:
        """Lines that it needs to show everything, with air and border."""
        return HEADER_LINES + len(self._rows) + gaps(self._rows) + self.gutter.height

    def keys(self) -> list[Key]:
        """All cells, row by row."""
        return [self._key(x, y) for y in range(len(self._rows)) for x in range(len(self._columns))]

    def select(self, keys: Iterable[Key]) -> None:
        """Select these cells and no others."""
        self._end_rectangle()
        self._select(frozenset(keys))

    def _select(self, chosen: frozenset[Key]) -> None:
        if chosen == self._selected:
            return
        changed, self._selected = chosen ^ self._selected, chosen
        for line, y in enumerate(self._places.lines):
            for x in range(len(self._columns)) if y is not None else ():
                if y is not None and self._key(x, y) in changed:
                    self._refresh_cell(x, line)
        self.post_message(self.SelectionChanged(chosen))

    def move_to(self, key: Key) -> None:
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
                self._rectangle = Rectangle(self._cursor, self._selected, held=False)
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
            self.select(self._selected - keys if keys <= self._selected else self._selected | keys)

    def begin_rectangle(self) -> None:
        """Select from here to wherever the cursor goes next."""
        if self.cursor_key is not None:
            self._rectangle = Rectangle(self._cursor, self._selected, held=True)
            self._follow_cursor()

    def keep_rectangle(self) -> None:
        """Its cells stay selected, and the cursor is free again."""
        self._end_rectangle()

    def drop_rectangle(self) -> None:
        """What was selected before it is selected again."""
        if self._rectangle is not None:
            self.select(self._rectangle.before)

    def on_blur(self) -> None:
        """A rectangle ends where the keys go elsewhere."""
        self._end_rectangle()

    def _follow_cursor(self) -> None:
        if self._rectangle is not None:
            cells = {self._key(x, y) for x, y in self._rectangle.places(self._cursor)}
            self._select(self._rectangle.before | cells)
            self.post_message(self.RectangleChanged())

    def _end_rectangle(self) -> None:
        if self._rectangle is not None:
            self._rectangle = None
            self.post_message(self.RectangleChanged())

    def on_mouse_down(self, event: MouseDown) -> None:
        """A rectangle may begin here."""
        self._dragged = False
        offset = event.get_content_offset(self) if event.button == 1 else None
        self._pressed = self._place_at(offset)
        if self._pressed is not None:
            self.capture_mouse()  # the way may lead outside

    def on_mouse_move(self, event: MouseMove) -> None:
        """With the button down, a rectangle follows."""
        if self._pressed is None or event.button != 1:
            return
        x, y = event.get_content_offset_capture(self) + self.scroll_offset
        place = self._places.nearest(x, y)
        if not self._dragged and place != self._pressed:
            self._dragged = True
            self._end_rectangle()
            self._rectangle = Rectangle(self._pressed, self._selected, held=False)
        if self._dragged:
            self._set_cursor(*place)
            self._follow_cursor()

    def on_mouse_up(self, _: MouseUp) -> None:
        """The rectangle is done."""
        if self._pressed is not None:
            self._pressed = None
            self.release_mouse()
        if self._dragged:
            self._end_rectangle()

    def on_click(self, event: Click) -> None:
        """A cell toggles; a column's header or a row's label toggles all of it."""
        offset = event.get_content_offset(self)
        if self._dragged or offset is None or not self._rows or not self._columns:
            return
        x = self._column_at(offset) if offset.x >= self._places.label_width else None
        y = self._row_at(offset) if offset.y >= HEADER_LINES else None
        beside = x is None and offset.x >= self._places.label_width
        below = y is None and offset.y >= HEADER_LINES
        if beside or below or (x is None and y is None):
            return
        self._end_rectangle()
        self._set_cursor(self._x if x is None else x, self._y if y is None else y)
        self.toggle("row" if x is None else "column" if y is None else "cell")

    def _column_at(self, offset: Offset) -> int | None:
        return self._places.column_at(offset.x + self.scroll_offset.x)

    def _row_at(self, offset: Offset) -> int | None:
        return self._places.row_at(offset.y + self.scroll_offset.y)

    def _place_at(self, offset: Offset | None) -> Place | None:
        """The cell at a position; ``None`` on header, label and gap."""
        if offset is None or offset.x < self._places.label_width or offset.y < HEADER_LINES:
            return None
        x, y = self._column_at(offset), self._row_at(offset)
        return None if x is None or y is None else (x, y)

    def _set_cursor(self, x: int, y: int) -> None:
        if (x, y) == self._cursor:
            return
        self._x, self._y = x, y
        self._show_cursor()
        self.refresh()  # the labels of row and column light up too
        self.post_message(self.CursorMoved(self._key(x, y)))

    # Where things are

    @property
    def _cursor(self) -> Place:
        return self._x, self._y

    def _key(self, x: int, y: int) -> Key:
        row = self._rows[y]
        return row.model, self._columns[x].dataset, row.length

    def on_resize(self, _: Resize) -> None:
        """Fit into the new size."""
        self._fit()

    def _fit(self) -> None:
        if self.scrollable_content_region.size != self._measured:
            self._measure()
            self.refresh()
            self.call_after_refresh(self._show_cursor)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw; a size that came without a `Resize` (the scrollbars', say) is fitted to next."""
        if self.scrollable_content_region.size != self._measured:
            self.call_later(self._fit)
        return super().render_lines(crop)

    def _measure(self) -> None:
        self._measured = self.scrollable_content_region.size
        self._places = measure(self._rows, len(self._columns), self._measured)
        self.virtual_size = self._places.size

    def _show_cursor(self) -> None:
        if self._y not in self._places.lines:
            return
        line = self._places.lines.index(self._y)
        room_x = self.scrollable_content_region.width - self._places.label_width
        room_y = self.scrollable_content_region.height - HEADER_LINES
        left, top = self._x * self._places.column_width, line
        scroll_x, scroll_y = self.scroll_offset
        scroll_x = min(left, max(scroll_x, left + self._places.column_width - room_x))
        scroll_y = min(top, max(scroll_y, top + 1 - room_y))
        if (scroll_x, scroll_y) != tuple(self.scroll_offset):
            self.scroll_to(scroll_x, scroll_y, animate=False)

    def _refresh_cell(self, x: int, line: int) -> None:
        left = self._places.label_width + x * self._places.column_width - self.scroll_offset.x
        top = HEADER_LINES + line - self.scroll_offset.y
        if top >= HEADER_LINES:
            self.refresh(Region(left, top, self._places.column_width, 1))

    # Drawing

    def render_line(self, y: int) -> Strip:
        """The first lines stay while the body scrolls under them, as do the row labels."""
        width = self.scrollable_content_region.width
        base = self.rich_style
        if y < HEADER_LINES:
            label, body = (
                Strip([Segment(" " * self._places.label_width, base)]),
                self._header_line(y),
            )
        else:
            line = y - HEADER_LINES + self.scroll_offset.y
            row = self._places.lines[line] if line < len(self._places.lines) else None
            if row is None:
                return Strip.blank(width, base)
            label, body = self._label(row), self._body_line(row)
        start = self.scroll_offset.x
        body = body.crop_extend(start, start + max(0, width - self._places.label_width), base)
        return Strip.join([label, body]).crop_extend(0, width, base)

    def _header_line(self, y: int) -> Strip:
        segments = []
        for x, column in enumerate(self._columns):
            if y == 0:
                name = "grid--current" if x == self._x else "grid--title"
                style, text = self._look(name), plain(column.dataset, TITLE)
            else:
                style = self.rich_style + rich_style(self.app, column.note_style)
                text = plain(column.note, TITLE)
            segments.append(Segment(self._cut("  " + text), style))
        return Strip(segments)

    def _label(self, y: int) -> Strip:
        row = self._rows[y]
        first = first_of_model(self._rows, y) or y == self._first_shown()
        current = y == self._y
        length = f"{row.length}  "
        room = self._places.label_width - len(length) - 1
        title = set_cell_size(shorten(plain(row.title, TITLE), room), room) if first else " " * room
        return Strip(
            [
                Segment(" " + title, self._look("grid--current" if current else "grid--title")),
                Segment(length, self._look("grid--current" if current else "grid--label")),
            ]
        )

    def _first_shown(self) -> int | None:
        shown = self._places.lines[self.scroll_offset.y :]
        return next((y for y in shown if y is not None), None)

    def _body_line(self, y: int) -> Strip:
        segments: list[Segment] = []
        for x in range(len(self._columns)):
            segments += self._cell(x, y)
        return Strip(segments)

    def _cell(self, x: int, y: int) -> list[Segment]:
        key = self._key(x, y)
        ground = self.rich_style + self._ground(key in self._selected, (x, y) == self._cursor)
        view = self._cells.get(key, CellView())
        room = self._places.column_width - 6
        pieces = cell_pieces(view, room)
        rest = room - sum(cell_len(text) for text, _ in pieces) + 1
        mark = "▌" if key in self._selected else " "
        return [
            Segment(mark, ground + Style(color=self._look("grid--mark").color)),
            Segment(f" {glyph(view.state)} ", ground + self._color(style_variable(view.state))),
            *(Segment(t, ground + self._color(style) if style else ground) for t, style in pieces),
            Segment(" " * rest, ground),
            Segment(" ", self.rich_style),
        ]

    def _ground(self, chosen: bool, here: bool) -> Style:
        if chosen and here:
            return self._look("grid--selected-cursor")
        if chosen or here:
            return self._look("grid--selected" if chosen else "grid--cursor")
        return Style()

    def _color(self, variable: str) -> Style:
        return Style(color=rich_style(self.app, variable).color)

    def _cut(self, text: str) -> str:
        return set_cell_size(
            shorten(text, self._places.column_width - 1), self._places.column_width
        )

    def _look(self, name: str) -> Style:
        return self.get_component_rich_style(name)

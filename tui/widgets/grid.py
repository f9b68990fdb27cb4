"""The grid of cells: model × length down, data sets across, drawn line by line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.states import NEVER, glyph, rich_style, style_variable
from tui.text import TITLE, plain, shorten

Key = tuple[str, str, int]
"""Model, data set, length."""

HEADER_LINES = 2
NARROWEST, WIDEST = 12, 24


@dataclass(frozen=True, slots=True)
class Row:
    model: str
    title: str
    length: int


@dataclass(frozen=True, slots=True)
class Column:
    dataset: str
    note: str = ""
    """Second header line: whether the data is there."""
    note_style: str = "$text-muted"


@dataclass(frozen=True, slots=True)
class CellView:
    """What a cell shows."""

    state: str = NEVER
    text: str = ""


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
    ]

    class SelectionChanged(Message):
        """Other cells are selected now."""

        def __init__(self, selected: frozenset[Key]) -> None:
            super().__init__()
            self.selected = selected

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
        self._lines: list[int | None] = []  # row of each line of the body; None is a gap
        self._measured: Size | None = None
        self._label_width = 10
        self._column_width = NARROWEST

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
        for line, y in enumerate(self._lines):
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
    def full_height(self) -> int:
        """Lines that it needs to show everything, with air and border."""
        gaps = sum(self._first_of_model(y) for y in range(1, len(self._rows)))
        return HEADER_LINES + len(self._rows) + gaps + self.gutter.height

    def keys(self) -> list[Key]:
        """All cells, row by row."""
        return [self._key(x, y) for y in range(len(self._rows)) for x in range(len(self._columns))]

    def select(self, keys: Iterable[Key]) -> None:
        """Select these cells and no others."""
        chosen = frozenset(keys)
        if chosen == self._selected:
            return
        changed, self._selected = chosen ^ self._selected, chosen
        for line, y in enumerate(self._lines):
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
        """Move the cursor, stopping at the edges."""
        if self._rows and self._columns:
            self._set_cursor(
                min(max(self._x + dx, 0), len(self._columns) - 1),
                min(max(self._y + dy, 0), len(self._rows) - 1),
            )

    def toggle(self, what: str) -> None:
        """Select the ``cell``, ``row`` or ``column`` of the cursor, or ``all``; or undo it."""
        xs = range(len(self._columns)) if what in ("row", "all") else (self._x,)
        ys = range(len(self._rows)) if what in ("column", "all") else (self._y,)
        if self._rows and self._columns:
            keys = {self._key(x, y) for x in xs for y in ys}
            self.select(self._selected - keys if keys <= self._selected else self._selected | keys)

    def on_click(self, event: Click) -> None:
        """A cell toggles; a column's header or a row's label toggles all of it."""
        offset = event.get_content_offset(self)
        if offset is None or not self._rows or not self._columns:
            return
        x = y = None
        if offset.x >= self._label_width:
            x = (offset.x - self._label_width + self.scroll_offset.x) // self._column_width
            if x >= len(self._columns):
                return
        if offset.y >= HEADER_LINES:
            line = offset.y - HEADER_LINES + self.scroll_offset.y
            y = self._lines[line] if line < len(self._lines) else None
            if y is None:
                return
        if x is None and y is None:
            return
        self._set_cursor(self._x if x is None else x, self._y if y is None else y)
        self.toggle("row" if x is None else "column" if y is None else "cell")

    def _set_cursor(self, x: int, y: int) -> None:
        if (x, y) == (self._x, self._y):
            return
        self._x, self._y = x, y
        self._show_cursor()
        self.refresh()  # the labels of row and column light up too
        self.post_message(self.CursorMoved(self._key(x, y)))

    # Where things are

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
        """Columns share the width; models get air between them where there is room."""
        self._measured = self.scrollable_content_region.size
        lengths = [len(str(row.length)) for row in self._rows] or [3]
        titles = [cell_len(plain(row.title, TITLE)) for row in self._rows] or [6]
        width, height = self._measured
        self._label_width = min(max(titles) + max(lengths) + 4, max(8, width // 2))
        share = (width - self._label_width) // max(1, len(self._columns))
        self._column_width = min(max(share, NARROWEST), WIDEST)
        firsts = {y for y in range(1, len(self._rows)) if self._first_of_model(y)}
        airy = HEADER_LINES + len(self._rows) + len(firsts) <= height
        self._lines = []
        for y in range(len(self._rows)):
            if airy and y in firsts:
                self._lines.append(None)
            self._lines.append(y)
        self.virtual_size = Size(
            self._label_width + self._column_width * len(self._columns),
            HEADER_LINES + len(self._lines),
        )

    def _first_of_model(self, y: int) -> bool:
        return y == 0 or self._rows[y].model != self._rows[y - 1].model

    def _show_cursor(self) -> None:
        if self._y not in self._lines:
            return
        line = self._lines.index(self._y)
        room_x = self.scrollable_content_region.width - self._label_width
        room_y = self.scrollable_content_region.height - HEADER_LINES
        left, top = self._x * self._column_width, line
        scroll_x, scroll_y = self.scroll_offset
        scroll_x = min(left, max(scroll_x, left + self._column_width - room_x))
        scroll_y = min(top, max(scroll_y, top + 1 - room_y))
        if (scroll_x, scroll_y) != tuple(self.scroll_offset):
            self.scroll_to(scroll_x, scroll_y, animate=False)

    def _refresh_cell(self, x: int, line: int) -> None:
        left = self._label_width + x * self._column_width - self.scroll_offset.x
        top = HEADER_LINES + line - self.scroll_offset.y
        if top >= HEADER_LINES:
            self.refresh(Region(left, top, self._column_width, 1))

    # Drawing

    def render_line(self, y: int) -> Strip:
        """The first lines stay while the body scrolls under them, as do the row labels."""
        width = self.scrollable_content_region.width
        base = self.rich_style
        if y < HEADER_LINES:
            label, body = Strip([Segment(" " * self._label_width, base)]), self._header_line(y)
        else:
            line = y - HEADER_LINES + self.scroll_offset.y
            row = self._lines[line] if line < len(self._lines) else None
            if row is None:
                return Strip.blank(width, base)
            label, body = self._label(row), self._body_line(row)
        start = self.scroll_offset.x
        body = body.crop_extend(start, start + max(0, width - self._label_width), base)
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
        first = y == 0 or self._first_of_model(y) or y == self._first_shown()
        current = y == self._y
        length = f"{row.length}  "
        room = self._label_width - len(length) - 1
        title = set_cell_size(shorten(plain(row.title, TITLE), room), room) if first else " " * room
        return Strip(
            [
                Segment(" " + title, self._look("grid--current" if current else "grid--title")),
                Segment(length, self._look("grid--current" if current else "grid--label")),
            ]
        )

    def _first_shown(self) -> int | None:
        shown = self._lines[self.scroll_offset.y :]
        return next((y for y in shown if y is not None), None)

    def _body_line(self, y: int) -> Strip:
        segments: list[Segment] = []
        for x in range(len(self._columns)):
            key = self._key(x, y)
            chosen, here = key in self._selected, (x, y) == (self._x, self._y)
            style = self.rich_style
            if chosen and here:
                style += self._look("grid--selected-cursor")
            elif chosen:
                style += self._look("grid--selected")
            elif here:
                style += self._look("grid--cursor")
            cell = self._cells.get(key, CellView())
            colour = Style(color=rich_style(self.app, style_variable(cell.state)).color)
            mark = "▌" if chosen else " "
            segments += [
                Segment(mark, style + Style(color=self._look("grid--mark").color)),
                Segment(f" {glyph(cell.state)} ", style + colour),
                Segment(
                    set_cell_size(plain(cell.text, TITLE), self._column_width - 6) + " ", style
                ),
                Segment(" ", self.rich_style),
            ]
        return Strip(segments)

    def _cut(self, text: str) -> str:
        return set_cell_size(shorten(text, self._column_width - 1), self._column_width)

    def _look(self, name: str) -> Style:
        return self.get_component_rich_style(name)

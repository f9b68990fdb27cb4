"""How the grid of cells is drawn, line by line: header and labels stay while the body scrolls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.launch.grid.cells import CellKey, CellView, Column, Row, cell_pieces
from tui.launch.grid.geometry import HEADER_LINES, Geometry, Position, first_of_model, gaps, measure
from tui.shell.states import glyph, rich_style, style_variable
from tui.shell.text import TITLE, plain, shorten
from tui.widgets.lines import line_length


class GridDrawing(ScrollView):
    """Draws rows, columns and cells; `tui.launch.grid.grid.CellGrid` lets the user choose."""

    COMPONENT_CLASSES = {  # noqa: RUF012
        "grid--label", "grid--title", "grid--selected", "grid--cursor", "grid--selected-cursor",
        "grid--quiet", "grid--current", "grid--mark",
    }  # fmt: skip

    DEFAULT_CSS = """
    GridDrawing {
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

    ALLOW_SELECT = False

    class Measured(Message):
        """Tell that the size has changed."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._rows: Sequence[Row] = ()
        self._columns: Sequence[Column] = ()
        self._cells: Mapping[CellKey, CellView] = {}
        self.selected: frozenset[CellKey] = frozenset()
        """Cells that are selected; changed by `CellGrid.select`."""
        self._x = self._y = 0
        self._geometry = Geometry()
        self._measured: Size | None = None
        self._base = Style()
        """The background style, computed once for all lines of a frame."""

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Show other notes under the same data sets."""
        if tuple(columns) != self._columns:
            self._columns = tuple(columns)
            self.refresh(Region(0, 0, self.size.width, HEADER_LINES))

    def set_cells(self, cells: Mapping[CellKey, CellView]) -> None:
        """Show other contents, and repaint what changed; a cell that is absent was never run."""
        before, self._cells = self._cells, dict(cells)
        empty = CellView()
        for line, y in enumerate(self._geometry.lines):
            if y is None:
                continue
            for x in range(len(self._columns)):
                key = self._key(x, y)
                if before.get(key, empty) != self._cells.get(key, empty):
                    self._refresh_cell(x, line)

    @property
    def cursor_key(self) -> CellKey | None:
        """The cell under the cursor; ``None`` while there are no cells."""
        if not self._rows or not self._columns:
            return None
        return self._key(self._x, self._y)

    @property
    def rows_and_columns(self) -> tuple[Sequence[Row], Sequence[Column]]:
        """What is shown of models and data sets."""
        return self._rows, self._columns

    @property
    def full_height(self) -> int:
        """Lines that the grid needs to show everything, with gaps and border."""
        return HEADER_LINES + len(self._rows) + gaps(self._rows) + self.gutter.height

    def keys(self) -> list[CellKey]:
        """All cells, row by row."""
        return [self._key(x, y) for y in range(len(self._rows)) for x in range(len(self._columns))]

    # Where things are

    @property
    def _cursor(self) -> Position:
        return self._x, self._y

    def _key(self, x: int, y: int) -> CellKey:
        row = self._rows[y]
        return row.model, self._columns[x].dataset, row.length

    def on_resize(self, _: Resize) -> None:
        """Fit the columns into the new size."""
        self._fit()

    def _fit(self) -> None:
        if self.scrollable_content_region.size != self._measured:
            self._measure()
            self.refresh()
            self.call_after_refresh(self._show_cursor)
            self.post_message(self.Measured())

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw lines; fit to a size that came without a `Resize`, such as the scrollbars'."""
        if self.scrollable_content_region.size != self._measured:
            self.call_later(self._fit)
        self._base = self.rich_style
        return super().render_lines(crop)

    def _measure(self) -> None:
        self._measured = self.scrollable_content_region.size
        datasets = [column.dataset for column in self._columns]
        self._geometry = measure(self._rows, datasets, self._measured)
        self.virtual_size = self._geometry.size

    def _show_cursor(self) -> None:
        if self._y not in self._geometry.lines:
            return
        line = self._geometry.lines.index(self._y)
        room_x = self.scrollable_content_region.width - self._geometry.label_width
        room_y = self.scrollable_content_region.height - HEADER_LINES
        left, top = self._x * self._geometry.column_width, line
        scroll_x, scroll_y = self.scroll_offset
        scroll_x = min(left, max(scroll_x, left + self._geometry.column_width - room_x))
        scroll_y = min(top, max(scroll_y, top + 1 - room_y))
        if (scroll_x, scroll_y) != tuple(self.scroll_offset):
            self.scroll_to(scroll_x, scroll_y, animate=False)

    def _refresh_cell(self, x: int, line: int) -> None:
        left = self._geometry.label_width + x * self._geometry.column_width - self.scroll_offset.x
        top = HEADER_LINES + line - self.scroll_offset.y
        if top >= HEADER_LINES:
            self.refresh(Region(left, top, self._geometry.column_width, 1))

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Draw a line; header and row labels stay while the body scrolls."""
        width = self.scrollable_content_region.width
        base = self._base
        if y < HEADER_LINES:
            label, body = (
                Strip([Segment(" " * self._geometry.label_width, base)]),
                self._header_line(y),
            )
        else:
            line = y - HEADER_LINES + self.scroll_offset.y
            row = self._geometry.lines[line] if line < len(self._geometry.lines) else None
            if row is None:
                return Strip.blank(width, base)
            label, body = self._label(row), self._body_line(row)
        start = self.scroll_offset.x
        body = body.crop_extend(start, start + max(0, width - self._geometry.label_width), base)
        return Strip.join([label, body]).crop_extend(0, width, base)

    def _header_line(self, y: int) -> Strip:
        segments = []
        for x, column in enumerate(self._columns):
            if y == 0:
                name = "grid--current" if x == self._x else "grid--title"
                style, text = self._look(name), plain(column.dataset, TITLE)
            else:
                style = self._base + rich_style(self.app, column.note_style)
                text = plain(column.note, TITLE)
            segments.append(Segment(self._cut("  " + text), style))
        return Strip(segments)

    def _label(self, y: int) -> Strip:
        row = self._rows[y]
        first = first_of_model(self._rows, y) or y == self._first_shown()
        current = y == self._y
        length = f"{row.length} "
        room = self._geometry.label_width - len(length) - 1
        title = shorten(plain(row.title, TITLE), room - 1) if first else ""
        return Strip(
            [
                Segment(
                    " " + set_cell_size(title, room),
                    self._look("grid--current" if current else "grid--title"),
                ),
                Segment(length, self._look("grid--current" if current else "grid--label")),
            ]
        )

    def _first_shown(self) -> int | None:
        shown = self._geometry.lines[self.scroll_offset.y :]
        return next((y for y in shown if y is not None), None)

    def _body_line(self, y: int) -> Strip:
        segments: list[Segment] = []
        for x in range(len(self._columns)):
            segments += self._cell(x, y)
        return Strip(segments)

    def _cell(self, x: int, y: int) -> list[Segment]:
        key = self._key(x, y)
        ground = self._base + self._ground(key in self.selected, (x, y) == self._cursor)
        view = self._cells.get(key, CellView())
        room = self._geometry.column_width - 5
        seen = min(room, max(room + 1 - self._beyond(x), 2))  # half a number is another one
        pieces = cell_pieces(view, seen if view.sign else seen - 1)  # a sign is narrow enough
        rest = room - line_length(pieces)
        mark = "▌" if key in self.selected else " "
        return [
            Segment(mark, ground + Style(color=self._look("grid--mark").color)),
            Segment(f" {glyph(view.state)} ", ground + self._color(style_variable(view.state))),
            *(Segment(t, ground + self._color(style) if style else ground) for t, style in pieces),
            Segment(" " * rest, ground),
            Segment(" ", self._base),
        ]

    def _beyond(self, x: int) -> int:
        """Count the terminal cells of a column that are out of sight at the right."""
        end = self._geometry.label_width + (x + 1) * self._geometry.column_width
        return end - self.scroll_offset.x - self.scrollable_content_region.width

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
            shorten(text, self._geometry.column_width - 1), self._geometry.column_width
        )

    def _look(self, name: str) -> Style:
        return self.get_component_rich_style(name)

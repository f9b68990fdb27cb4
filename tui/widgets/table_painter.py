"""Drawing a table, line by line, in the styles of its style sheet."""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui.shell.states import rich_style
from tui.widgets.table_cells import Columns, TableColumn, TableRow, column_text, in_sight

HEADER = 2
"""Lines of the header."""

COMPONENTS = {
    "table--header",
    "table--header-cursor",
    "table--header-sorted",
    "table--cursor-row",
    "table--cursor",
    "table--muted",
    "table--best",
    "table--strong",
    "table--mark",
    "table--rule",
}
"""Component classes of a table, which its styles are of."""

STYLES = """
PagedTable {
    overflow: auto auto;
    scrollbar-size: 1 1;
    background: $background;
    color: $foreground;
    & > .table--header { background: $surface; color: $text-muted; }
    & > .table--header-cursor { background: $surface; color: $foreground; text-style: bold; }
    & > .table--header-sorted { background: $surface; color: $accent; text-style: bold; }
    & > .table--cursor-row { background: $block-cursor-blurred-background; }
    & > .table--cursor {
        background: $block-cursor-blurred-background;
        text-style: underline;
    }
    & > .table--muted { color: $text-muted; }
    & > .table--best { color: $success; text-style: bold; }
    & > .table--strong { text-style: bold; }
    & > .table--mark { color: $accent; text-style: bold; }
    & > .table--rule { color: $border-blurred; }
    &:focus > .table--cursor {
        background: $block-cursor-background;
        color: $block-cursor-foreground;
        text-style: bold;
    }
}
"""
"""The styles of a table and its components, as Textual's style sheets are written."""

_PARTIAL = {"muted", "best", "strong", "rule", "mark"}
"""Components that colour the text and leave the ground as it is."""


class TablePainter:
    """Draws the lines of a table with a widget's components ``table--…``, whose Rich styles are
    kept until the style sheet changes.

    A line is as wide as the widget without its scroll bar, its columns scrolled by ``scroll``
    terminal cells. ``cursor`` is the number of the column that is drawn as the cursor's, None for
    no cursor on the line.
    """

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._known: dict[tuple[str, ...], Style] = {}

    @property
    def _width(self) -> int:
        return self._widget.scrollable_content_region.width

    def forget_styles(self) -> None:
        """Look the styles up again, as the style sheet or the theme changed."""
        self._known.clear()

    def empty_line(self) -> Strip:
        """Draw a line below the last row."""
        return Strip.blank(self._width, self._style("row"))

    def header_line(
        self, y: int, columns: Columns, scroll: int, cursor: int | None, sort: tuple[str, bool]
    ) -> Strip:
        """Draw line ``y`` of the header; ``sort`` is the key of the column that the rows are sorted
        by, and whether they descend."""
        key, descending = sort

        def part(number: int, column: TableColumn) -> tuple[str, Style]:
            text = column_text(column.heading[y], column)
            if column.key == key:
                if y == HEADER - 1:
                    text = text[:-1] + ("↓" if descending else "↑")
                return text, self._style("header-sorted")
            return text, self._style("header-cursor" if number == cursor else "header")

        return self._line(columns, scroll, part, self._style("header"))

    def row_line(
        self, row: TableRow | None, columns: Columns, scroll: int, cursor: int | None
    ) -> Strip:
        """Draw a row; in place of one that isn't held yet, an ellipsis."""
        ground = self._style("row") if cursor is None else self._style("row", "cursor-row")
        if row is None:
            waiting = Segment(" …", ground + self._style("muted"))
            return Strip([waiting]).extend_cell_length(self._width, ground)

        def part(number: int, column: TableColumn) -> tuple[str, Style]:
            cell = row.cells[number]
            style = ground + self._tone(cell.tone) if cell.tone else ground
            if number == cursor:
                style += self._style("cursor")
            return column_text(cell.text, column), style

        line = self._line(columns, scroll, part, ground)
        if not row.marked:
            return line
        # A bar in place of the blank at the left edge can be seen without colours.
        bar = Segment("▌", ground + self._style("mark"))
        return Strip.join([Strip([bar], 1), line.crop(1)])

    def _line(
        self,
        columns: Columns,
        scroll: int,
        part: Callable[[int, TableColumn], tuple[str, Style]],
        ground: Style,
    ) -> Strip:
        """Draw the fixed columns, a rule, and the part of the other columns that is scrolled to;
        ``part`` gives a column's text, ``column.span`` cells wide, and its style."""
        width = self._width
        rule = Segment("│", ground + self._style("rule"))
        segments: list[Segment] = []
        filled = 0
        for number, first, end in columns.shown(scroll, width):
            column = columns.all[number]
            if number >= columns.held and filled < columns.fixed:
                segments.append(rule)
                filled = columns.fixed
            text, style = part(number, column)
            if end - first < column.span:
                text = in_sight(text, first, end)
            segments.append(Segment(text, style))
            filled += end - first
        if filled < min(columns.fixed, width):
            segments.append(rule)
            filled = columns.fixed
        if filled < width:
            segments.append(Segment(" " * (width - filled), ground))
        return Strip(segments, width)

    def _style(self, *names: str) -> Style:
        """Lay components over each other; ``row`` is the widget itself."""
        found = self._known.get(names)
        if found is None:
            found = Style.null()
            for name in names:
                found += self._component(name)
            self._known[names] = found
        return found

    def _tone(self, tone: str) -> Style:
        """Look up the style of a cell's tone: a component, or a state of a run."""
        if not tone.startswith("state-"):
            return self._style(tone)
        if (tone,) not in self._known:
            self._known[tone,] = rich_style(self._widget.app, tone)
        return self._known[tone,]

    def _component(self, name: str) -> Style:
        if name == "row":
            return self._widget.rich_style
        return self._widget.get_component_rich_style(f"table--{name}", partial=name in _PARTIAL)

"""Charts that stand together: as many as there is room for, and their axes below each other."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from tui.charts.braille.chart import Chart

CHART_WIDTH, CHART_HEIGHT = 36, 7
"""Cells that a chart needs at least beside others."""

GOOD_HEIGHT = 11
"""Rows that a chart has where more than two stand below each other."""

MOST_COLUMNS = 3


class ChartGrid(Container):
    """Shows some of its charts, in as many rows and columns as they fill best."""

    DEFAULT_CSS = """
    ChartGrid {
        layout: grid;
        grid-gutter: 0 1;
        height: 1fr;

        Chart { display: none; }
        Chart.-shown { display: block; }
    }
    """

    def __init__(self, charts: Sequence[Chart]) -> None:
        super().__init__(id="grid")
        self._charts = charts
        self._shown: Sequence[int] = ()
        self._arranged: tuple[int, ...] = ()
        """Columns, and the charts that fill them."""

    def compose(self) -> ComposeResult:
        yield from self._charts

    @property
    def room(self) -> int:
        """How many charts there is room for."""
        height = self.size.height
        return self._columns * max(1, min(2, height // CHART_HEIGHT), height // GOOD_HEIGHT)

    @property
    def _columns(self) -> int:
        return max(1, min(MOST_COLUMNS, self.size.width // CHART_WIDTH))

    def show(self, shown: Sequence[int]) -> None:
        """Show the charts with these indexes, one or more."""
        self._shown = shown
        rows = -(-len(shown) // self._columns)
        columns = -(-len(shown) // rows)
        for index, chart in enumerate(self._charts):
            chart.set_class(index in shown, "-shown")
        if (columns, *shown) != self._arranged:
            self._arranged = columns, *shown
            self.styles.grid_size_rows, self.styles.grid_size_columns = rows, columns
            self.styles.grid_rows = "3fr" + " 2fr" * (rows - 1)
            for index in shown:
                self._charts[index].styles.column_span = 1
            # The last one has the rest of its row.
            self._charts[max(shown)].styles.column_span = 1 + rows * columns - len(shown)
        self.align()

    @on(Chart.Drawn)
    def align(self) -> None:
        """Let the curves of all charts that are shown begin in the same column of theirs."""
        shown = [self._charts[index] for index in self._shown]
        widest = max((chart.label_width for chart in shown), default=0)
        for chart in shown:
            chart.align(widest)

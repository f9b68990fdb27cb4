"""What screens with charts have in common."""

from __future__ import annotations

from dataclasses import replace

from textual import getters, on
from textual.events import ScreenResume

from tui.charts.overlay import OverlayScreen
from tui.charts.run_charts import RunCharts
from tui.lab import Lab
from tui.widgets.ground import FullScreen

SMALL_HEIGHT = 30
"""Rows of the terminal below which one chart is shown at a time."""

SMALL_WIDTH = 100
"""Columns of the terminal below which one chart is shown at a time."""


class ChartedScreen(FullScreen):
    """A screen that holds one `RunCharts`. Keys in `tui.charts.keys`."""

    app: Lab
    charts = getters.query_one(RunCharts)

    @on(ScreenResume)
    def _take_look(self) -> None:
        """Take the look of the run that another screen has set."""
        self.charts.take_look()

    def fit_charts(self) -> None:
        """Show all charts, or in a small terminal one at a time."""
        single = self.size.height < SMALL_HEIGHT or self.size.width < SMALL_WIDTH
        self.charts.fit(single=single)

    def action_next_chart(self) -> None:
        """Show the next chart alone, or all again."""
        self.charts.next_chart()

    def action_smooth(self) -> None:
        """Take the next smoothing."""
        self.charts.look(self.charts.view.smoother())

    def action_toggle_log(self) -> None:
        """Change between a logarithmic y axis and a linear one."""
        view = self.charts.view
        self.charts.look(replace(view, log=not view.log))

    def action_next_unit(self) -> None:
        """Take the next of epochs, steps and time on x."""
        self.charts.look(self.charts.view.next_unit(self.charts.longest()))

    def action_zoom(self, factor: float) -> None:
        """Zoom in or out."""
        self.charts.zoom(factor)

    def action_show_whole(self) -> None:
        """Show all of x."""
        self.charts.show_whole()

    def action_move_cursor(self, cells: int) -> None:
        """Move the cursor by cells."""
        self.charts.move_cursor(cells)

    def action_overlay(self) -> None:
        """Choose the runs to overlay."""
        charts = self.charts
        if charts.main is not None:
            chooser = OverlayScreen(charts.main.run_id, charts.overlay)
            self.app.push_screen(chooser, self._laid_over)

    def _laid_over(self, run_ids: tuple[str, ...] | None) -> None:
        if run_ids is not None:
            self.charts.lay_over(run_ids)

    def action_open_chart(self) -> None:
        """Show one chart on the whole screen."""
        charts = self.charts
        if charts.main is not None:
            self.app.open_chart(charts.main.run_id, charts.chart_shown)

    def action_replay(self) -> None:
        """Replay the run."""
        charts = self.charts
        if charts.main is None:
            return
        run = charts.main.run
        if run is None or run.started is None:
            self.notify("Nothing to replay: the run hasn't started.", timeout=4)
        else:
            self.app.open_replay(run.id)

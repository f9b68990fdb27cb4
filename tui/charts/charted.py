"""What every screen with charts does with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message
from textual.screen import Screen

from tui.charts.run_charts import RunCharts
from tui.messages import ReplayWanted

if TYPE_CHECKING:
    from tui.charts.view import View
    from tui.lab import Lab


@dataclass
class ChartWanted(Message):
    """Ask the app to show one chart of a run on the whole screen."""

    run_id: str
    chart: str
    view: View
    overlay: Sequence[str]


class ChartedScreen(Screen[None]):
    """A screen that holds one `RunCharts`. Keys in `tui.charts.keys`."""

    app: Lab

    @property
    def charts(self) -> RunCharts:
        return self.query_one(RunCharts)

    def action_smooth(self) -> None:
        """The next smoothing."""
        self.charts.smooth()

    def action_toggle_log(self) -> None:
        """A logarithmic y axis, or a linear one."""
        self.charts.toggle_log()

    def action_next_unit(self) -> None:
        """Epochs, steps or time on x."""
        self.charts.next_unit()

    def action_zoom(self, factor: float) -> None:
        """Nearer, or less near."""
        self.charts.zoom(factor)

    def action_show_whole(self) -> None:
        """All of x."""
        self.charts.show_whole()

    def action_move_cursor(self, cells: int) -> None:
        """The cursor so many cells on."""
        self.charts.move_cursor(cells)

    def action_overlay(self) -> None:
        """Choose what is laid over the run."""
        from tui.charts.overlay import OverlayScreen

        charts = self.charts
        if charts.main is not None:
            chooser = OverlayScreen(charts.main.run_id, charts.overlay)
            self.app.push_screen(chooser, self._laid_over)

    def _laid_over(self, run_ids: tuple[str, ...] | None) -> None:
        if run_ids is not None:
            self.charts.lay_over(run_ids)

    def action_open_chart(self) -> None:
        """One chart on the whole screen."""
        charts = self.charts
        if charts.main is not None:
            run_id, view, overlay = charts.main.run_id, charts.view, charts.overlay
            self.post_message(ChartWanted(run_id, charts.chart_shown, view, overlay))

    def action_replay(self) -> None:
        """Go through the run again."""
        charts = self.charts
        if charts.main is None:
            return
        run = charts.main.run
        if run is None or run.started is None:
            self.notify("There is nothing to replay: the run has not started.", timeout=4)
        else:
            self.post_message(ReplayWanted(run.id, charts.overlay))

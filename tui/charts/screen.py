"""One chart on the whole screen."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from tui.charts.charted import ChartedScreen
from tui.charts.keys import CHARTS
from tui.charts.run_charts import ALL_CHARTS, RunCharts
from tui.messages import StoreChanged
from tui.shell.bindings import bindings_for
from tui.shell.keys import UNDO
from tui.shell.states import glyph, style_variable
from tui.shell.text import ABSENT, number, run_label
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar


class ChartScreen(ChartedScreen):
    """A run's charts, one at a time, with all that can be done with them.

    Args:
        run_id: The run.
        chart: Id of the chart to begin with.
    """

    AREA = "chart"
    CSS_PATH = "screen.tcss"
    BINDINGS = bindings_for("chart", (*CHARTS, UNDO))  # type: ignore[assignment]

    def __init__(self, run_id: str, chart: str) -> None:
        super().__init__()
        self._run_id = run_id
        self._index = ALL_CHARTS.index(chart)

    def compose(self) -> ComposeResult:
        yield Header(self.app.current_mode or "live")
        yield Static(id="heading", markup=False)
        yield RunCharts(large=True, id="charts")
        yield KeyBar()

    def on_mount(self) -> None:
        charts = self.charts
        charts.follow(self._run_id)
        charts.fit(single=True)
        charts.show_alone(self._index)

    @on(StoreChanged)
    def _store_changed(self) -> None:
        self.charts.refresh_from_store()

    @on(RunCharts.Changed)
    def _changed(self) -> None:
        main = self.charts.main
        run = main.run if main is not None else None
        if run is None:
            return
        parts = [
            (f"{glyph(run.state)} {run.state}", style_variable(run.state)),
            ("   ", ""),
            (run_label(run), "bold"),
            (f"   epoch {run.epoch or 0}/{run.epochs or ABSENT}", "$text-muted"),
        ]
        if run.best_valid_ndcg is not None:
            best = f"   best valid NDCG {number(run.best_valid_ndcg)} at epoch {run.best_epoch}"
            parts.append((best, "$text-muted"))
        self.query_one("#heading", Static).update(Content.assemble(*parts))

"""One chart on the whole screen."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from tui.charts.charted import ChartedScreen
from tui.charts.keys import CHARTS
from tui.charts.reading import Run
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

    def on_resize(self) -> None:
        self.call_after_refresh(self._head)

    @on(RunCharts.Changed)
    def _head(self) -> None:
        main = self.charts.main
        run = main.run if main is not None else None
        if run is None:
            return
        heading = self.query_one("#heading", Static)
        words = _heading(run)
        fits = words.cell_length <= heading.content_size.width
        heading.update(words if fits else _heading(run, short=True))


def _heading(run: Run, short: bool = False) -> Content:
    """Say which run it is, how far it is, and what it reached; in a few words less if ``short``."""
    state, best = glyph(run.state), ""
    if run.best_valid_ndcg is not None:
        best = f"   best valid NDCG {number(run.best_valid_ndcg)}"
        best += "" if short else f" at epoch {run.best_epoch}"
    return Content.assemble(
        (state if short else f"{state} {run.state}", style_variable(run.state)),
        "  " if short else "   ",
        (run_label(run), "bold"),
        (f"   epoch {run.epoch or 0}/{run.epochs or ABSENT}{best}", "$text-muted"),
    )

"""The charts of a run, with others laid over it, all looked at in one way."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget

from engine.lifecycle import ENDED
from tui.charts.chart import Chart
from tui.charts.curve import Curve
from tui.charts.run_curves import CurveReading, Mark, RunCurves, read_curves
from tui.charts.run_legend import LegendEntry, RunLegend
from tui.charts.specs import CHARTS, LETTERS, MOST_RUNS, distinct_labels
from tui.charts.view import View
from tui.shell.text import ABSENT

if TYPE_CHECKING:
    from engine.store.queries import Run
    from tui.lab import Lab

FAR = 1000
"""Cells; more than any terminal has."""

ALL_CHARTS = tuple(spec.id for spec in CHARTS)


class RunCharts(Widget):
    """Charts that read what they show; a thread reads, a message brings it.

    Args:
        shown: Ids of the charts, in their order.
        wheel: Whether the mouse wheel zooms.
        pointing: Whether the mouse moves the cursor.
        large: Whether there is room for the figures of several runs in the legend; else they stand
            in the charts' titles.
    """

    DEFAULT_CSS = """
    RunCharts {
        width: 1fr;
        height: 1fr;
        layout: vertical;

        #grid {
            layout: grid;
            grid-size: 2;
            grid-rows: 3fr 2fr;
            grid-gutter: 0 1;
            height: 1fr;
        }

        &.-one #grid {
            layout: vertical;
            Chart { display: none; }
            Chart.-shown { display: block; }
        }
    }
    """

    app: Lab

    class CurvesRead(Message):
        """What a thread read, by run; or why it couldn't."""

        def __init__(self, readings: dict[str, CurveReading | None], problem: str = "") -> None:
            super().__init__()
            self.readings = readings
            self.problem = problem

    class Changed(Message):
        """What is shown is another, or is looked at in another way."""

    def __init__(
        self,
        *,
        shown: Sequence[str] = ALL_CHARTS,
        wheel: bool = True,
        pointing: bool = True,
        large: bool = False,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.specs = [spec for spec in CHARTS if spec.id in shown]
        self.view = View()
        self.overlay: tuple[str, ...] = ()
        """Runs laid over the one that is followed."""
        self._charts = [
            Chart(spec.title, digits=spec.digits, wheel=wheel, id=spec.id) for spec in self.specs
        ]
        self._main: RunCurves | None = None
        self._others: dict[str, RunCurves] = {}
        self._pointing, self._large = pointing, large
        self._alone: int | None = None
        self._held: float | None = None
        """Where the keys put the cursor; the mouse moves it for as long as it points."""
        self._reads = self._read_again = False

    def compose(self) -> ComposeResult:
        with Container(id="grid"):
            yield from self._charts
        yield RunLegend(id="legend")

    # Which runs

    @property
    def main(self) -> RunCurves | None:
        """The curves of the run that is followed."""
        return self._main

    @property
    def runs(self) -> list[RunCurves]:
        """Those that are shown, the followed one first."""
        if self._main is None:
            return []
        others = [self._others[run] for run in self.overlay if run in self._others]
        return [self._main, *others][:MOST_RUNS]

    def follow(self, run_id: str) -> None:
        """Show another run. What is laid over it stays."""
        if self._main is None or self._main.run_id != run_id:
            self._main = self._others.pop(run_id, None) or RunCurves(run_id)
            self.view = replace(self.view, window=None, cursor=None)
            self._held = None
            self._arrange()
        self.refresh_from_store()

    def lay_over(self, run_ids: Sequence[str]) -> None:
        """Lay these runs over the one that is followed, instead of those before."""
        self.overlay = tuple(dict.fromkeys(run_ids))[: MOST_RUNS - 1]
        self._arrange()
        self.refresh_from_store()

    def _arrange(self) -> None:
        """Give every chart its curves."""
        main = self._main
        wanted = [run for run in self.overlay if main is None or run != main.run_id]
        self._others = {run: self._others.get(run) or RunCurves(run) for run in wanted}
        runs = self.runs
        for spec, chart in zip(self.specs, self._charts, strict=True):
            chart.names_curves = len(runs) < 2 or not self._large
            chart.title = spec.title if len(runs) < 2 else spec.main_title
            chart.show(spec.traces(runs) if runs else [])
            chart.look(self.view)
        self._place()

    def _place(self) -> None:
        """Marks, ends and legend, from what is known of the runs."""
        runs = self.runs
        if not runs:
            return
        ends = [curves.end for curves in runs]
        end = None
        if all(end is not None for end in ends):
            end = max((place for place in ends if place), key=lambda p: p.at(self.view.unit))
        for chart in self._charts:
            chart.waiting = _waiting(runs[0].run)
            chart.place(runs[0].best, end)
        self._show_legend()

    # The store

    def refresh_from_store(self) -> None:
        """Read in a thread; at most one reads, and another follows if more changed meanwhile."""
        if self._reads:
            self._read_again = True
        elif runs := self.runs:
            self._reads = True
            self._read({curves.run_id: curves.mark for curves in runs})

    @work(thread=True, group="curves")
    def _read(self, marks: dict[str, Mark]) -> None:
        from engine.errors import UserError

        try:
            with closing(self.app.reader()) as connection:
                found = {run: read_curves(connection, run, mark) for run, mark in marks.items()}
        except (UserError, sqlite3.Error) as error:
            self.post_message(self.CurvesRead({}, str(error)))
        else:
            self.post_message(self.CurvesRead(found))

    @on(CurvesRead)
    def _take(self, message: CurvesRead) -> None:
        message.stop()
        self._reads = False
        gone = []
        for curves in self.runs:
            reading = message.readings.get(curves.run_id)
            if reading is not None:
                curves.take(reading)
            elif curves.run_id in message.readings and curves is not self._main:
                gone.append(curves.run_id)
        if gone:
            self.overlay = tuple(run for run in self.overlay if run not in gone)
            self._arrange()
        else:
            self._place()
        self.post_message(self.Changed())
        if self._read_again:
            self._read_again = False
            self.refresh_from_store()

    # How they are looked at

    def look(self, view: View) -> None:
        """Look at all charts in this way."""
        if view != self.view:
            unit = self.view.unit
            self.view = view
            for chart in self._charts:
                chart.look(view)
            if view.unit != unit:
                self._place()
            self._show_legend()
            self.post_message(self.Changed())

    def show_alone(self, index: int | None) -> None:
        """One chart, as large as can be; ``None`` shows all."""
        self._alone = index
        self.set_class(index is not None, "-one")
        for number, chart in enumerate(self._charts):
            chart.set_class(number == index, "-shown")
        self._show_legend()

    @property
    def chart_shown(self) -> str:
        """Id of the chart that is shown alone, or of the first."""
        return self.specs[self._alone or 0].id

    def smooth(self) -> None:
        """The next smoothing."""
        self.look(self.view.smoother())

    def toggle_log(self) -> None:
        """A logarithmic y axis, or a linear one."""
        self.look(replace(self.view, log=not self.view.log))

    def next_unit(self) -> None:
        """Epochs, steps or time on x."""
        self.look(self.view.next_unit(self.longest()))

    def zoom(self, factor: float, around: float | None = None) -> None:
        """So many times as near."""
        self.look(self.view.zoomed(self._whole, factor, around))

    def point(self, x: float) -> None:
        """The cursor to ``x``."""
        self.look(self.view.pointed(self._whole, x))

    def show_whole(self) -> None:
        """All of x, and the newest figures."""
        self._held = None
        self.look(replace(self.view, window=None, cursor=None))

    def move_cursor(self, cells: float) -> None:
        """The cursor so many cells on, from ``FAR`` on to the first or the last point."""
        span = self._visible.span
        ends = [(xs[0], xs[-1]) for xs in self._xs() if xs]
        if not span or not ends:
            return
        first, last = min(start for start, _ in ends), max(end for _, end in ends)
        cursor = self.view.cursor
        if cursor is None:
            # It appears where the newest figures are.
            x = first if cells <= -FAR else last
        else:
            x = min(max(cursor + cells * span, first), last)
        self._held = x
        self.point(x)

    @property
    def _visible(self) -> Chart:
        return self._charts[self._alone or 0]

    @property
    def _whole(self) -> float:
        return self._visible.whole

    def _xs(self) -> list[Sequence[float]]:
        return [trace.curve.xs(self.view.unit) for trace in self._visible.traces]

    def longest(self) -> Curve:
        """The followed run's curve with the most points, by which units are turned into others."""
        curves = list(self._main.curves.values()) if self._main else [Curve()]
        return max(curves, key=lambda curve: len(curve.ys))

    # The mouse

    @on(Chart.Pointed)
    def _pointed(self, message: Chart.Pointed) -> None:
        message.stop()
        if self._pointing:
            self.look(replace(self.view, cursor=self._held if message.x is None else message.x))

    @on(Chart.Zoomed)
    def _zoomed(self, message: Chart.Zoomed) -> None:
        message.stop()
        self.zoom(message.factor, message.x)

    @on(Chart.Panned)
    def _panned(self, message: Chart.Panned) -> None:
        message.stop()
        self.look(self.view.panned(self._whole, message.share))

    # The legend

    def _show_legend(self) -> None:
        legend = self.query(RunLegend)
        runs = [curves.run for curves in self.runs if curves.run is not None]
        if not legend or len(runs) < 2 or len(runs) != len(self.runs):
            for widget in legend:
                widget.show([])
            return
        labels = distinct_labels(runs)
        figures = [""] * len(runs)
        if self._large:
            figures = [figure or ABSENT for figure in self._visible.figures()[::-1]]
        legend.first().show(
            [
                LegendEntry(letter, label, figure, run.state)
                for letter, label, figure, run in zip(LETTERS, labels, figures, runs, strict=False)
            ]
        )


def _waiting(run: Run | None) -> str:
    """Why a chart is empty."""
    if run is None:
        return "reading …"
    if run.state in ENDED:
        return "no epoch was finished"
    return "waiting for its turn" if run.state == "queued" else "waiting for the first epoch"

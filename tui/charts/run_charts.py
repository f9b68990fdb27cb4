"""The charts of a run, with other runs overlaid, all in the same view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.widget import Widget

from engine.lifecycle import ENDED
from tui.charts.braille.chart import Chart
from tui.charts.braille.curve import X_UNITS, Curve, Moment
from tui.charts.braille.view import ChartView
from tui.charts.grid import ChartGrid
from tui.charts.looks import Look, looks_of
from tui.charts.reading import KeptReader, read_updates
from tui.charts.run_curves import SOURCES, CurveUpdate, Known, RunCurves
from tui.charts.run_legend import LegendEntry, RunLegend
from tui.charts.specs import CHARTS, LETTERS, MOST_RUNS, ChartSpec, distinct_labels
from tui.lab import Lab
from tui.shell.reading import Reading
from tui.shell.text import ABSENT
from tui.widgets.text_box import TextBox

FAR = 1000
"""A number of cells that no terminal has: moves the cursor to the first or last point."""

ALL_CHARTS = tuple(spec.id for spec in CHARTS)


class RunCharts(Widget):
    """Charts of a run, and of runs overlaid on it. They say nothing where the store can't be read:
    their screen does.

    Args:
        shown: Ids of the charts, in their order.
        wheel: Whether the mouse wheel zooms.
        replayed: Whether the screen moves the cursor, not the mouse, and begins with time on x. Of
            the run's look it shares smoothing, logarithm and what is laid over it.
        large: Whether there is room for the values of several runs in the legend; else they stand
            in the charts' titles.
    """

    DEFAULT_CSS = """
    RunCharts {
        width: 1fr;
        height: 1fr;
        layout: vertical;

        #constants { height: 1; color: $text-muted; display: none; }
    }
    """

    app: Lab

    class Changed(Message):
        """Other points are shown, or they are looked at in another way."""

    def __init__(
        self,
        *,
        shown: Sequence[str] = ALL_CHARTS,
        wheel: bool = True,
        replayed: bool = False,
        large: bool = False,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.specs = [spec for spec in CHARTS if spec.id in shown]
        self.view = ChartView()
        self.overlay: tuple[str, ...] = ()
        """Runs overlaid on the one that is followed."""
        self._charts = [
            Chart(spec.title, digits=spec.digits, within=spec.within, wheel=wheel, id=spec.id)
            for spec in self.specs
        ]
        self._grid = ChartGrid(self._charts)
        self.main: RunCurves | None = None
        """The curves of the run that is followed."""
        self._others: dict[str, RunCurves] = {}
        self._replayed, self._large = replayed, large
        self._chosen: int | None = None
        """Index of the chart that is to be seen alone."""
        self._single = False
        self._held: float | None = None
        """Where the keys put the cursor; the mouse moves it for as long as it points."""
        self._known: Mapping[str, Known] = {}
        """How much is known of the runs that are shown; replaced as a whole, for the thread."""
        self._kept = KeptReader(self.app.location)
        self._reading = Reading(self, self._take, lambda _: None)

    def compose(self) -> ComposeResult:
        yield self._grid
        yield TextBox(id="constants")
        yield RunLegend(id="legend")

    # Which runs

    @property
    def runs(self) -> list[RunCurves]:
        """The curves of the runs that are shown, the followed one first."""
        if self.main is None:
            return []
        others = [self._others[run] for run in self.overlay if run in self._others]
        return [self.main, *others][:MOST_RUNS]

    def follow(self, run_id: str) -> None:
        """Show another run, in the look that it was left in."""
        if self.main is None or self.main.run_id != run_id:
            self.main = self._others.pop(run_id, None) or RunCurves(run_id)
            if self._replayed:
                self.view = replace(self.view, unit="time", window=None, cursor=None)
            self.take_look()
            self._arrange()
        self.refresh_from_store()

    def take_look(self) -> None:
        """Look at the run as another screen has left it."""
        if self.main is None:
            return
        look = looks_of(self.app).of(self.main.run_id)
        view = look.view
        if self._replayed:
            view = replace(self.view, smoothing=view.smoothing, log=view.log)
        self._held = None if self._replayed else view.cursor
        self.look(view)
        if look.overlay != self.overlay:
            self.lay_over(look.overlay)

    def lay_over(self, run_ids: Sequence[str]) -> None:
        """Overlay these runs on the one that is followed, instead of those before."""
        self.overlay = tuple(dict.fromkeys(run_ids))[: MOST_RUNS - 1]
        self._keep_look()
        self._arrange()
        self.refresh_from_store()

    def _keep_look(self) -> None:
        """Share this look of the run with the other screens."""
        if self.main is None:
            return
        looks, view = looks_of(self.app), replace(self.view, cursor=self._held)
        if self._replayed:
            kept = looks.of(self.main.run_id).view
            view = replace(kept, smoothing=view.smoothing, log=view.log)
        looks.keep(self.main.run_id, Look(view, self.overlay))

    def _arrange(self) -> None:
        """Give every chart its curves."""
        main = self.main
        wanted = [run for run in self.overlay if main is None or run != main.run_id]
        self._others = {run: self._others.get(run) or RunCurves(run) for run in wanted}
        runs = self.runs
        for spec, chart in zip(self.specs, self._charts, strict=True):
            chart.names_curves = len(runs) < 2 or not self._large
            chart.title = spec.title if len(runs) < 2 else spec.main_title
            chart.show(spec.traces(runs) if runs else [])
            chart.look(self.view)
        self._show_marks()

    def _show_marks(self) -> None:
        """Draw marks, ends and legend by what is known of the runs."""
        runs = self.runs
        self._known = {curves.run_id: curves.known for curves in runs}
        if not runs:
            return
        ends = [curves.end for curves in runs if curves.end is not None]
        all_ended = len(ends) == len(runs)
        end = max(ends, key=lambda moment: moment.at(self.view.unit)) if all_ended else None
        reach = _furthest(runs)
        epoch = "combination" if all(curves.fitted for curves in runs) else "epoch"
        for spec, chart in zip(self.specs, self._charts, strict=True):
            chart.epoch = epoch
            chart.waiting = _waiting(runs[0], spec)
            chart.mark(runs[0].best, end, reach)
        self._show_chosen()

    # The store

    def refresh_from_store(self) -> None:
        """Read in a thread what the store has more of the runs."""
        if not self._known:
            return
        store, catalogue = self._kept, self.app.catalogue
        # What is known counts when the thread begins: a read may wait for the one before.
        self._reading.ask(lambda: read_updates(store, self._known, catalogue))

    def _take(self, updates: Mapping[str, CurveUpdate | None]) -> None:
        before = self._told
        for curves in self.runs:
            update = updates.get(curves.run_id)
            if update is not None:
                curves.take(update)
            elif curves.run_id in updates and curves is not self.main:
                self.overlay = tuple(run for run in self.overlay if run != curves.run_id)
        if self._told != before:
            self._arrange()
        else:
            self._show_marks()
        self.post_message(self.Changed())

    @property
    def _told(self) -> list[tuple[str, bool, frozenset[str]]]:
        """Of each run that is shown, what there are curves of."""
        return [(each.run_id, each.trial, frozenset(each.curves)) for each in self.runs]

    # How they are looked at

    def look(self, view: ChartView) -> None:
        """Look at all charts in this way."""
        if view != self.view:
            unit = self.view.unit
            self.view = view
            self._keep_look()
            for chart in self._charts:
                chart.look(view)
            self._grid.align()
            if view.unit != unit:
                self._show_marks()
            self._show_legend()
            self.post_message(self.Changed())

    def show_alone(self, index: int | None) -> None:
        """Show one chart as large as can be; ``None`` shows all, where there is room for them."""
        self._chosen = index
        self._show_chosen()

    def fit(self, *, single: bool) -> None:
        """Say whether there is room for one chart only."""
        self._single = single
        self._show_chosen()

    def next_chart(self) -> None:
        """Show each chart alone, and after the last all, or where there is no room the first."""
        offered = self._offered
        before = self._alone
        after = offered.index(before) + 1 if before in offered else 0
        self.show_alone(offered[after] if after < len(offered) else None)

    @property
    def _offered(self) -> list[int]:
        """Indexes of the charts that have something to tell of these runs."""
        runs = self.runs
        return [index for index, spec in enumerate(self.specs) if spec.offered(runs)]

    def _show_chosen(self) -> None:
        """Show one chart, or as many as there is room for, and in a line what is constant."""
        if not self.is_mounted:
            return
        constants: dict[int, str] = {}
        if self._alone is not None:
            self._grid.show([self._alone])
        else:
            constants = self._constants()
            told = [index for index in self._offered if index not in constants]
            told = [index for index in told if self._charts[index].has_points
                    or not self.specs[index].text_if_constant]  # fmt: skip
            self._grid.show(told[: self._grid.room])
        line = self.query_one("#constants", TextBox)
        line.update(" · ".join(constants.values()))
        line.display = bool(constants)
        self._show_legend()

    def _constants(self) -> dict[int, str]:
        """What is constant so far and told in words then, by the chart's index."""
        runs, told = self.runs, {}
        for index, spec in enumerate(self.specs):
            if spec.text_if_constant and (value := spec.constant(runs)) is not None:
                told[index] = f"{spec.title} {value:g} (constant)"
        return told

    def on_unmount(self) -> None:
        self._kept.close()

    def on_resize(self) -> None:
        self._show_chosen()

    @property
    def _alone(self) -> int | None:
        return self._offered[0] if self._single and self._chosen is None else self._chosen

    @property
    def _leading(self) -> int:
        """Index of the chart that is shown alone, or of the first."""
        return self._offered[0] if self._alone is None else self._alone

    @property
    def chart_shown(self) -> str:
        """Id of the chart that is shown alone, or of the first."""
        return self.specs[self._leading].id

    def zoom(self, factor: float, around: float | None = None) -> None:
        """Zoom in by ``factor``, around ``around`` or else the cursor."""
        self.look(self.view.zoomed(self._whole, factor, around))

    def point(self, x: float) -> None:
        """Put the cursor at ``x``."""
        self.look(self.view.pointed(self._whole, x))

    def show_whole(self) -> None:
        """Show all of x, and the newest figures."""
        self._held = None
        self.look(replace(self.view, window=None, cursor=None))

    def move_cursor(self, cells: float) -> None:
        """Move the cursor by cells; by ``FAR`` or more to the first or the last point."""
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
        return self._charts[self._leading]

    @property
    def _whole(self) -> float:
        return self._visible.whole

    def _xs(self) -> list[Sequence[float]]:
        return [trace.curve.xs(self.view.unit) for trace in self._visible.traces]

    def longest(self) -> Curve:
        """The followed run's curve with the most points, by which units are turned into others."""
        curves = [self.main.curves[name] for name in SOURCES] if self.main else [Curve()]
        return max(curves, key=lambda curve: len(curve.ys))

    # The mouse

    @on(Chart.Pointed)
    def _pointed(self, message: Chart.Pointed) -> None:
        message.stop()
        if not self._replayed:
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

    @on(Chart.Drawn)
    def _show_legend(self) -> None:
        legend = self.query(RunLegend)
        runs = [curves.run for curves in self.runs if curves.run is not None]
        if not legend or len(runs) < 2 or len(runs) != len(self.runs):
            for widget in legend:
                widget.show([])
            return
        labels = distinct_labels(runs, [curves.label for curves in self.runs])
        told = {named.name: named.text() for named in self._visible.values()}
        values = [told.get(letter, ABSENT) if self._large else "" for letter in LETTERS]
        legend.first().show(
            [
                LegendEntry(letter, label, value, run.state)
                for letter, label, value, run in zip(LETTERS, labels, values, runs, strict=False)
            ]
        )


def _furthest(runs: Sequence[RunCurves]) -> Moment:
    """As far as any curve of these runs reaches, in each unit of x."""
    curves = [curve for run in runs for curve in run.curves.values() if curve.ys]
    return Moment(*(max((curve.xs(unit)[-1] for curve in curves), default=0.0) for unit in X_UNITS))


def _waiting(curves: RunCurves, spec: ChartSpec) -> str:
    """Why a chart is empty."""
    run = curves.run
    if run is None:
        return "loading…"
    if spec.of_devices:
        return "not recorded for this run"
    if curves.fitted and spec.of_steps:
        return "a fitted model has no such curve"
    if run.state in ENDED:
        return f"no {'combination' if curves.fitted else 'epoch'} finished"
    if run.state == "queued":
        return "waiting in the queue"
    return f"waiting for the first {'combination' if curves.fitted else 'epoch'}"

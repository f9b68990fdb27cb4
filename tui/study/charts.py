"""A study's charts: the best so far against trials, and the trials' curves over one another."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.widget import Widget

from tui.charts.braille.chart import Chart
from tui.charts.braille.curve import Curve, Moment, Points
from tui.charts.braille.trace import Trace
from tui.charts.grid import ChartGrid
from tui.charts.marks import FILLED
from tui.shell.text import TITLE, plain
from tui.study.reading import StoredTrial, StudyPage, best_so_far, points_of
from tui.study.words import mark_of, style_of

_QUIET = "$text-disabled"
_SELECTED = "$foreground"


class StudyCharts(Widget):
    """Both charts side by side, or one of them alone."""

    DEFAULT_CSS = "StudyCharts { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._best = Chart("Best so far, valid NDCG@10", wheel=False, id="best")
        self._best.names_curves = False  # the screen's lines on the models do
        self._best.epoch = "trials"
        self._best.waiting = "waiting for the first trial"
        self._curves = Chart("Trials", wheel=False, id="curves")
        self._grid = ChartGrid([self._best, self._curves])
        self._alone: int | None = None

    def compose(self) -> ComposeResult:
        yield self._grid

    def on_resize(self) -> None:
        self._arrange()

    def show(self, page: StudyPage, selected: str | None) -> None:
        """Draw a study, the trial that is selected above all others."""
        budget = float(page.found.progress.study.trials)
        self._best.mark(None, Moment(budget, budget, budget))
        self._best.show(best_traces(page, selected))
        self._curves.show(curve_traces(page, selected))

    def next_chart(self) -> None:
        """Show each chart alone, and after the last both."""
        self._alone = {None: 0, 0: 1, 1: None}[self._alone]
        self._arrange()

    def _arrange(self) -> None:
        both = range(min(2, self._grid.room))
        self._grid.show([self._alone] if self._alone is not None else [*both])


def best_traces(page: StudyPage, selected: str | None) -> list[Trace]:
    """Make the curves of the best so far, a step line for each model, the first model's last; and a
    sign for each trial, a faint one if it can't be chosen."""
    progress = page.found.progress
    lines, signs = [], []
    for index, model in enumerate(progress.study.models):
        mark, style = mark_of(index), style_of(index)
        trials = list(enumerate(progress.of_model(model), 1))
        steps = best_so_far(trial for _, trial in trials)
        risen = zip(steps[1:], steps, strict=False)
        before = [(number, value) for (number, _), (_, value) in risen]
        line = sorted([*steps, *before])
        lines.append(Trace(_curve(points_of(line)), f"{mark} {plain(model.model, TITLE)}", style))
        could_be = [each for each in trials if each[1].can_be_chosen]
        others = [each for each in trials if not each[1].can_be_chosen]
        signs.append(Trace(_curve(_values(others)), "", style, faint=True, sign=mark))
        signs.append(Trace(_curve(_values(could_be)), "", style, sign=mark))
        of_cursor = [each for each in trials if each[1].run == selected]
        filled = FILLED[index % len(FILLED)]
        signs.append(Trace(_curve(_values(of_cursor)), "", _SELECTED, sign=filled))
    return [*lines[::-1], *signs]


def curve_traces(page: StudyPage, selected: str | None) -> list[Trace]:
    """Make the trials' curves: those in training and the best in their model's colour with their
    number, others that are done in a dark tone of it, the rest faint."""
    progress = page.found.progress
    colours = {model.model: style_of(at) for at, model in enumerate(progress.study.models)}
    best = {each.best.run for each in progress.chosen()}
    trials = {trial.run: trial for trial in progress.trials}
    traces = []
    for run in sorted(page.curves, key=lambda run: run == selected):
        trial = trials[run]
        bright = run in best or trial.standing == "running" or run == selected
        known = bright or trial.can_be_chosen
        style = (
            _SELECTED if run == selected else colours.get(trial.model, _QUIET) if known else _QUIET
        )
        number = str(trial.number)
        traces.append(
            Trace(
                _curve(page.curves[run]),
                number,
                style,
                faint=not bright,
                letter=number if bright else "",
            )
        )
    return traces


def _values(trials: Iterable[tuple[int, StoredTrial]]) -> Points:
    return points_of((number, trial.value) for number, trial in trials)


def _curve(points: Points) -> Curve:
    curve = Curve()
    curve.append(points)
    return curve

"""The charts of a run: what each shows, of one run and of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.store.queries import Run
from tui.charts.run_curves import RunCurves, epoch_source, step_source
from tui.charts.trace import Trace
from tui.shell.text import plain
from tui.shell.theme import SERIES

MOST_RUNS = len(SERIES)
"""Runs laid over each other at once, counting the one that is followed."""

LETTERS = "abcdefgh"

_SECOND = "$text-muted"


@dataclass(frozen=True, slots=True)
class Source:
    """A curve in the chart of a single run: a source of `RunCurves`, its name and look."""

    name: str
    source: str
    style: str
    faint: bool = False
    marked: bool = False


@dataclass(frozen=True, slots=True)
class ChartSpec:
    """A chart: all its sources of a single run, only the source ``main`` of several."""

    id: str
    title: str
    sources: tuple[Source, ...]
    main: str
    main_title: str
    digits: int = 4
    text_if_constant: bool = False
    """Whether a line of text takes the chart's place beside others while its figure is constant."""

    def traces(self, runs: Sequence[RunCurves]) -> list[Trace]:
        """The curves to show, the most important last: drawn over the others."""
        if len(runs) == 1:
            return [
                Trace(runs[0].curves[s.source], s.name, s.style, faint=s.faint, marked=s.marked)
                for s in self.sources
            ]
        marked = any(source.marked for source in self.sources)
        traces = [
            Trace(
                curves.curves[self.main],
                LETTERS[index],
                SERIES[index],
                letter=LETTERS[index],
                marked=marked and index == 0,
            )
            for index, curves in enumerate(runs[:MOST_RUNS])
        ]
        return traces[::-1]

    def constant(self, runs: Sequence[RunCurves]) -> float | None:
        """The figure's only value so far in these runs; ``None`` if it has several, or none."""
        curves = [curves.curves[self.main].ys for curves in runs]
        first = next((ys[0] for ys in curves if ys), None)
        same = first is not None and all(ys.count(first) == len(ys) for ys in curves)
        return first if same else None


def _steps_and_epochs(id: str, title: str, measure: str, digits: int = 4) -> ChartSpec:  # noqa: A002
    """Make the chart of a measure that is known of each step and, as a mean, of each epoch."""
    steps = Source("step", step_source(measure), SERIES[1], faint=True)
    epochs = Source("epoch", epoch_source(measure), SERIES[0])
    return ChartSpec(id, title, (steps, epochs), step_source(measure), title, digits)


CHARTS = (
    _steps_and_epochs("loss", "Loss", "loss"),
    ChartSpec(
        "valid",
        "Validation",
        (
            Source("test", epoch_source("test_ndcg"), _SECOND, faint=True),
            Source("Recall", epoch_source("valid_recall"), SERIES[1]),
            Source("NDCG", epoch_source("valid_ndcg"), SERIES[0], marked=True),
        ),
        epoch_source("valid_ndcg"),
        "Validation NDCG@10",
    ),
    _steps_and_epochs("grad", "Gradient norm", "grad_norm", digits=2),
    ChartSpec(
        "lr",
        "Learning rate",
        (Source("lr", step_source("lr"), SERIES[0]),),
        step_source("lr"),
        "Learning rate",
        digits=6,
        text_if_constant=True,
    ),
)


def distinct_labels(runs: Sequence[Run]) -> list[str]:
    """What tells the runs apart: of model, data set, length and seed what differs, and the end of
    the id where that isn't enough."""
    parts = [(run.model, run.dataset, f"L{run.length}", f"s{run.seed}") for run in runs]
    differing = [index for index in range(4) if len({part[index] for part in parts}) > 1]
    labels = [" ".join(part[index] for index in differing or (0, 3)) for part in parts]
    return [
        plain(label if labels.count(label) == 1 else f"{label} {run.id[-5:]}".strip(), 60)
        for label, run in zip(labels, runs, strict=True)
    ]

"""The charts of a run: what each shows, of one run and of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.store.queries import Run
from tui.charts.braille.trace import Trace
from tui.charts.run_curves import TEST, RunCurves, device_source, epoch_source, step_source
from tui.shell.text import plain
from tui.shell.theme import SERIES

MOST_RUNS = len(SERIES)
"""Most runs in one chart, counting the one that is followed."""

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
    """A chart: all its sources of a single run, only the source ``main`` of several, and of a run
    over several GPUs a line for each, with the GPU's number; among several runs those after a run's
    first GPU in a dark tone of its colour."""

    id: str
    title: str
    sources: tuple[Source, ...]
    """The most important last: drawn over the others."""
    main: str
    main_title: str
    digits: int = 4
    within: tuple[float, ...] = ()
    """What the upright axis always holds."""
    text_if_constant: bool = False
    """Whether a line of text takes the chart's place beside others while its figure is constant."""
    of_devices: bool = False
    """Whether telemetry tells it: it has a place only where there is such a figure."""

    def offered(self, runs: Sequence[RunCurves]) -> bool:
        """Whether it has a place among the charts of these runs: fitted models have no steps."""
        if self.of_devices:
            return any(run.each_gpu(self.main) for run in runs)
        return not (self.of_steps and runs and all(run.fitted for run in runs))

    @property
    def of_steps(self) -> bool:
        """Whether its main curve has a point per step, which fitted models don't have."""
        return self.main.startswith(step_source(""))

    def traces(self, runs: Sequence[RunCurves]) -> list[Trace]:
        """The curves to show, the most important last."""
        if len(runs) == 1:
            each = runs[0].each_gpu(self.main)
            if len(each) > 1:
                return [
                    Trace(curve, f"GPU {gpu}", SERIES[gpu % len(SERIES)])
                    for gpu, curve in reversed(each)
                ]
            return [
                Trace(curve, s.name, s.style, faint=s.faint, marked=s.marked)
                for s in self.sources
                if not (runs[0].trial and s.source == TEST)
                for _, curve in runs[0].each_gpu(s.source)
            ]
        marked = any(source.marked for source in self.sources)
        traces = []
        for index, curves in enumerate(runs[:MOST_RUNS]):
            each = curves.each_gpu(self.main)
            traces += [
                Trace(
                    curve,
                    LETTERS[index],
                    SERIES[index],
                    faint=gpu > 0,
                    letter=LETTERS[index],
                    part=str(gpu) if len(each) > 1 else "",
                    marked=marked and index == 0,
                )
                for gpu, curve in each
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
    steps = Source("step", step_source(measure), SERIES[2], faint=True)
    epochs = Source("epoch", epoch_source(measure), SERIES[0])
    return ChartSpec(id, title, (steps, epochs), step_source(measure), title, digits)


def _devices(
    id: str,  # noqa: A002
    title: str,
    *sources: tuple[str, str],
    digits: int = 0,
    within: tuple[float, ...] = (0.0,),
) -> ChartSpec:
    """Make the chart of measures of telemetry, each with its name in the legend, the main one
    last."""
    *others, (name, main) = sources
    curves = [Source(each, device_source(measure), SERIES[3]) for each, measure in others]
    curves.append(Source(name, device_source(main), SERIES[0]))
    return ChartSpec(
        id, title, tuple(curves), device_source(main), title, digits, within, of_devices=True
    )


CHARTS = (
    _steps_and_epochs("loss", "Loss", "loss"),
    ChartSpec(
        "valid",
        "Validation",
        (
            Source("test", TEST, _SECOND, faint=True),
            Source("Recall", epoch_source("valid_recall"), SERIES[1]),
            Source("NDCG", epoch_source("valid_ndcg"), SERIES[0], marked=True),
        ),
        epoch_source("valid_ndcg"),
        "Valid NDCG@10",
    ),
    _devices("gpu", "GPU utilization, %", ("GPU", "gpu_utilization"), within=(0.0, 100.0)),
    _steps_and_epochs("grad", "Gradient norm", "grad_norm", digits=2),
    _devices(
        "gpu_memory",
        "GPU memory, GiB",
        ("this run", "process_gpu_memory_mib"),
        ("GPU", "gpu_memory_mib"),
        digits=1,
    ),
    _devices("power", "GPU power, W", ("GPU", "gpu_power_w")),
    _devices("cpu", "CPU load, %", ("all cores", "cpu_percent"), within=(0.0, 100.0)),
    _devices(
        "ram",
        "RAM, GiB",
        ("machine", "memory_used_mib"),
        ("this run", "process_memory_mib"),
        digits=1,
    ),
    _devices("cores", "CPU cores in use", ("this run", "process_cpu_percent"), digits=1),
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
"""In the order of their importance: where there is too little room for all, the first are shown."""


def distinct_labels(runs: Sequence[Run], settings: Sequence[str]) -> list[str]:
    """What tells the runs apart: of model, data set, length, settings and seed what differs, and
    the end of the id where that isn't enough.

    Args:
        settings: in what each run's settings differ from those of the others.
    """
    parts = [
        (run.model, run.dataset, f"L{run.length}", label, f"s{run.seed}")
        for run, label in zip(runs, settings, strict=True)
    ]
    differing = [index for index in range(5) if len({part[index] for part in parts}) > 1]
    labels = [
        " ".join(filter(None, (part[index] for index in differing or (0, 4)))) for part in parts
    ]
    return [
        plain(label if labels.count(label) == 1 else f"{label} {run.id[-5:]}".strip(), 60)
        for label, run in zip(labels, runs, strict=True)
    ]

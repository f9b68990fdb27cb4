"""Draws the plots of a report."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullLocator,
    SymmetricalLogLocator,
)

from engine.analysis.costs import Cost, CostedCell
from engine.analysis.export import listed
from engine.analysis.scatter import pareto_front
from engine.errors import cut
from engine.report.svg import INK, MARKERS, PAPER, QUIET, SERIES, STYLE, svg_text
from engine.report.wording import counted

WIDE = 11.0
"""Width of a figure in inches; a page scales it to its column."""


@dataclass(frozen=True)
class CellQuality:
    """The quality of a cell."""

    cell: CostedCell
    mean: float
    low: float
    high: float
    """Ends of the 95 % interval over users."""
    seeds: tuple[float, ...]
    """The value of each seed."""


@dataclass(frozen=True)
class Curve:
    """The epochs of a run; all tuples are equally long."""

    model: str
    label: str
    """What tells its cell from others of its model and length; empty if nothing does."""
    length: int
    epochs: tuple[int, ...]
    seconds: tuple[float, ...]
    """Seconds of training until the end of each epoch."""
    quality: tuple[float, ...]
    """The validation metric."""
    loss: tuple[float, ...]
    """Training loss per target, in nats."""
    best: int | None
    """Index of the chosen epoch."""

    @property
    def title(self) -> str:
        """Model and label."""
        return f"{self.model} {self.label}".rstrip()


Colours = dict[str, tuple[str, str]]
"""Colour and marker of each model."""


def colours(models: Sequence[str]) -> Colours:
    """Assign a colour and a marker to each model, the same in every plot of a report. No two of up
    to 64 have both in common."""
    found = {}
    for number, model in enumerate(dict.fromkeys(models)):
        turn, place = divmod(number, len(SERIES))
        found[model] = SERIES[place], MARKERS[(place + turn) % len(MARKERS)]
    return found


def quality_plot(name: str, qualities: Sequence[CellQuality], metric: str, looks: Colours) -> str:
    """Draw the mean of each cell with its interval over users, and its seeds as ticks."""
    with style.context(STYLE, after_reset=True):
        figure = new_figure(WIDE, 1.0 + 0.32 * len(qualities))
        axes = figure.subplots()
        for y, quality in enumerate(qualities):
            colour, marker = looks[_model(quality.cell)]
            axes.plot([quality.low, quality.high], [y, y], color=colour, linewidth=2)
            axes.plot(quality.seeds, [y] * len(quality.seeds), "|", color=colour, markersize=9)
            axes.plot([quality.mean], [y], marker, color=colour, markersize=7)
        axes.set_yticks(range(len(qualities)), [quality.cell.label for quality in qualities])
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.set_ylim(len(qualities) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(metric)
        return svg_text(figure, name)


def quality_alt(qualities: Sequence[CellQuality], metric: str, title: str) -> str:
    """Describe `quality_plot` for who can't see it."""
    users = listed(f"{n:,}" for n in sorted({q.cell.cell.users for q in qualities}))
    return (
        f"{metric} of {counted(qualities, 'cell')} on {title}, as in the table above: a point for "
        f"each at the mean over seeds ({span_text(each.mean for each in qualities)}), a line for "
        f"its 95 % interval over {users} test users, and a tick for each seed."
    )


def curves_plot(name: str, curves: Sequence[Curve], metric: str, looks: Colours) -> str:
    """Draw a column per length: validation over training time, and the loss over epochs."""
    lengths = sorted({curve.length for curve in curves})
    lines = _lines(curves, looks)
    with style.context(STYLE, after_reset=True):
        figure = new_figure(WIDE, 5.6)
        grid = figure.subplots(2, len(lengths), sharey="row", sharex="row", squeeze=False)
        for column, length in enumerate(lengths):
            above, below = grid[0][column], grid[1][column]
            for curve in (each for each in curves if each.length == length):
                colour, marker = looks[curve.model]
                above.plot(curve.seconds, curve.quality, **lines[curve.title], alpha=0.85)
                below.plot(curve.epochs, curve.loss, **lines[curve.title], alpha=0.85)
                if curve.best is not None:
                    x, y = curve.seconds[curve.best], curve.quality[curve.best]
                    above.plot([x], [y], marker, color=colour, markersize=6)
            above.set_title(f"L = {length}")
            above.set_xlabel("seconds of training")
            below.set_xlabel("epoch")
            logarithmic_if_wide(above, [s for c in curves for s in c.seconds], least=20)
        grid[0][0].set_ylabel(metric)
        grid[1][0].set_ylabel("loss per target, nats")
        models = {curve.title: curve.model for curve in curves}
        handles = [
            Line2D([], [], marker=looks[models[title]][1], markersize=7, **line)
            for title, line in lines.items()
        ]
        legend_above(figure, handles, [*lines])
        return svg_text(figure, name)


def _lines(curves: Sequence[Curve], looks: Colours) -> dict[str, dict[str, Any]]:
    """Assign the look of its lines to each title, in the order of models: a model has one colour,
    and a dash for each of its labels; models of one colour begin with other dashes."""
    found: dict[str, dict[str, Any]] = {}
    for place, (model, (colour, _)) in enumerate(looks.items()):
        titles = dict.fromkeys(curve.title for curve in curves if curve.model == model)
        # What is alone at its length has the whole line.
        in_order = sorted(titles, key=lambda title: title != model)
        for number, title in enumerate(in_order, place // len(SERIES)):
            thicker, dash = divmod(number, len(_DASHES))
            found[title] = {
                "color": colour, "linestyle": _DASHES[dash], "linewidth": 1.3 + thicker,
            }  # fmt: skip
    return found


_DASHES = (
    "-",
    (0, (5, 2)),
    (0, (1, 1.2)),
    (0, (6, 2, 1, 2)),
    (0, (10, 3)),
    (0, (3, 1, 1, 1, 1, 1)),
)


def curves_alt(curves: Sequence[Curve], metric: str, title: str) -> str:
    """Describe `curves_plot` for who can't see it."""
    titles = Counter(curve.title for curve in curves)
    lengths = sorted({curve.length for curve in curves})
    chosen = [curve.quality[curve.best] for curve in curves if curve.best is not None]
    marked = f", the chosen epoch marked ({span_text(chosen)})" if chosen else ""
    runs = listed(f"{number} of {title}" for title, number in titles.items())
    return (
        f"Two plots for {'length' if len(lengths) == 1 else 'each of the lengths'} "
        f"{listed(map(str, lengths))}, one line per run on {title}: {runs}. Above, {metric} "
        f"over seconds of training{marked}; below, the training loss over epochs."
    )


def pareto_plot(
    name: str, qualities: Sequence[CellQuality], costs: Sequence[Cost], metric: str, looks: Colours
) -> str:
    """Draw quality over each cost, with a line through the cells on the Pareto front."""
    columns = 3 if len(costs) > 2 else len(costs)
    rows = math.ceil(len(costs) / columns)
    with style.context(STYLE, after_reset=True):
        figure = new_figure(WIDE, 0.5 + 2.9 * rows)
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        every = [axes for row in grid for axes in row]
        for axes, cost in zip(every, costs, strict=False):
            _pareto(axes, qualities, cost, looks)
        for number, axes in enumerate(every):
            axes.set_visible(number < len(costs))
        for row in grid:
            row[0].set_ylabel(metric)
        models = {_model(quality.cell) for quality in qualities}
        shown = {model: look for model, look in looks.items() if model in models}
        handles = [
            Line2D([], [], color=colour, marker=marker, markersize=7, linewidth=1.6)
            for colour, marker in shown.values()
        ]
        legend_above(figure, handles, [*shown])
        return svg_text(figure, name)


def pareto_alt(
    qualities: Sequence[CellQuality], costs: Sequence[Cost], metric: str, title: str
) -> str:
    """Describe `pareto_plot` for who can't see it."""
    fronts = []
    for cost in costs:
        points, front = _points(qualities, cost)
        names = listed([points[index][1].cell.label for index in sorted(front)] or ["no cell"])
        absent = len(qualities) - len(points)
        fronts.append(f"{cost.title}: {names}{f' ({absent} without it)' if absent else ''}")
    return (
        f"{metric} of {counted(qualities, 'cell')} on {title} over {counted(costs, 'cost')}, one "
        "plot each, as in the table above. On the Pareto front of the means are, over "
        f"{'; '.join(fronts)}."
    )


def _points(
    qualities: Sequence[CellQuality], cost: Cost
) -> tuple[list[tuple[float, CellQuality]], set[int]]:
    """Return the cells that have a cost, each with its mean, and the indices of those on the Pareto
    front."""
    spreads = [(quality.cell.spread(cost), quality) for quality in qualities]
    points = [(found.mean, quality) for found, quality in spreads if found]
    return points, set(cost_front(points, cost))


def span_text(values: Iterable[float]) -> str:
    """Write the smallest and the largest of some values."""
    ordered = [f"{value:.4f}" for value in sorted(values)]
    return ordered[0] if ordered[0] == ordered[-1] else f"{ordered[0]} to {ordered[-1]}"


def _pareto(axes: Axes, qualities: Sequence[CellQuality], cost: Cost, looks: Colours) -> None:
    points, front = _points(qualities, cost)
    if front:
        steps = sorted((points[index][0], points[index][1].mean) for index in front)
        axes.plot(*zip(*steps, strict=True), color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    for index, (x, quality) in enumerate(points):
        colour, marker = looks[_model(quality.cell)]
        axes.plot([x, x], [quality.low, quality.high], color=colour, linewidth=1, alpha=0.55)
        inside = colour if index in front else PAPER
        axes.plot([x], [quality.mean], marker, color=colour, markerfacecolor=inside, markersize=7)
    arrow = "← better" if cost.better == "lower" else "better →"
    axes.set_title(cost.heading, fontsize=10)
    axes.set_xlabel(arrow, fontsize=9)
    axes.margins(x=0.14)
    logarithmic_if_wide(axes, [x for x, _ in points], least=5)
    _label(axes, qualities, points, front)


def _label(
    axes: Axes,
    qualities: Sequence[CellQuality],
    points: Sequence[tuple[float, CellQuality]],
    front: Collection[int],
) -> None:
    """Write the lengths of cells, and what tells those of one place apart, beside their points: of
    more than `MOST_LABELLED` beside those of the front alone."""
    lengths = sorted({quality.cell.cell.cell.length for quality in qualities})
    places = Counter(quality.cell.cell.cell.place for quality in qualities)
    labelled: Counter[tuple[str, str, int]] = Counter()
    axes.get_xlim()  # the transformations know it only then
    middle = axes.transData.inverted().transform(axes.transAxes.transform((0.5, 0.5)))[0]
    of_models: Counter[str] = Counter()
    for index, (x, quality) in enumerate(points):
        place = quality.cell.cell.cell.place
        beside = [str(place[2])] if len(lengths) > 1 else []
        if places[place] > 1:
            beside.append(cut(quality.cell.differs, _LONGEST))
        if not beside or (len(qualities) > MOST_LABELLED and index not in front):
            continue
        right, up, side = _BESIDE[(lengths.index(place[2]) + labelled[place]) % len(_BESIDE)]
        labelled[place] += 1
        if places[place] > 1:  # a long one stays within its plot, and below or above the last
            right, side = (6, "left") if x < middle else (-6, "right")
            up = _STACKED[of_models[place[0]] % len(_STACKED)]
            of_models[place[0]] += 1
        text = axes.annotate(
            " ".join(beside), (x, quality.mean), (right, up), textcoords="offset points",
            horizontalalignment=side, fontsize=8.5, color=QUIET,
        )  # fmt: skip
        text.set_in_layout(False)  # else the plots get narrow to make room for it


MOST_LABELLED = 12
"""Most cells that are all labelled in a plot of quality over cost."""

_STACKED = (4, -7, 15, -18)
"""Offsets upwards, in points, of long labels of one model's cells."""

_LONGEST = 24
"""Characters of what tells cells of one place apart in a label."""


def cost_front(points: Sequence[tuple[float, CellQuality]], cost: Cost) -> list[int]:
    """Return the indices of the cells on the Pareto front of quality over a cost: a cell that is
    marked for its times is on none, unless the cost is exact."""
    judged = [
        index for index, (_, each) in enumerate(points) if cost.exact or not each.cell.disturbed
    ]
    figures = [(points[index][0], points[index][1].mean) for index in judged]
    return [judged[place] for place in pareto_front(figures, less_x=cost.better == "lower")]


_BESIDE = ((-6, 4, "right"), (6, 4, "left"), (6, -11, "left"), (-6, -11, "right"))
"""Offset in points and alignment of a point's label, from the shortest length on: labels of one
model's cells, which lie close together, don't overlap."""


def logarithmic_if_wide(axes: Axes, values: Sequence[float], least: float) -> None:
    """Scale the x-axis logarithmically if the largest value is ``least`` times the smallest above
    0; below that one it is linear if there is a 0."""
    above = [value for value in values if value > 0]
    if above and max(above) / min(above) >= least:
        decades = math.log10(max(above) / min(above))
        subs = (1.0, 2.0, 5.0) if decades < 2 else (1.0,)
        if min(values) > 0:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=subs))
        else:
            linear = 10.0 ** math.floor(math.log10(min(above)))
            axes.set_xscale("symlog", linthresh=linear, linscale=0.5)
            ticks = SymmetricalLogLocator(base=10, linthresh=linear, subs=subs)
            axes.xaxis.set_major_locator(ticks)
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _short(value: float) -> str:
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= factor:
            return f"{value / (1e3 if letter == 'k' else factor):.4g}{letter}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def legend_above(figure: Figure, handles: Sequence[Line2D], texts: Sequence[str]) -> None:
    """Put a legend above all plots of a figure, in as many columns as there is room for. The figure
    gets as much higher as its further rows need, so that the plots don't get lower."""
    room = 0.7 + 0.085 * max(map(len, texts))  # inches of the widest entry
    columns = min(len(texts), max(1, int(WIDE / room)))
    rows = math.ceil(len(texts) / columns)
    figure.set_figheight(figure.get_figheight() + _LEGEND_ROW * (rows - 1))
    figure.legend(handles, texts, loc="outside upper left", ncols=columns)


_LEGEND_ROW = 0.22
"""Inches."""


def _model(cell: CostedCell) -> str:
    return cell.cell.cell.model


def new_figure(width: float, height: float) -> Figure:
    """Make a figure that is written as SVG, of so many inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure

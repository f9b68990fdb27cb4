"""What is said above and below the scatter plot. No widget here."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from engine.analysis.columns.definitions import Column
from engine.analysis.columns.text import figure
from engine.analysis.scatter import Point, Scatter, good_end
from tui.compare.scatter.plot import ScatterPlot
from tui.shell.text import TITLE, count, plain


def axis_name(column: Column) -> str:
    """Name an axis, and say which direction is better."""
    return f"{column.name} {'↑' if good_end(column) == 'higher' else '↓'}"


def legend(plot: ScatterPlot, content: Scatter, aggregate: str, width: int) -> Content:
    """Name the models of the marks, each with its mark in one of the lines of ``width`` terminal
    cells, and the number of runs."""
    parts: list[tuple[str, str]] = []
    used = 0
    for model in sorted({point.model for point in content.points}):
        text = f"{plot.mark_of(model, front=False)} {plain(model, TITLE)}"
        if used and used + cell_len(text) > width:
            parts.append(("\n", ""))
            used = 0
        used += cell_len(text) + 2
        parts += [(text, plot.style_of(model)), ("  ", "")]
    front = sum(point.front for point in content.points)
    datasets = len({point.dataset for point in content.points})
    fronts = "front" if datasets == 1 else "front of each data set"
    about = f"{count(content.runs, 'run')}, {aggregate} · filled: the Pareto {fronts} ({front})"
    return Content.assemble(*parts, (about, "$text-muted"))


def under_cursor(
    plot: ScatterPlot, point: Point | None, x: Column, y: Column, label: str = ""
) -> Content:
    """Name the run under the cursor, with its figures; empty without one.

    Args:
        label: what tells its cell from others of its model, data set and length.
    """
    if point is None:
        return Content("")
    mark = plot.mark_of(point.model, point.front)
    more = f" and {point.count - 1:,} more here" if point.count > 1 else ""
    front = ", on the Pareto front" if point.front else ""
    return Content.assemble(
        (plain(point.run, 100), "bold"),
        (f" {plain(label, TITLE)}" if label else "", "$accent"),
        (f"{more}{front}\n", "$text-muted"),
        (f"{mark} ", plot.style_of(point.model)),
        f"{x.name} {figure(point.x, x.kind)}   {y.name} {figure(point.y, y.kind)}",
    )

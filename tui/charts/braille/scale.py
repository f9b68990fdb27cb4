"""The x axis under a chart, and figures of x in words."""

from __future__ import annotations

from collections.abc import Mapping

from tui.charts.braille.axis import Axis
from tui.charts.braille.curve import XUnit
from tui.charts.braille.time_axis import clock_time
from tui.widgets.lines import Line

MUTED = "$text-muted"
CURSOR = "$foreground"

SLACK: Mapping[XUnit, float] = {"epoch": 1.0, "step": 1.0, "time": 5.0}
"""How far beyond a curve's end its last figure still counts."""


def x_text(x: float, unit: XUnit, span: float) -> str:
    """A figure of x, as exact as a cell that spans so much."""
    if unit == "time":
        return clock_time(x)
    if unit == "step" or span >= 1:
        return f"{x:,.0f}"
    return f"{x:,.{1 if span >= 0.05 else 2 if span >= 0.005 else 3}f}"


def rule_and_labels(
    axis: Axis, name: str, gutter: int, width: int, span: int
) -> tuple[str, list[str]]:
    """Write the x axis below a plot: a rule with a notch a tick, and the ticks' figures.

    Args:
        name: stands at the right end, below the rule.
        gutter: cells left of the axis.
        width: cells of the rule.
        span: cells from the axis' low end to its high end.

    Returns:
        The rule, and the characters below it from the gutter's first cell on.
    """
    rule = ["─"] * width
    labels = [" "] * (gutter + 1 + width)
    free = 0
    name_start = len(labels) - len(name)
    for tick in axis.ticks():
        cell = min(round(axis.share(tick) * span), width - 1)
        label = axis.label(tick)
        start = max(gutter + 1 + cell - (len(label) - 1) // 2, free)
        rule[cell] = "┬"
        if start + len(label) < name_start:
            labels[start : start + len(label)] = label
            free = start + len(label) + 1
    labels[name_start:] = name
    return " " * gutter + "└" + "".join(rule), labels


def x_scale(
    axis: Axis,
    unit: XUnit,
    gutter: int,
    width: int,
    rows: int,
    cursor: float | None = None,
    *,
    epoch: str = "epoch",
) -> list[Line]:
    """Write the x axis: the rule (if there are two rows), and the ticks' figures, which make room
    for that of the cursor.

    Args:
        epoch: what is counted in the unit of that name.
    """
    rule, labels = rule_and_labels(axis, epoch if unit == "epoch" else unit, gutter, width, width)
    scale: list[Line] = [[(rule, MUTED)]] if rows > 1 else []
    if cursor is None or not axis.low <= cursor <= axis.high:
        return [*scale, [("".join(labels), MUTED)]]
    said = x_text(cursor, unit, (axis.high - axis.low) / width)
    start = gutter + 1 + int(axis.share(cursor) * width) - len(said) // 2
    start = max(0, min(start, len(labels) - len(said)))
    end = start + len(said)
    # A figure, or the name, of which it would leave a part gives way as a whole.
    while start > 0 and labels[start - 1] != " ":
        start, said = start - 1, " " + said
    while end < len(labels) and labels[end] != " ":
        end, said = end + 1, said + " "
    before, after = "".join(labels[:start]), "".join(labels[end:])
    return [*scale, [(before, MUTED), (said, CURSOR), (after, MUTED)]]
